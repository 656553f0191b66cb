"""Exponential moving averages of the trained variables."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

from pronghorn import ops
from pronghorn.variable import Variable


class MovingAverages:
    """Part of `Optimizer` that averages the trained variables over the steps."""

    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    _trainable_variables: list[Variable]
    _model_variables_moving_average: list[Any]

    @property
    @abc.abstractmethod
    def iterations(self) -> Any:
        """Number of updates made so far."""

    def _init_averages(
        self, use_ema: bool, ema_momentum: float, ema_overwrite_frequency: int | None
    ) -> None:
        if use_ema:
            if not 0 <= ema_momentum <= 1:
                raise ValueError(
                    "`ema_momentum` must be in the range [0, 1]. "
                    f"Received: ema_momentum={ema_momentum}"
                )
            frequency = ema_overwrite_frequency
            if frequency is not None and (not isinstance(frequency, int) or frequency < 1):
                raise ValueError(
                    "`ema_overwrite_frequency` must be an integer >= 1 or None. Received: "
                    f"ema_overwrite_frequency={ema_overwrite_frequency}"
                )
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self._model_variables_moving_average = []

    def _average_variables(self) -> None:
        if not self.use_ema:
            return
        self._update_model_variables_moving_average(self._trainable_variables)
        if self.ema_overwrite_frequency is None:
            return
        count = ops.convert_to_tensor(self.iterations) + 1
        overwrite = ops.equal(ops.mod(count, self.ema_overwrite_frequency), 0)
        for variable, average in self._averaged():
            variable.assign(ops.where(overwrite, average.value, variable.value))

    def _averaged(self) -> list[tuple[Variable, Variable]]:
        pairs = zip(self._trainable_variables, self._model_variables_moving_average)
        return [(v, a) for v, a in pairs if a is not None]

    def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
        # The first step starts from the variables themselves.
        not_first = ops.cast(ops.not_equal(ops.convert_to_tensor(self.iterations), 0), "float32")
        momentum = not_first * self.ema_momentum
        for variable, average in self._averaged():
            m = ops.cast(momentum, variable.dtype)
            average.assign(m * average.value + (1.0 - m) * variable.value)

    def _overwrite_model_variables_with_average_value(self, trainable_variables: Any) -> None:
        chosen = {id(v) for v in trainable_variables}
        for variable, average in self._averaged():
            if id(variable) in chosen:
                variable.assign(average.value)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Sets variables to their moving averages, if there are any. `fit` calls it at the end.

        Args:
            var_list: The variables.
        """
        if self.use_ema:
            self._overwrite_model_variables_with_average_value(var_list)
