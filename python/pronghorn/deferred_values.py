"""Variables of a file that is being loaded get their values from it: initializers wait."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any


class _State(threading.local):
    def __init__(self) -> None:
        self.scopes: list[DeferredValues] = []


_state = _State()


class DeferredValues:
    """Context manager inside which initializers of new variables run when a value is first read.

    A variable that is assigned before it is read is never initialized. Those that are left when
    the block ends are initialized then, in the order in which they were made.
    """

    def __init__(self) -> None:
        self._variables: list[Any] = []

    def __enter__(self) -> DeferredValues:
        _state.scopes.append(self)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _state.scopes.pop()
        if exc_type is None:
            for variable in self._variables:
                variable.initialize()

    def add(self, variable: Any) -> None:
        """Takes a variable whose initializer has not run."""
        self._variables.append(variable)


def deferring() -> DeferredValues | None:
    """Returns the innermost scope of this thread."""
    return _state.scopes[-1] if _state.scopes else None
