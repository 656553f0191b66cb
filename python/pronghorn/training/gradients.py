"""The gradient of a train step: by the trace while one is recorded, by a tape when run eagerly."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from pronghorn.trace import Tape, Trace, current_trace


class GradientScope:
    """`with GradientScope() as scope: loss = ...`, then `scope.gradient(loss, variables)`."""

    def __init__(self) -> None:
        self._trace: Trace | None = current_trace()
        self._tape: Tape | None = None if self._trace is not None else Tape()

    def __enter__(self) -> GradientScope:
        if self._tape is not None:
            self._tape.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._tape is not None:
            self._tape.__exit__(kind, error, traceback)

    def gradient(self, loss: Any, variables: list[Any]) -> list[Any]:
        """The gradient with respect to each variable; `None` where the loss does not depend on "
        "it."""
        if self._trace is not None:
            return self._trace.gradient(loss, variables)
        assert self._tape is not None
        return self._tape.gradient(loss, variables)
