"""Context managers of loading and saving: whether code may be run, and which objects are shared."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any


class _State(threading.local):
    def __init__(self) -> None:
        self.safe_modes: list[bool | None] = []
        self.sharing: list[ObjectSharingScope] = []


_state = _State()


class SafeModeScope:
    """Context manager that sets the safe mode of deserialization in this thread.

    Args:
        safe_mode: `False` allows configs that hold Python code; `None` leaves the mode as it is.
    """

    def __init__(self, safe_mode: bool | None = True) -> None:
        self.safe_mode = safe_mode

    def __enter__(self) -> SafeModeScope:
        mode = self.safe_mode if self.safe_mode is not None else in_safe_mode()
        _state.safe_modes.append(mode)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _state.safe_modes.pop()


def in_safe_mode() -> bool | None:
    """Returns the safe mode of the open scope, `None` outside of all scopes.

    `keras.config.enable_unsafe_deserialization()` counts as an open scope with safe mode off.
    """
    if _state.safe_modes:
        return _state.safe_modes[-1]
    from pronghorn import config

    return False if config.is_unsafe_deserialization_enabled() else None


class ObjectSharingScope:
    """Context manager inside which an object met twice is saved with an id and restored once."""

    def __init__(self) -> None:
        self.configs: dict[int, dict[str, Any]] = {}
        self.kept_alive: list[Any] = []
        self.objects: dict[int, Any] = {}

    def __enter__(self) -> ObjectSharingScope:
        _state.sharing.append(self)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _state.sharing.pop()


def record_config(obj: Any, config: dict[str, Any]) -> None:
    """Notes that `obj` was serialized to `config`; from the second time on configs get an id."""
    if not _state.sharing:
        return
    scope = _state.sharing[-1]
    first = scope.configs.get(id(obj))
    if first is None:
        scope.configs[id(obj)] = config
        scope.kept_alive.append(obj)
        return
    first["shared_object_id"] = config["shared_object_id"] = id(obj)


def record_object(obj: Any, shared_object_id: int) -> None:
    """Notes that `obj` was restored from a config of that id."""
    if _state.sharing:
        _state.sharing[-1].objects[shared_object_id] = obj


def shared_object(shared_object_id: int) -> Any:
    """Returns the object that was restored from a config of that id, or `None`."""
    return _state.sharing[-1].objects.get(shared_object_id) if _state.sharing else None
