"""F-beta and F1 scores."""

from __future__ import annotations

from typing import Any

from pronghorn import config, ops
from pronghorn.metrics.metric import Metric
from pronghorn.variable import Variable

_AVERAGES = (None, "micro", "macro", "weighted")


class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall, for each class or averaged.

    Args:
        average: `None` for a value of each class, "micro" (over all), "macro" (mean) or "weighted"
            (by support).
        beta: how much more recall counts than precision.
        threshold: outputs above it are positive; `None` takes the largest output of a row.
        name: name in the logs.
        dtype: dtype of the computation.

    Raises:
        ValueError: an argument out of range, or data that is not `(samples, classes)`.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.FBetaScore(beta=2.0, threshold=0.5)
        >>> m.update_state([[1, 1], [1, 0], [0, 1]], [[0.9, 0.7], [0.2, 0.1], [0.1, 0.8]])
        >>> [round(float(v), 3) for v in m.result()]
        [0.556, 1.0]
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if average not in _AVERAGES:
            raise ValueError(
                f"Invalid `average` argument value. Expected one of: "
                "{None, 'micro', 'macro', 'weighted'}. "
                f"Received: average={average}"
            )
        if not isinstance(beta, float):
            raise ValueError(
                f"Invalid `beta` argument value. It should be a Python float. Received: "
                f"beta={beta} "
                f"of type '{type(beta)}'"
            )
        if beta <= 0.0:
            raise ValueError(
                f"Invalid `beta` argument value. It should be > 0. Received: beta={beta}"
            )
        if threshold is not None:
            if not isinstance(threshold, float):
                raise ValueError(
                    "Invalid `threshold` argument value. It should be a Python float. "
                    f"Received: threshold={threshold} of type '{type(threshold)}'"
                )
            if threshold > 1.0 or threshold <= 0.0:
                raise ValueError(
                    "Invalid `threshold` argument value. It should verify 0 < threshold <= 1. "
                    f"Received: threshold={threshold}"
                )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._built = False
        self.true_positives: Variable
        self.false_positives: Variable
        self.false_negatives: Variable
        self.intermediate_weights: Variable

    def _build(self, y_true_shape: tuple[Any, ...], y_pred_shape: tuple[Any, ...]) -> None:
        if len(y_pred_shape) != 2 or len(y_true_shape) != 2:
            raise ValueError(
                "FBetaScore expects 2D inputs with shape (batch_size, output_dim). Received input "
                f"shapes: y_pred.shape={y_pred_shape} and y_true.shape={y_true_shape}."
            )
        if y_pred_shape[-1] is None or y_true_shape[-1] is None:
            raise ValueError(
                "FBetaScore expects 2D inputs with shape (batch_size, output_dim), with "
                "output_dim fully "
                f"defined (not None). Received input shapes: y_pred.shape={y_pred_shape} and "
                f"y_true.shape={y_true_shape}."
            )
        shape = () if self.average == "micro" else (y_pred_shape[-1],)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", name="false_positives")
        self.false_negatives = self.add_variable(shape, "zeros", name="false_negatives")
        self.intermediate_weights = self.add_variable(shape, "zeros", name="intermediate_weights")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: targets, 0 or 1, `(samples, classes)`.
            y_pred: outputs of the same shape.
            sample_weight: weights `(samples,)`.
        """
        if not self._built:
            y_true = y_true if hasattr(y_true, "shape") else ops.convert_to_tensor(y_true)
            y_pred = y_pred if hasattr(y_pred, "shape") else ops.convert_to_tensor(y_pred)
            self._build(tuple(y_true.shape), tuple(y_pred.shape))
        y_true, y_pred = self._tensors(y_true, y_pred)
        if self.threshold is None:
            top = ops.max(y_pred, axis=-1, keepdims=True)
            # All outputs of 0 mean that no class is predicted.
            chosen = ops.logical_and(
                ops.greater_equal(y_pred, top), ops.greater(ops.abs(y_pred), 1e-9)
            )
        else:
            chosen = ops.greater(y_pred, self.threshold)
        y_pred = ops.cast(chosen, self.dtype)
        weight = None
        if sample_weight is not None:
            (weight,) = self._tensors(sample_weight)
            if weight.ndim == 1:
                weight = ops.expand_dims(weight, 1)

        def total(values: Any) -> Any:
            if weight is not None:
                values = ops.multiply(values, weight)
            return ops.sum(values) if self.average == "micro" else ops.sum(values, axis=0)

        self.true_positives.assign_add(total(ops.multiply(y_pred, y_true)))
        self.false_positives.assign_add(total(ops.multiply(y_pred, ops.subtract(1.0, y_true))))
        self.false_negatives.assign_add(total(ops.multiply(ops.subtract(1.0, y_pred), y_true)))
        self.intermediate_weights.assign_add(total(y_true))

    def result(self) -> Any:
        """The score, or one for each class."""
        if not self._built:
            return ops.convert_to_tensor(0.0)
        hits = self.true_positives.value
        precision = ops.divide_no_nan(hits, ops.add(hits, self.false_positives.value))
        recall = ops.divide_no_nan(hits, ops.add(hits, self.false_negatives.value))
        square = self.beta**2
        below = ops.add(ops.multiply(precision, square), recall)
        small = ops.cast(config.epsilon(), self.dtype)
        score = ops.divide(
            ops.multiply(ops.multiply(precision, recall), 1.0 + square), ops.add(below, small)
        )
        if self.average == "weighted":
            weights = self.intermediate_weights.value
            weights = ops.divide(weights, ops.add(ops.sum(weights), small))
            return ops.sum(ops.multiply(score, weights))
        return ops.mean(score) if self.average is not None else score

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {
            "name": self.name,
            "dtype": self._dtype_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall, for each class or averaged.

    Args:
        average: `None` for a value of each class, "micro" (over all), "macro" (mean) or "weighted"
            (by support).
        threshold: outputs above it are positive; `None` takes the largest output of a row.
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config = super().get_config()
        del config["beta"]
        return config
