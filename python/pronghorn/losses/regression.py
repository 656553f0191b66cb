"""Loss functions of regression: one value per element, averaged over the last axis."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import config, ops
from pronghorn.losses.function_loss import checks_targets
from pronghorn.losses.loss import squeeze_or_expand_to_same_rank, to_dtype
from pronghorn.losses.targets import check_broadcast


def as_tensors(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Returns both as tensors of equal rank and of the dtype of `y_pred`."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = to_dtype(y_true, y_pred.dtype)
    return squeeze_or_expand_to_same_rank(y_true, y_pred)


@checks_targets(check_broadcast)
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of `(y_true - y_pred) ** 2`.

    Args:
        y_true: Targets `(batch, ..., n)`.
        y_pred: Predictions of the same shape.

    Returns:
        Losses `(batch, ...)`.

    Example:

    >>> import pronghorn as keras
    >>> keras.losses.mean_squared_error([[0.0, 1.0]], [[0.0, 0.0]]).numpy().tolist()
    [0.5]
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@checks_targets(check_broadcast)
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of `abs(y_true - y_pred)`.

    Args:
        y_true: Targets `(batch, ..., n)`.
        y_pred: Predictions of the same shape.

    Returns:
        Losses `(batch, ...)`.
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    return ops.mean(ops.absolute(y_true - y_pred), axis=-1)


@checks_targets(check_broadcast)
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of `100 * abs((y_true - y_pred) / y_true)`.

    Args:
        y_true: Targets `(batch, ..., n)`; magnitudes below epsilon count as epsilon.
        y_pred: Predictions of the same shape.

    Returns:
        Losses `(batch, ...)`.
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    scale = ops.maximum(ops.absolute(y_true), config.epsilon())
    return 100.0 * ops.mean(ops.absolute((y_true - y_pred) / scale), axis=-1)


@checks_targets(check_broadcast)
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of `(log(y_true + 1) - log(y_pred + 1)) ** 2`.

    Args:
        y_true: Targets `(batch, ..., n)`; values below epsilon count as epsilon.
        y_pred: Predictions of the same shape.

    Returns:
        Losses `(batch, ...)`.
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    first = ops.log(ops.maximum(y_pred, config.epsilon()) + 1.0)
    second = ops.log(ops.maximum(y_true, config.epsilon()) + 1.0)
    return ops.mean(ops.square(first - second), axis=-1)


@checks_targets(check_broadcast)
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine between targets and predictions: -1 for equal directions.

    Args:
        y_true: Targets.
        y_pred: Predictions of the same shape.
        axis: Axis of the vectors.

    Returns:
        Losses without that axis.
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    return -ops.sum(ops.normalize(y_true, axis=axis) * ops.normalize(y_pred, axis=axis), axis=axis)


@checks_targets(check_broadcast)
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Mean over the last axis of `error ** 2 / 2`, linear beyond `delta`. Source: Huber, 1964.

    Args:
        y_true: Targets `(batch, ..., n)`.
        y_pred: Predictions of the same shape.
        delta: Error at which the loss becomes linear.

    Returns:
        Losses `(batch, ...)`.
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    error = ops.absolute(y_true - y_pred)
    linear = delta * error - 0.5 * delta * delta
    return ops.mean(ops.where(error <= delta, 0.5 * ops.square(error), linear), axis=-1)


@checks_targets(check_broadcast)
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of `log(cosh(y_pred - y_true))`, computed without overflow.

    Args:
        y_true: Targets `(batch, ..., n)`.
        y_pred: Predictions of the same shape.

    Returns:
        Losses `(batch, ...)`.
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    error = y_pred - y_true
    return ops.mean(error + ops.softplus(-2.0 * error) - math.log(2.0), axis=-1)
