"""Loss functions of margins."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.losses.function_loss import checks_targets
from pronghorn.losses.loss import to_dtype
from pronghorn.losses.targets import check_broadcast, check_same_shape


def _signs(y_true: Any) -> Any:
    """Returns targets as they are, or `2 * y_true - 1` if all of them are 0 or 1."""
    is_binary = ops.all(ops.logical_or(ops.equal(y_true, 0.0), ops.equal(y_true, 1.0)))
    return ops.where(is_binary, 2.0 * y_true - 1.0, y_true)


def _margins(y_true: Any, y_pred: Any) -> Any:
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = _signs(to_dtype(y_true, y_pred.dtype))
    return ops.maximum(1.0 - y_true * y_pred, 0.0)


@checks_targets(check_broadcast)
def hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of `max(1 - y_true * y_pred, 0)`.

    Args:
        y_true: Targets -1 or 1, `(batch, ..., n)`; 0 and 1 are converted.
        y_pred: Predictions of the same shape.

    Returns:
        Losses `(batch, ...)`.
    """
    return ops.mean(_margins(y_true, y_pred), axis=-1)


@checks_targets(check_broadcast)
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of `max(1 - y_true * y_pred, 0) ** 2`.

    Args:
        y_true: Targets -1 or 1, `(batch, ..., n)`; 0 and 1 are converted.
        y_pred: Predictions of the same shape.

    Returns:
        Losses `(batch, ...)`.
    """
    return ops.mean(ops.square(_margins(y_true, y_pred)), axis=-1)


@checks_targets(check_same_shape)
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """`max(wrong - right + 1, 0)`: the largest wrong score against the right one.

    Args:
        y_true: One-hot targets `(batch, ..., classes)`.
        y_pred: Scores of the same shape.

    Returns:
        Losses `(batch, ...)`.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = to_dtype(y_true, y_pred.dtype)
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(wrong - right + 1.0, 0.0)
