"""Counts of true and false positives and negatives at thresholds; the base of the confusion "
"metrics."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import ops
from pronghorn.losses import squeeze_or_expand_to_same_rank
from pronghorn.tensor import Tensor

_MINUS_INFINITY = -1e10


def thresholds_list(thresholds: Any, default: float = 0.5) -> list[float]:
    """The thresholds as a list of floats.

    Raises:
        ValueError: one is not between 0 and 1.
    """
    if thresholds is None:
        thresholds = [default]
    values = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    wrong = [t for t in values if t is None or t < 0 or t > 1]
    if wrong:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {wrong}")
    return [float(t) for t in values]


def evenly_spaced(thresholds: list[float]) -> bool:
    """Whether thresholds are 0 to 1 in equal steps (the ends may be moved by an epsilon)."""
    # An output of exactly 0 is above the first threshold, so that one must be below 0.
    if len(thresholds) < 3 or thresholds[0] >= 0:
        return False
    return bool(np.allclose(thresholds, np.linspace(0, 1, len(thresholds)), atol=1e-6))


class Counts:
    """Sums of weights `(thresholds,)`, or `(thresholds, labels)`, of the four cells of the "
    "confusion table."""

    def __init__(self, tp: Tensor, fp: Tensor, tn: Tensor, fn: Tensor) -> None:
        self.tp, self.fp, self.tn, self.fn = tp, fp, tn, fn


def count(
    y_true: Any,
    y_pred: Any,
    thresholds: list[float],
    dtype: str,
    sample_weight: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
    multi_label: bool = False,
    label_weights: Any = None,
    name: str = "metric",
) -> Counts:
    """The counts of one batch.

    Args:
        y_true: targets, 0 or 1, `(samples, ...)`.
        y_pred: probabilities of the same shape; above a threshold is positive.
        thresholds: the thresholds.
        dtype: dtype of the counts.
        sample_weight: weights that broadcast to the targets.
        top_k: only the `top_k` largest outputs of a row can be positive.
        class_id: column that alone counts.
        multi_label: whether the columns are counted apart.
        label_weights: weights of the columns.
        name: the metric's name, for errors.
    """
    y_true, y_pred = (ops.cast(ops.convert_to_tensor(v), dtype) for v in (y_true, y_pred))
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"{name}: y_true and y_pred must have the same shape. "
            f"Received: y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}."
        )
    if top_k is not None:
        y_pred = _only_top(y_pred, top_k)
    weight = None
    if sample_weight is not None:
        weight = ops.cast(ops.convert_to_tensor(sample_weight), dtype)
        if 0 < weight.ndim < y_true.ndim:
            weight = ops.reshape(weight, (*weight.shape, *[1] * (y_true.ndim - weight.ndim)))
        weight = ops.broadcast_to(weight, y_true.shape)
    if label_weights is not None:
        label_weight = ops.broadcast_to(ops.cast(label_weights, dtype), y_true.shape)
        weight = label_weight if weight is None else ops.multiply(weight, label_weight)
    if class_id is not None:
        if y_pred.ndim < 2:
            raise ValueError(
                f"{name}: When class_id is provided, y_pred must be a 2D array with shape "
                f"(num_samples, num_classes), found shape: {tuple(y_pred.shape)}."
            )
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
        weight = None if weight is None else weight[..., class_id]
    labels = y_true.shape[-1] if multi_label and y_true.ndim > 1 else 1
    shape = (-1, labels)
    y_true, y_pred = ops.reshape(y_true, shape), ops.reshape(y_pred, shape)
    weight = ops.ones_like(y_true) if weight is None else ops.reshape(weight, shape)
    positive = ops.cast(ops.not_equal(y_true, 0), dtype)
    positive = ops.multiply(positive, weight)
    negative = ops.subtract(weight, positive)
    # A small table of comparisons is cheaper than sorting outputs into buckets.
    if evenly_spaced(thresholds) and len(thresholds) * y_true.size > 4096:
        tp, fp = (_above_buckets(y_pred, part, len(thresholds)) for part in (positive, negative))
    else:
        tp, fp = (_above(y_pred, part, thresholds) for part in (positive, negative))
    all_positive, all_negative = ops.sum(positive, axis=0), ops.sum(negative, axis=0)
    fn, tn = ops.subtract(all_positive, tp), ops.subtract(all_negative, fp)
    if not multi_label:
        tp, fp, tn, fn = (ops.reshape(part, (-1,)) for part in (tp, fp, tn, fn))
    return Counts(tp, fp, tn, fn)


def _above(y_pred: Any, weight: Any, thresholds: list[float]) -> Any:
    # (thresholds, samples, labels) -> (thresholds, labels)
    limits = ops.reshape(ops.cast(np.asarray(thresholds, "float32"), y_pred.dtype), (-1, 1, 1))
    above = ops.cast(ops.greater(ops.expand_dims(y_pred, 0), limits), weight.dtype)
    return ops.sum(ops.multiply(above, ops.expand_dims(weight, 0)), axis=1)


def _above_buckets(y_pred: Any, weight: Any, thresholds: int) -> Any:
    # Bucket b holds outputs in (b, b + 1] / (thresholds - 1): those are above thresholds 0..b.
    samples, labels = y_pred.shape
    place = ops.ceil(ops.multiply(ops.clip(y_pred, 0.0, 1.0), float(thresholds - 1)))
    bucket = ops.cast(ops.maximum(ops.subtract(place, 1.0), 0.0), "int32")
    column = np.arange(labels, dtype="int32") * thresholds
    flat = ops.reshape(ops.add(bucket, column), (samples * labels,))
    indices = ops.reshape(flat, (samples * labels, 1))
    values = ops.reshape(weight, (samples * labels,))
    sums = ops.scatter(indices, values, (thresholds * labels,))
    table = ops.transpose(ops.reshape(sums, (labels, thresholds)))
    return ops.flip(ops.cumsum(ops.flip(table, axis=0), axis=0), axis=0)


def _only_top(y_pred: Any, k: int) -> Any:
    _, indices = ops.top_k(y_pred, k)
    inside = ops.sum(ops.one_hot(indices, y_pred.shape[-1], dtype=y_pred.dtype), axis=-2)
    return ops.where(ops.greater(inside, 0), y_pred, ops.full_like(y_pred, _MINUS_INFINITY))
