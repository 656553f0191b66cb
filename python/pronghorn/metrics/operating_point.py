"""Metrics of the best threshold: sensitivity at a specificity, precision at a recall, and their "
"like."""

from __future__ import annotations

from typing import Any

from pronghorn import config, ops
from pronghorn.metrics.confusion import count
from pronghorn.metrics.metric import Metric


class OperatingPoint(Metric):
    """The largest value of one ratio where another one is at least `value`, over many thresholds.

    Args:
        value: what the other ratio must reach, 0 to 1.
        num_thresholds: how many thresholds are tried.
        class_id: the class that alone counts.
        name: name in the logs.
        dtype: dtype of the computation.
    """

    _direction = "up"
    _argument = "value"

    def __init__(
        self,
        value: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if num_thresholds <= 0:
            raise ValueError(
                "Argument `num_thresholds` must be an integer > 0. "
                f"Received: num_thresholds={num_thresholds}"
            )
        if not 0 <= value <= 1:
            raise ValueError(
                f"Argument `{self._argument}` must be in the range [0, 1]. "
                f"Received: {self._argument}={value}"
            )
        self.value = value
        self.class_id = class_id
        self.num_thresholds = num_thresholds
        self.thresholds = spread_thresholds(num_thresholds)
        shape = (len(self.thresholds),)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", name="false_positives")
        self.true_negatives = self.add_variable(shape, "zeros", name="true_negatives")
        self.false_negatives = self.add_variable(shape, "zeros", name="false_negatives")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: targets, 0 or 1.
            y_pred: probabilities of the same shape.
            sample_weight: weights that broadcast to the targets.
        """
        counts = count(
            y_true,
            y_pred,
            self.thresholds,
            self.dtype,
            sample_weight,
            class_id=self.class_id,
            name=self.name,
        )
        self.true_positives.assign_add(counts.tp)
        self.false_positives.assign_add(counts.fp)
        self.true_negatives.assign_add(counts.tn)
        self.false_negatives.assign_add(counts.fn)

    def _sensitivity(self) -> Any:
        hits = self.true_positives.value
        return ops.divide_no_nan(hits, ops.add(hits, self.false_negatives.value))

    def _specificity(self) -> Any:
        rejected = self.true_negatives.value
        return ops.divide_no_nan(rejected, ops.add(rejected, self.false_positives.value))

    def _precision(self) -> Any:
        hits = self.true_positives.value
        return ops.divide_no_nan(hits, ops.add(hits, self.false_positives.value))

    def _best(self, constrained: Any, wanted: Any) -> Any:
        reached = ops.greater_equal(constrained, ops.cast(self.value, constrained.dtype))
        return ops.max(ops.where(reached, wanted, ops.zeros_like(wanted)))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {
            **super().get_config(),
            "class_id": self.class_id,
            "num_thresholds": self.num_thresholds,
            self._argument: self.value,
        }


_MOST = 2**20  # each is compared with each prediction


def spread_thresholds(number: int) -> list[float]:
    """`number` thresholds from just below 0 to just above 1; 0.5 where it is one.

    Raises:
        ValueError: `number` is above 2**20.
    """
    if number > _MOST:
        raise ValueError(
            f"Argument `num_thresholds` must be at most {_MOST}. Received: num_thresholds={number}"
        )
    if number == 1:
        return [0.5]
    inner = [(i + 1) / (number - 1) for i in range(number - 2)]
    return [-config.epsilon(), *inner, 1.0 + config.epsilon()]


class SensitivityAtSpecificity(OperatingPoint):
    """The best sensitivity (recall) at which the specificity is at least a value.

    Args:
        specificity: that value, 0 to 1.
        num_thresholds: how many thresholds are tried.
        class_id: the class that alone counts.
        name: name in the logs.
        dtype: dtype of the computation.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.SensitivityAtSpecificity(0.5)
        >>> m.update_state([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
        >>> float(m.result())
        0.5
    """

    _argument = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def result(self) -> Any:
        """The sensitivity."""
        return self._best(self._specificity(), self._sensitivity())


class SpecificityAtSensitivity(OperatingPoint):
    """The best specificity at which the sensitivity (recall) is at least a value.

    Args:
        sensitivity: that value, 0 to 1.
        num_thresholds: how many thresholds are tried.
        class_id: the class that alone counts.
        name: name in the logs.
        dtype: dtype of the computation.
    """

    _argument = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def result(self) -> Any:
        """The specificity."""
        return self._best(self._sensitivity(), self._specificity())


class PrecisionAtRecall(OperatingPoint):
    """The best precision at which the recall is at least a value.

    Args:
        recall: that value, 0 to 1.
        num_thresholds: how many thresholds are tried.
        class_id: the class that alone counts.
        name: name in the logs.
        dtype: dtype of the computation.
    """

    _argument = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def result(self) -> Any:
        """The precision."""
        return self._best(self._sensitivity(), self._precision())


class RecallAtPrecision(OperatingPoint):
    """The best recall at which the precision is at least a value.

    Args:
        precision: that value, 0 to 1.
        num_thresholds: how many thresholds are tried.
        class_id: the class that alone counts.
        name: name in the logs.
        dtype: dtype of the computation.
    """

    _argument = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def result(self) -> Any:
        """The recall."""
        return self._best(self._precision(), self._sensitivity())
