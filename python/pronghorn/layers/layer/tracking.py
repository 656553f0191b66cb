"""Attribute tracking: finds variables, layers, metrics and seed generators in attributes.

A `Tracker` sorts what is assigned to an attribute into lists, and replaces lists, dicts and sets
by subclasses that report what is added to and removed from them.
"""

from __future__ import annotations

import collections
import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pronghorn.layers.layer.changes import changes

LOCKED = (
    "You cannot add new elements of state (variables or sub-layers) to a layer that is already "
    "built. All state must be created in the `__init__()` method or in the `build()` method."
)

_UNTRACKED_TYPES = frozenset({int, float, str, bool, type(None), bytes, complex})


class _Disabled(threading.local):
    def __init__(self) -> None:
        self.depth = 0


_disabled = _Disabled()


@contextlib.contextmanager
def no_tracking() -> Iterator[None]:
    """Context in which attributes are assigned as they are."""
    _disabled.depth += 1
    try:
        yield
    finally:
        _disabled.depth -= 1


class Tracker:
    """Sorts objects into lists by kind.

    Args:
        stores: For each kind its test and the list to fill, in the order of the tests.
        exclusions: For a kind the other kinds whose members are not put into it.
    """

    def __init__(
        self,
        stores: dict[str, tuple[Callable[[Any], bool], list[Any]]],
        exclusions: dict[str, list[str]] | None = None,
    ) -> None:
        self.stores = stores
        self.exclusions = exclusions or {}
        self.locked_by: str | None = None
        self.change = changes.note()
        self._ids: dict[str, set[int]] | None = None

    def lock(self, message: str = LOCKED) -> None:
        """Makes every later addition raise a ValueError with `message`."""
        self.locked_by = message

    def unlock(self) -> None:
        """Allows additions again."""
        self.locked_by = None

    @property
    def ids(self) -> dict[str, set[int]]:
        """The `id`s of what is in each list."""
        if self._ids is None:
            self._ids = {k: {id(x) for x in store} for k, (_, store) in self.stores.items()}
        return self._ids

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_ids": None}

    def track(self, value: Any) -> Any:
        """Records `value` and what it contains. Returns it, containers replaced."""
        if type(value) in _UNTRACKED_TYPES or _disabled.depth:
            return value
        for kind, (is_kind, _) in self.stores.items():
            if is_kind(value):
                kinds = (kind, *self.exclusions.get(kind, ()))
                if not any(id(value) in self.ids[k] for k in kinds):
                    self.add(kind, value)
                return value
        return self._track_container(value)

    def _track_container(self, value: Any) -> Any:
        if isinstance(value, tuple):
            items = [self.track(x) for x in value]
            if all(a is b for a, b in zip(items, value)):
                return value
            return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
        for plain, tracked in (
            (list, TrackedList),
            (collections.OrderedDict, TrackedOrderedDict),
            (dict, TrackedDict),
            (set, TrackedSet),
        ):
            # Other subclasses have a behaviour of their own that a copy would lose.
            if type(value) is plain or type(value) is tracked:
                if getattr(value, "tracker", None) is self:
                    return value
                return tracked(value, self)
        return value

    def add(self, kind: str, value: Any) -> None:
        """Puts `value` into the list of `kind`."""
        if self.locked_by is not None:
            raise ValueError(self.locked_by)
        self.change = changes.note()
        self.stores[kind][1].append(value)
        self.ids[kind].add(id(value))

    def untrack(self, value: Any) -> None:
        """Takes `value` out of the list that it is in."""
        self.change = changes.note()
        for kind, (_, store) in self.stores.items():
            if id(value) in self.ids[kind]:
                self.ids[kind].remove(id(value))
                for i, x in enumerate(store):
                    if x is value:
                        del store[i]
                        break

    def replace_in_store(self, kind: str, items: Iterable[Any]) -> None:
        """Makes the list of `kind` hold `items`."""
        self.change = changes.note()
        self.stores[kind][1][:] = items
        self._ids = None


def relink(value: Any, tracker: Tracker) -> None:
    """Makes the tracked containers in `value` report to `tracker` (after copying)."""
    if isinstance(value, (TrackedList, TrackedSet)):
        value.tracker = tracker
        for x in value:
            relink(x, tracker)
    elif isinstance(value, (TrackedDict, TrackedOrderedDict)):
        value.tracker = tracker
        for x in value.values():
            relink(x, tracker)
    elif isinstance(value, tuple):
        for x in value:
            relink(x, tracker)


def _track(tracker: Tracker | None, value: Any) -> Any:
    return value if tracker is None else tracker.track(value)


def _untrack(tracker: Tracker | None, value: Any) -> None:
    if tracker is not None:
        tracker.untrack(value)


class TrackedList(list):  # type: ignore[type-arg]
    """List that reports its changes to a `Tracker`."""

    tracker: Tracker | None = None

    def __init__(self, values: Iterable[Any] | None = None, tracker: Tracker | None = None) -> None:
        self.tracker = tracker
        super().__init__([_track(tracker, v) for v in values] if values is not None else [])

    def append(self, value: Any) -> None:
        super().append(_track(self.tracker, value))

    def insert(self, index: Any, value: Any) -> None:
        super().insert(index, _track(self.tracker, value))

    def extend(self, values: Iterable[Any]) -> None:
        super().extend([_track(self.tracker, v) for v in values])

    def __iadd__(self, values: Iterable[Any]) -> TrackedList:  # type: ignore[misc,override]  # noqa: PYI034
        self.extend(values)
        return self

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            value = [_track(self.tracker, v) for v in value]
        else:
            value = _track(self.tracker, value)
        super().__setitem__(index, value)

    def remove(self, value: Any) -> None:
        _untrack(self.tracker, value)
        for i, x in enumerate(self):
            if x is value:
                super().__delitem__(i)
                return
        super().remove(value)

    def pop(self, index: Any = -1) -> Any:
        value = self[index]
        _untrack(self.tracker, value)
        return super().pop(index)

    def clear(self) -> None:
        for value in self:
            _untrack(self.tracker, value)
        super().clear()

    def __delitem__(self, index: Any) -> None:
        for value in self[index] if isinstance(index, slice) else [self[index]]:
            _untrack(self.tracker, value)
        super().__delitem__(index)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (type(self), (), None, iter(self))


class _TrackedMapping:
    """Methods of the tracked dicts."""

    tracker: Tracker | None = None

    def __init__(self, values: Any = None, tracker: Tracker | None = None) -> None:
        self.tracker = tracker
        pairs = {} if values is None else dict(values)
        super().__init__({k: _track(tracker, v) for k, v in pairs.items()})  # type: ignore[call-arg]

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, _track(self.tracker, value))  # type: ignore[misc]

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:  # type: ignore[operator]
            self[key] = default
        return self[key]  # type: ignore[index]

    def update(self, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def pop(self, key: Any, *default: Any) -> Any:
        if key in self:  # type: ignore[operator]
            _untrack(self.tracker, self[key])  # type: ignore[index]
        return super().pop(key, *default)  # type: ignore[misc]

    def popitem(self) -> Any:
        key, value = super().popitem()  # type: ignore[misc]
        _untrack(self.tracker, value)
        return key, value

    def clear(self) -> None:
        for value in self.values():  # type: ignore[attr-defined]
            _untrack(self.tracker, value)
        super().clear()  # type: ignore[misc]

    def __delitem__(self, key: Any) -> None:
        _untrack(self.tracker, self[key])  # type: ignore[index]
        super().__delitem__(key)  # type: ignore[misc]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (type(self), (), None, None, iter(self.items()))  # type: ignore[attr-defined]


class TrackedDict(_TrackedMapping, dict):  # type: ignore[type-arg]
    """Dict that reports its changes to a `Tracker`."""


class TrackedOrderedDict(_TrackedMapping, collections.OrderedDict):  # type: ignore[type-arg,misc]
    """OrderedDict that reports its changes to a `Tracker`."""


class TrackedSet(set):  # type: ignore[type-arg]
    """Set that reports its changes to a `Tracker`."""

    tracker: Tracker | None = None

    def __init__(self, values: Iterable[Any] | None = None, tracker: Tracker | None = None) -> None:
        self.tracker = tracker
        super().__init__([_track(tracker, v) for v in values] if values is not None else [])

    def add(self, value: Any) -> None:
        super().add(_track(self.tracker, value))

    def update(self, *values: Iterable[Any]) -> None:
        for group in values:
            for value in group:
                self.add(value)

    def remove(self, value: Any) -> None:
        _untrack(self.tracker, value)
        super().remove(value)

    def discard(self, value: Any) -> None:
        if value in self:
            _untrack(self.tracker, value)
        super().discard(value)

    def pop(self) -> Any:
        value = super().pop()
        _untrack(self.tracker, value)
        return value

    def clear(self) -> None:
        for value in self:
            _untrack(self.tracker, value)
        super().clear()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (type(self), (list(self),))
