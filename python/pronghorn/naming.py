"""Names of layers, operations and variables: unique automatic names, scopes, paths.

Names come from one counter per prefix for the whole process, scopes from a stack per thread.
`clear_session` starts the counters again and lets other modules drop state of their own.
"""

from __future__ import annotations

import collections
import gc
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

_lock = threading.Lock()
_uids: collections.defaultdict[str, int] = collections.defaultdict(int)
_session_resets: list[Callable[[], None]] = []


def to_snake_case(name: str) -> str:
    """Returns `name` in snake case: `"Conv2DTranspose"` gives `"conv2d_transpose"`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def to_camel_case(name: str) -> str:
    """Returns `name` in camel case: `"not_equal"` gives `"NotEqual"`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def uniquify(name: str) -> str:
    """Returns `name`, or `name_1`, `name_2`, ... from the second use on."""
    with _lock:
        count = _uids[name]
        _uids[name] = count + 1
    return f"{name}_{count}" if count else name


def auto_name(prefix: str) -> str:
    """Returns a unique snake-case name for an object of class `prefix`."""
    return uniquify(to_snake_case(prefix))


def reset_uids() -> None:
    """Starts the counters of `auto_name` and `uniquify` again."""
    with _lock:
        _uids.clear()


class _ScopeStack(threading.local):
    def __init__(self) -> None:
        self.scopes: list[name_scope] = []
        self.watch: Callable[[], None] | None = None


_stack = _ScopeStack()


class name_scope:
    """Context manager that puts a name before those of the variables created inside it.

    Args:
        name: The scope's name, without `/`.
        caller: Object that opens the scope. A scope of the same name opened by the same caller
            directly inside its own scope adds nothing.
        deduplicate: Whether the rule for `caller` applies.
        override_parent: Path to use in place of the surrounding scopes.
    """

    def __init__(
        self,
        name: str,
        caller: object | None = None,
        deduplicate: bool = True,
        override_parent: str | None = None,
    ) -> None:
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "Argument `name` must be a string and cannot contain character `/`. "
                f"Received: name={name}"
            )
        self.name = name
        self.caller = caller
        self.deduplicate = deduplicate
        self.override_parent = override_parent
        self._entered: list[bool] = []

    def __enter__(self) -> Self:
        scopes = _stack.scopes
        if self.deduplicate and self.caller is not None and scopes:
            top = scopes[-1]
            if top.caller is self.caller and top.name == self.name:
                self._entered.append(False)
                return self
        scopes.append(self)
        self._entered.append(True)
        if _stack.watch is not None:
            _stack.watch()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._entered.pop():
            _stack.scopes.pop()
            if _stack.watch is not None:
                _stack.watch()


def current_path() -> str:
    """Returns the names of the open scopes of this thread, joined by `/`."""
    parts: list[str] = []
    for scope in _stack.scopes:
        if scope.override_parent is not None:
            parts = [scope.override_parent] if scope.override_parent else []
        parts.append(scope.name)
    return "/".join(parts)


@contextmanager
def watched_scopes(watch: Callable[[], None]) -> Iterator[None]:
    """Inside it `watch` is called whenever a scope of this thread begins or ends."""
    before = _stack.watch
    _stack.watch = watch
    try:
        yield
    finally:
        _stack.watch = before


def on_clear_session(reset: Callable[[], None]) -> Callable[[], None]:
    """Registers `reset` to be called by `clear_session`. Usable as a decorator."""
    _session_resets.append(reset)
    return reset


def clear_session(free_memory: bool = True) -> None:
    """Resets all state that the library keeps between models.

    Automatic names start again without a number, open name scopes are closed, and the state that
    modules registered with `on_clear_session` (global dtype policy, global seed, ...) is reset.

    Args:
        free_memory: Whether to also run Python's garbage collector.

    Example:

    >>> import pronghorn as keras
    >>> keras.utils.clear_session()
    >>> keras.layers.Dense(1).name
    'dense'
    """
    reset_uids()
    _stack.scopes.clear()
    for reset in _session_resets:
        reset()
    if free_memory:
        gc.collect()


def object_name(obj: Any) -> str:
    """Returns the snake-case name of `obj`'s class or function, without a number."""
    cls = obj if hasattr(obj, "__name__") else type(obj)
    return to_snake_case(cls.__name__)


def get_uid(prefix: str = "") -> int:
    """Returns the next number of `prefix`, counting from 1."""
    with _lock:
        _uids[prefix] += 1
        return _uids[prefix]
