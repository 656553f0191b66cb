"""Loss functions of distributions."""

from __future__ import annotations

from typing import Any

from pronghorn import config, ops
from pronghorn.losses.function_loss import checks_targets
from pronghorn.losses.regression import as_tensors
from pronghorn.losses.targets import check_broadcast, check_same_shape


@checks_targets(check_same_shape)
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Kullback-Leibler divergence: sum over the last axis of `y_true * log(y_true / y_pred)`.

    Args:
        y_true: Target distributions `(batch, ..., n)`.
        y_pred: Predicted distributions of the same shape. Both are clipped to [epsilon, 1].

    Returns:
        Losses `(batch, ...)`.
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    y_true = ops.clip(y_true, config.epsilon(), 1.0)
    y_pred = ops.clip(y_pred, config.epsilon(), 1.0)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


@checks_targets(check_broadcast)
def poisson(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of `y_pred - y_true * log(y_pred)`.

    Args:
        y_true: Counts `(batch, ..., n)`.
        y_pred: Predicted rates of the same shape.

    Returns:
        Losses `(batch, ...)`.
    """
    y_true, y_pred = as_tensors(y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + config.epsilon()), axis=-1)
