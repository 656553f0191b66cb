"""Focal crossentropies: less weight on samples that are easy. Source: Lin et al., 2018."""

from __future__ import annotations

from typing import Any

from pronghorn import config, ops
from pronghorn.losses.function_loss import checks_targets
from pronghorn.losses.loss import to_dtype
from pronghorn.losses.targets import check_same_shape


@checks_targets(check_same_shape)
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Mean over an axis of binary crossentropy times `(1 - p_true) ** gamma`.

    Args:
        y_true: Targets between 0 and 1, `(batch, ..., n)`.
        y_pred: Predictions of the same shape.
        apply_class_balancing: Whether to weight classes 1 and 0 by `alpha` and `1 - alpha`.
        alpha: Weight of class 1.
        gamma: Exponent of the weight of a sample.
        from_logits: Whether predictions are numbers before sigmoid.
        label_smoothing: Part of the target that is replaced by 0.5, in [0, 1].
        axis: Axis of the mean.

    Returns:
        Losses without that axis.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = to_dtype(y_true, y_pred.dtype)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    losses = ops.binary_crossentropy(y_true, y_pred, from_logits=False)
    p_true = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    losses = ops.power(1.0 - p_true, gamma) * losses
    if apply_class_balancing:
        losses = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * losses
    return ops.mean(losses, axis=axis)


@checks_targets(check_same_shape)
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Sum over the classes of crossentropy times `alpha * (1 - p) ** gamma`.

    Args:
        y_true: One-hot targets `(batch, ..., classes)`.
        y_pred: Predictions of the same shape.
        alpha: Factor, one for all classes or one each.
        gamma: Exponent of the weight of a sample.
        from_logits: Whether predictions are numbers before softmax.
        label_smoothing: Part of the target that is spread over all classes, in [0, 1].
        axis: Axis of the classes.

    Returns:
        Losses without the axis of the classes.
    """
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise ValueError(
            f"categorical_focal_crossentropy: axis must be an integer. Received: axis={axis}."
        )
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = to_dtype(y_true, y_pred.dtype)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            "categorical_focal_crossentropy: y_true and y_pred must have the same shape. Received: "
            f"y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}"
        )
    if label_smoothing:
        classes = float(y_pred.shape[axis])
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / classes
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    p = y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
    p = ops.clip(p, config.epsilon(), 1.0 - config.epsilon())
    weights = ops.power(1.0 - p, gamma) * alpha
    return ops.sum(weights * (-y_true * ops.log(p)), axis=axis)
