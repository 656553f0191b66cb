"""What holds during one outermost layer call: which layer began it, and arguments passed down."""

from __future__ import annotations

import threading
from typing import Any


class CallContext:
    """State of the outermost layer call that is being made in a thread.

    Args:
        entry_layer: The layer whose call began it.
    """

    __slots__ = ("entry_layer", "training", "values")

    def __init__(self, entry_layer: Any) -> None:
        self.entry_layer = entry_layer
        self.training: Any = None
        self.values: dict[str, Any] = {}

    def get_value(self, name: str, default: Any = None) -> Any:
        """Returns the value of the argument `name` that outer layers passed down."""
        if name == "training":
            return default if self.training is None else self.training
        return self.values.get(name, default)

    def set_value(self, name: str, value: Any) -> None:
        """Sets the value of the argument `name` for inner layers."""
        if name == "training":
            self.training = value
        else:
            self.values[name] = value


class _Current(threading.local):
    def __init__(self) -> None:
        self.context: CallContext | None = None


current = _Current()


def current_call_context() -> CallContext | None:
    """Returns the context of the layer call being made in this thread, if there is one."""
    return current.context
