"""Correlation and concordance of targets and outputs."""

from __future__ import annotations

from typing import Any

from pronghorn import config, ops
from pronghorn.losses import squeeze_or_expand_to_same_rank
from pronghorn.metrics.loss_metrics import LossMetric


def _moments(y_true: Any, y_pred: Any, axis: Any) -> tuple[Any, ...]:
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    mean_true = ops.mean(y_true, axis=axis, keepdims=True)
    mean_pred = ops.mean(y_pred, axis=axis, keepdims=True)
    return ops.subtract(y_true, mean_true), ops.subtract(y_pred, mean_pred), mean_true, mean_pred


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The Pearson correlation along an axis: 1 where outputs rise linearly with targets.

    Args:
        y_true: targets `(..., n)`.
        y_pred: outputs of the same shape.
        axis: the axis.

    Returns:
        Values from -1 to 1 `(...)`.
    """
    from_true, from_pred, _, _ = _moments(y_true, y_pred, axis)
    top = ops.sum(ops.multiply(from_true, from_pred), axis=axis)
    squares = ops.multiply(
        ops.sum(ops.square(from_true), axis=axis), ops.sum(ops.square(from_pred), axis=axis)
    )
    return ops.divide(top, ops.add(ops.sqrt(squares), config.epsilon()))


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Lin's concordance along an axis: 1 where outputs equal targets.

    Args:
        y_true: targets `(..., n)`.
        y_pred: outputs of the same shape.
        axis: the axis.

    Returns:
        Values from -1 to 1 `(...)`.
    """
    from_true, from_pred, mean_true, mean_pred = _moments(y_true, y_pred, axis)
    together = ops.mean(ops.multiply(from_true, from_pred), axis=axis)
    variances = ops.add(
        ops.mean(ops.square(from_true), axis=axis), ops.mean(ops.square(from_pred), axis=axis)
    )
    shift = ops.sum(ops.square(ops.subtract(mean_true, mean_pred)), axis=axis)
    below = ops.add(ops.add(variances, shift), config.epsilon())
    return ops.divide(ops.multiply(together, 2.0), below)


class PearsonCorrelation(LossMetric):
    """The mean Pearson correlation of targets and outputs.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
        axis: axis along which they are compared.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.PearsonCorrelation(axis=-1)
        >>> m.update_state([[0, 1, 0.5], [1, 1, 0.2]], [[0.1, 0.9, 0.5], [1, 0.9, 0.2]])
        >>> round(float(m.result()), 3)
        0.997
    """

    def __init__(
        self, name: str = "pearson_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis
        self._direction = "up"


class ConcordanceCorrelation(LossMetric):
    """The mean concordance of targets and outputs.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
        axis: axis along which they are compared.
    """

    def __init__(
        self, name: str = "concordance_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis
        self._direction = "up"
