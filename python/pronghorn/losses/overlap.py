"""Loss functions of masks that should overlap (segmentation)."""

from __future__ import annotations

from typing import Any

from pronghorn import config, ops
from pronghorn.losses.function_loss import checks_targets
from pronghorn.losses.loss import to_dtype
from pronghorn.losses.targets import check_broadcast


@checks_targets(check_broadcast)
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """One minus the Dice coefficient: `1 - 2 * sum(t * p) / (sum(t) + sum(p))`.

    Args:
        y_true: Target masks.
        y_pred: Predicted masks of the same shape.
        axis: Axes of the sums, all by default.

    Returns:
        Losses without those axes.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = to_dtype(y_true, y_pred.dtype)
    both = ops.sum(y_true * y_pred, axis=axis)
    total = ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis)
    return 1.0 - 2.0 * both / (total + config.epsilon())


@checks_targets(check_broadcast)
def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Any:
    """One minus the Tversky index. Source: Salehi et al., 2017.

    Args:
        y_true: Target masks.
        y_pred: Predicted masks of the same shape.
        alpha: Weight of what is in the target only (false negatives), as Keras computes it.
        beta: Weight of what is in the prediction only (false positives).
        axis: Axes of the sums, all by default.

    Returns:
        Losses without those axes.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = to_dtype(y_true, y_pred.dtype)
    both = ops.sum(y_true * y_pred, axis=axis)
    false_positives = ops.sum((1.0 - y_true) * y_pred, axis=axis)
    false_negatives = ops.sum(y_true * (1.0 - y_pred), axis=axis)
    weighted = both + alpha * false_negatives + beta * false_positives
    return 1.0 - both / (weighted + config.epsilon())
