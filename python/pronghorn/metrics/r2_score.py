"""R2Score: how much of the variance of the targets the outputs explain."""

from __future__ import annotations

import warnings
from typing import Any

from pronghorn import ops
from pronghorn.metrics.metric import Metric
from pronghorn.variable import Variable

_AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


class R2Score(Metric):
    """The coefficient of determination: 1 is perfect, 0 no better than the mean of the targets.

    Args:
        class_aggregation: how outputs are combined: `None` for one value each, "uniform_average",
            or "variance_weighted_average".
        num_regressors: number of independent variables, for the adjusted score; 0 for the plain
            one.
        name: name in the logs.
        dtype: dtype of the computation.

    Raises:
        ValueError: an unknown aggregation, a negative number, or data that is not `(samples,
            outputs)`.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.R2Score()
        >>> m.update_state([[1.0], [2.0], [3.0]], [[1.0], [2.0], [3.0]])
        >>> float(m.result())
        1.0
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in _AGGREGATIONS:
            raise ValueError(
                "Invalid value for argument `class_aggregation`. Expected one of "
                f"{_AGGREGATIONS}. Received: class_aggregation={class_aggregation}"
            )
        if num_regressors < 0:
            raise ValueError(
                "Invalid value for argument `num_regressors`. Expected a value >= 0. "
                f"Received: num_regressors={num_regressors}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False
        self.squared_sum: Variable
        self.sum: Variable
        self.residual: Variable
        self.count: Variable

    def _build(self, outputs: int) -> None:
        self.squared_sum = self.add_variable((outputs,), "zeros", name="squared_sum")
        self.sum = self.add_variable((outputs,), "zeros", name="sum")
        self.residual = self.add_variable((outputs,), "zeros", name="residual")
        self.count = self.add_variable((outputs,), "zeros", name="count")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: targets `(samples, outputs)`.
            y_pred: outputs of the same shape.
            sample_weight: weights `(samples,)`.
        """
        y_true, y_pred = self._tensors(y_true, y_pred)
        if y_true.ndim != 2 or y_true.shape != y_pred.shape:
            raise ValueError(
                f"R2Score '{self.name}': expects 2D inputs with shape (samples, outputs). "
                f"Received: y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}."
            )
        if not self._built:
            self._build(y_pred.shape[1])
        if sample_weight is None:
            sample_weight = 1.0
        (weight,) = self._tensors(sample_weight)
        if weight.ndim == 1:
            weight = ops.expand_dims(weight, 1)
        weight = ops.broadcast_to(weight, y_true.shape)
        weighted = ops.multiply(y_true, weight)
        self.sum.assign_add(ops.sum(weighted, axis=0))
        self.squared_sum.assign_add(ops.sum(ops.multiply(y_true, weighted), axis=0))
        error = ops.multiply(ops.square(ops.subtract(y_true, y_pred)), weight)
        self.residual.assign_add(ops.sum(error, axis=0))
        self.count.assign_add(ops.sum(weight, axis=0))
        self.num_samples.assign_add(float(y_true.size))

    def result(self) -> Any:
        """The score; 0 before there is data."""
        if not self._built:
            return ops.convert_to_tensor(0.0)
        count = self.count.value
        mean = ops.divide_no_nan(self.sum.value, count)
        total = ops.subtract(self.squared_sum.value, ops.multiply(self.sum.value, mean))
        ratio = ops.divide_no_nan(self.residual.value, total)
        scores = ops.where(ops.greater(total, 0.0), ops.subtract(1.0, ratio), 0.0)
        if self.class_aggregation == "uniform_average":
            score = ops.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            score = ops.divide_no_nan(ops.sum(ops.multiply(total, scores)), ops.sum(total))
        else:
            score = scores
        return score if self.num_regressors == 0 else self._adjusted(score)

    def _adjusted(self, score: Any) -> Any:
        free = ops.subtract(self.num_samples.value, float(self.num_regressors) + 1.0)
        if not free.is_symbolic and float(free) <= 0:
            what = (
                "More independent predictors than datapoints"
                if float(free) < 0
                else "Division by zero"
            )
            warnings.warn(
                f"{what} in adjusted R2 score. Falls back to standard R2 score.", stacklevel=3
            )
            return score
        left = ops.multiply(ops.subtract(1.0, score), ops.subtract(self.num_samples.value, 1.0))
        adjusted = ops.subtract(1.0, ops.divide_no_nan(left, free))
        return ops.where(ops.greater(free, 0.0), adjusted, score)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
