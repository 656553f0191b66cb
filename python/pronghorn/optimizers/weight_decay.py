"""Decoupled weight decay. Source: Loshchilov and Hutter, 2019."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pronghorn import ops
from pronghorn.variable import Variable


class WeightDecay:
    """Part of `Optimizer` that shrinks weights at each step."""

    weight_decay: float | None
    built: bool
    _exclude_from_weight_decay: set[int] | None = None
    _exclude_from_weight_decay_pattern: re.Pattern[str] | None = None

    def exclude_from_weight_decay(
        self,
        var_list: Sequence[Variable] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """Leaves variables out of weight decay. Must be called before `build`.

        Args:
            var_list: Variables.
            var_names: Parts of names, regular expressions: `["bias"]`.

        Raises:
            ValueError: If the optimizer is built.
        """
        if self.built:
            raise ValueError(
                "`exclude_from_weight_decay()` can only be configured before the optimizer is "
                "built."
            )
        self._exclude_from_weight_decay = {id(v) for v in var_list or ()}
        names = list(var_names or ())
        self._exclude_from_weight_decay_pattern = re.compile("|".join(names)) if names else None
        self._kept_alive = list(var_list or ())

    def _use_weight_decay(self, variable: Variable) -> bool:
        if self._exclude_from_weight_decay and id(variable) in self._exclude_from_weight_decay:
            return False
        pattern = self._exclude_from_weight_decay_pattern
        return pattern is None or pattern.search(variable.name) is None

    def _apply_weight_decay(self, variables: list[Variable], learning_rate: Any = None) -> None:
        if self.weight_decay is None:
            return
        if learning_rate is None:
            learning_rate = self.learning_rate  # type: ignore[attr-defined]
        parts: dict[str, Any] = {}
        for variable in variables:
            if not self._use_weight_decay(variable):
                continue
            if variable.dtype not in parts:
                parts[variable.dtype] = ops.cast(learning_rate, variable.dtype) * self.weight_decay
            value = variable.value
            variable.assign(value - value * parts[variable.dtype])
