"""Accumulation of gradients: one update of the variables for several batches."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable
from typing import Any

from pronghorn import ops
from pronghorn.variable import Variable


def run_if(condition: Any, variables: Iterable[Variable], update: Callable[[], None]) -> None:
    """Runs `update`, whose assignments to `variables` take effect only if `condition` holds.

    Args:
        condition: Boolean scalar tensor. With a value it decides at once; inside a trace the
            update is traced and each changed variable selects between its old and new value.
        variables: All variables that `update` may assign.
        update: The update.
    """
    if not condition.is_symbolic:
        if bool(condition):
            update()
        return
    variables = list(variables)
    before = [v.value for v in variables]
    update()
    for variable, old in zip(variables, before):
        new = variable.value
        if new is not old:
            variable.assign(ops.where(condition, new, old))


class GradientAccumulation:
    """Part of `Optimizer` that averages gradients over several steps before an update."""

    gradient_accumulation_steps: int | None
    _iterations: Variable
    _accumulated_gradients: list[Variable]
    _get_variable_index: Callable[[Variable], int]
    _update: Callable[[list[Any], list[Variable]], None]

    @property
    @abc.abstractmethod
    def variables(self) -> list[Variable]:
        """All variables of the optimizer."""

    def _init_accumulation(self, steps: int | None) -> None:
        if steps is not None and (
            isinstance(steps, bool) or not isinstance(steps, int) or steps < 2
        ):
            raise ValueError(
                "`gradient_accumulation_steps` must be an integer >= 2. Received: "
                f"gradient_accumulation_steps={steps}"
            )
        self.gradient_accumulation_steps = steps
        self._accumulated_gradients = []

    def _accumulate_or_update(self, grads: list[Any], variables: list[Variable]) -> None:
        steps = self.gradient_accumulation_steps
        assert steps is not None
        slots = [self._accumulated_gradients[self._get_variable_index(v)] for v in variables]
        # Variables overwritten by their gradients (histories of maxima) take the largest one.
        sums = [
            ops.maximum(a.value, ops.cast(g, a.dtype))
            if v.overwrite_with_gradient
            else a.value + ops.cast(g, a.dtype)
            for a, g, v in zip(slots, grads, variables)
        ]
        is_update = ops.equal(ops.mod(self._iterations.value + 1, steps), 0)
        changed = [*self.variables, *variables]

        def update() -> None:
            means = [
                s if v.overwrite_with_gradient else s / float(steps)
                for s, v in zip(sums, variables)
            ]
            self._update(means, variables)

        run_if(is_update, changed, update)
        for slot, total in zip(slots, sums):
            slot.assign(ops.where(is_update, ops.zeros_like(total), total))
