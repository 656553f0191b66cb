"""Updates outside of a trace as one program: a training loop written in Python calls no op by op.

Used for the built-in optimizers with a learning rate that is a variable, from the third update of
the same variables on. A changed hyperparameter gives another program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pronghorn.program import Program
from pronghorn.trace import Trace, current
from pronghorn.variable import Variable

_SCALARS = (int, float, bool, str, type(None))
_FIRST_COMPILED = 3
_MOST_KEYS = 16


class EagerPrograms:
    """The programs of one optimizer, by variables, dtypes and hyperparameters."""

    def __init__(self) -> None:
        self._uses: dict[Any, int] = {}
        self._programs: dict[Any, Program] = {}

    def run(
        self,
        optimizer: Any,
        grads: list[Any],
        variables: list[Variable],
        apply: Callable[[list[Any], list[Variable]], None],
    ) -> bool:
        """Runs the update as a program, if it can be one.

        Args:
            optimizer: The optimizer.
            grads: Gradients, tensors.
            variables: Their variables.
            apply: The update, which is traced.

        Returns:
            Whether the update was made.
        """
        if current() is not None or not type(optimizer).__module__.startswith(
            "pronghorn.optimizers."
        ):
            return False
        if not isinstance(optimizer._learning_rate, Variable):
            return False
        if any(v.constraint is not None for v in variables):
            return False
        key = (
            tuple(id(v) for v in variables),
            tuple(g.dtype for g in grads),
            tuple((k, v) for k, v in vars(optimizer).items() if isinstance(v, _SCALARS)),
            id(optimizer._learning_rate),
        )
        program = self._programs.get(key)
        if program is None:
            if len(self._uses) >= _MOST_KEYS:
                self._uses.clear()
                self._programs.clear()
            uses = self._uses[key] = self._uses.get(key, 0) + 1
            if uses < _FIRST_COMPILED:
                return False
            with Trace() as trace:
                apply([trace.input(g.shape, g.dtype) for g in grads], variables)
                program = self._programs[key] = trace.compile([])
        program(*grads)
        return True
