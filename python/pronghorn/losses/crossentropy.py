"""Loss functions of classification by crossentropy."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.losses.function_loss import checks_targets
from pronghorn.losses.loss import set_mask, squeeze_or_expand_to_same_rank, to_dtype
from pronghorn.losses.targets import check_labels, check_same_shape


def _check_shapes(name: str, y_true: Any, y_pred: Any) -> None:
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"{name}: Arguments `target` and `output` must have the same shape. Received: "
            f"target.shape={tuple(y_true.shape)}, output.shape={tuple(y_pred.shape)}"
        )


def _check_smoothing(name: str, label_smoothing: Any) -> None:
    if isinstance(label_smoothing, (int, float)) and not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(
            f"{name}: label_smoothing must be in [0, 1]. "
            f"Received: label_smoothing={label_smoothing}."
        )


def _is_zero(label_smoothing: Any) -> bool:
    return isinstance(label_smoothing, (int, float)) and label_smoothing == 0


@checks_targets(check_same_shape)
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Crossentropy between one-hot targets and predicted probabilities: `-sum(t * log(p))`.

    Args:
        y_true: Targets `(batch, ..., classes)` that sum to 1.
        y_pred: Predictions of the same shape.
        from_logits: Whether predictions are numbers before softmax.
        label_smoothing: Part of the target that is spread over all classes, in [0, 1].
        axis: Axis of the classes.

    Returns:
        Losses without the axis of the classes.

    Raises:
        ValueError: If the shapes differ.

    Example:

    >>> import pronghorn as keras
    >>> p = [[0.25, 0.5, 0.25]]
    >>> keras.losses.categorical_crossentropy([[0, 1, 0]], p).numpy().round(4)
    array([0.6931], dtype=float32)
    """
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise ValueError(
            f"categorical_crossentropy: axis must be an integer. Received: axis={axis}."
        )
    _check_smoothing("categorical_crossentropy", label_smoothing)
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = to_dtype(y_true, y_pred.dtype)
    _check_shapes("categorical_crossentropy", y_true, y_pred)
    if not _is_zero(label_smoothing):
        classes = float(y_pred.shape[axis])
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / classes
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


@checks_targets(check_labels, labels=True)
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any:
    """Crossentropy between integer labels and predicted probabilities: `-log(p[label])`.

    Args:
        y_true: Labels `(batch, ...)`, integers from 0 on; `(batch, ..., 1)` too.
        y_pred: Predictions `(batch, ..., classes)`.
        from_logits: Whether predictions are numbers before softmax.
        ignore_class: Label whose losses are 0; they do not count in means.
        axis: Axis of the classes.

    Returns:
        Losses `(batch, ...)`.

    Raises:
        ValueError: If the shapes do not go together.

    Example:

    >>> import pronghorn as keras
    >>> p = [[0.25, 0.5, 0.25]]
    >>> keras.losses.sparse_categorical_crossentropy([1], p).numpy().round(4)
    array([0.6931], dtype=float32)
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape) and len(y_true.shape) > 0 and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(
            y_true, y_pred, from_logits=from_logits, axis=axis
        )
    valid = ops.not_equal(y_true, ops.cast(ops.convert_to_tensor(ignore_class), y_true.dtype))
    labels = ops.where(valid, y_true, ops.zeros_like(y_true))
    losses = ops.sparse_categorical_crossentropy(labels, y_pred, from_logits=from_logits, axis=axis)
    losses = ops.where(valid, losses, ops.zeros_like(losses))
    set_mask(losses, valid)
    return losses


@checks_targets(check_same_shape)
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Mean over an axis of `-t * log(p) - (1 - t) * log(1 - p)`.

    Args:
        y_true: Targets between 0 and 1, `(batch, ..., n)`.
        y_pred: Predictions of the same shape.
        from_logits: Whether predictions are numbers before sigmoid.
        label_smoothing: Part of the target that is replaced by 0.5, in [0, 1].
        axis: Axis of the mean.

    Returns:
        Losses without that axis.

    Raises:
        ValueError: If the shapes differ.

    Example:

    >>> import pronghorn as keras
    >>> keras.losses.binary_crossentropy([[1.0]], [[0.5]]).numpy().round(4)
    array([0.6931], dtype=float32)
    """
    _check_smoothing("binary_crossentropy", label_smoothing)
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = to_dtype(y_true, y_pred.dtype)
    if not _is_zero(label_smoothing):
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    _check_shapes("binary_crossentropy", y_true, y_pred)
    losses = ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits)
    return ops.mean(losses, axis=axis)


@checks_targets(check_labels, labels=True)
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """Generalized crossentropy `(1 - p[label] ** q) / q`, robust to wrong labels.

    Source: Zhang and Sabuncu, 2018.

    Args:
        y_true: Labels `(batch, ...)`, integers from 0 on.
        y_pred: Probabilities `(batch, ..., classes)`.
        q: Between 0 (crossentropy) and 1 (absolute error).

    Returns:
        Losses `(batch, ...)`.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = to_dtype(y_true, "int32")
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true, _ = squeeze_or_expand_to_same_rank(y_true, y_pred[..., 0], expand_rank_1=False)
    one_hot = ops.one_hot(y_true, y_pred.shape[-1], dtype=y_pred.dtype)
    _check_shapes("categorical_generalized_cross_entropy", one_hot, y_pred)
    p = ops.sum(y_pred * one_hot, axis=-1)
    return (1.0 - ops.power(p, q)) / q
