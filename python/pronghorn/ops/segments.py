"""Reductions over segments: elements grouped by an id. And windows cut from sequences."""

from __future__ import annotations

import math

import numpy as np

from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_tensor,
    concrete,
    is_float,
    promote_to_float,
    scalar_like,
)
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor, convert_to_tensor


def _segments(
    name: str, data: TensorLike, segment_ids: TensorLike, num_segments: int | None
) -> tuple[Tensor, Tensor, int]:
    x, ids = as_tensor(data), as_tensor(as_tensor(segment_ids), "int32")
    if ids.ndim != 1:
        raise ValueError(
            "Argument `segment_ids` should be an 1-D vector, got shape: "
            f"{len(ids.shape)}. Consider either flatten input with segment_ids.reshape((-1)) "
            "and data.reshape((-1, ) + data.shape[len(segment_ids.shape):]) or vectorize with "
            "vmap."
        )
    if num_segments is None:
        values = concrete(ids, name, "segment_ids", decides_shape=True)
        num_segments = int(values.max()) + 1 if values.size else 0
    return x, ids, int(num_segments)


@op
def segment_sum(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Returns the sum of the elements of each segment.

    Args:
        data: a tensor.
        segment_ids: a vector with the segment of each element along the first dimension; elements
            with an id out of range are left out.
        num_segments: how many segments there are; by default one more than the largest id.
        sorted: whether the ids are in ascending order; it changes nothing here.

    Returns:
        A tensor whose first dimension is `num_segments`; 0 for empty segments.

    Example:

    >>> ops.segment_sum([1, 2, 3], [0, 0, 1]).numpy()
    array([3, 3], dtype=int32)
    """
    del sorted
    x, ids, n = _segments("segment_sum", data, segment_ids, num_segments)
    if x.dtype == "bool":
        x = as_tensor(x, "int32")
    # negative indices would count from the end; those outside are left out
    ids = apply("where", apply("less", ids, scalar_like(0, ids)), scalar_like(n, ids), ids)
    start = apply("broadcast_to", scalar_like(0, x), shape=[n, *x.shape[1:]])
    return apply("scatter_add", start, ids, x, axis=0)


def _masked_reduce(reduce: str, x: Tensor, ids: Tensor, n: int, neutral: Tensor) -> Tensor:
    member = apply("one_hot", ids, depth=n, dtype="bool")
    member = apply("reshape", member, shape=[*member.shape, *[1] * (x.ndim - 1)])
    rows = apply("reshape", x, shape=[x.shape[0], 1, *x.shape[1:]])
    return apply(reduce, apply("where", member, rows, neutral), axes=[0], keepdims=False)


@op
def segment_prod(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Returns the product of the elements of each segment.

    Args:
        data: a tensor.
        segment_ids: see `segment_sum`.
        num_segments: how many segments there are; by default one more than the largest id.
        sorted: whether the ids are in ascending order; it changes nothing here.

    Returns:
        A tensor whose first dimension is `num_segments`; 1 for empty segments.

    Example:

    >>> ops.segment_prod([1, 2, 3], [0, 0, 1]).numpy()
    array([2, 3], dtype=int32)
    """
    del sorted
    x, ids, n = _segments("segment_prod", data, segment_ids, num_segments)
    return _masked_reduce("reduce_prod", x, ids, n, scalar_like(1, x))


def _lowest(x: Tensor, sign: int) -> Tensor:
    """Returns what no element of the dtype exceeds (sign -1: falls below)."""
    if is_float(x):
        return scalar_like(sign * math.inf, x)
    bits = int(x.dtype.lstrip("uint"))
    if x.dtype.startswith("u"):
        return scalar_like(0 if sign < 0 else 2**bits - 1, x)
    return scalar_like(-(2 ** (bits - 1)) if sign < 0 else 2 ** (bits - 1) - 1, x)


@op
def segment_max(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Returns the largest element of each segment.

    Args:
        data: a tensor.
        segment_ids: see `segment_sum`.
        num_segments: how many segments there are; by default one more than the largest id.
        sorted: whether the ids are in ascending order; it changes nothing here.

    Returns:
        A tensor whose first dimension is `num_segments`; minus infinity (or the smallest integer)
        for empty segments.

    Example:

    >>> ops.segment_max([1, 2, 3], [0, 0, 1]).numpy()
    array([2, 3], dtype=int32)
    """
    del sorted
    x, ids, n = _segments("segment_max", data, segment_ids, num_segments)
    return _masked_reduce("reduce_max", x, ids, n, _lowest(x, -1))


@op
def segment_min(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Returns the smallest element of each segment.

    Args:
        data: a tensor.
        segment_ids: see `segment_sum`.
        num_segments: how many segments there are; by default one more than the largest id.
        sorted: whether the ids are in ascending order; it changes nothing here.

    Returns:
        A tensor whose first dimension is `num_segments`; infinity (or the largest integer) for
        empty segments.

    Example:

    >>> ops.segment_min([1, 2, 3], [0, 0, 1]).numpy()
    array([1, 3], dtype=int32)
    """
    del sorted
    x, ids, n = _segments("segment_min", data, segment_ids, num_segments)
    return _masked_reduce("reduce_min", x, ids, n, _lowest(x, 1))


@op
def extract_sequences(x: TensorLike, sequence_length: int, sequence_stride: int) -> Tensor:
    """Returns the windows of a length along the last dimension.

    Args:
        x: a tensor of shape `(..., time)`.
        sequence_length: the length of a window.
        sequence_stride: the distance between beginnings of windows.

    Returns:
        A tensor of shape `(..., windows, sequence_length)`.

    Raises:
        ValueError: if a window does not fit.

    Example:

    >>> ops.extract_sequences([1, 2, 3, 4], 2, 2).numpy()
    array([[1, 2],
           [3, 4]], dtype=int32)
    """
    x = as_tensor(x)
    if x.ndim == 0 or sequence_length > x.shape[-1] or sequence_stride < 1:
        raise ValueError(
            "extract_sequences: a window must fit into the last dimension. "
            f"Received: x.shape={x.shape}, sequence_length={sequence_length}, "
            f"sequence_stride={sequence_stride}."
        )
    first = np.arange(0, x.shape[-1] - sequence_length + 1, sequence_stride, dtype=np.int32)
    places = first[:, None] + np.arange(sequence_length, dtype=np.int32)
    return apply("gather", x, convert_to_tensor(places), axis=x.ndim - 1)


@op
def cdist(x: TensorLike, y: TensorLike) -> Tensor:
    """Returns the Euclidean distances between the rows of two matrices (or stacks of them).

    Args:
        x: shape `(..., m, d)`.
        y: shape `(..., n, d)`.

    Returns:
        A float tensor of shape `(..., m, n)`.

    Example:

    >>> ops.cdist([[0.0, 0.0]], [[3.0, 4.0]]).numpy()
    array([[5.]], dtype=float32)
    """
    a, b = promote_to_float(x, y)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise ValueError(
            "cdist: expected (..., m, d) and (..., n, d). "
            f"Received: x.shape={a.shape}, y.shape={b.shape}."
        )
    left = apply("reshape", a, shape=[*a.shape[:-1], 1, a.shape[-1]])
    right = apply("reshape", b, shape=[*b.shape[:-2], 1, *b.shape[-2:]])
    gap = apply("square", apply("subtract", left, right))
    return apply("sqrt", apply("reduce_sum", gap, axes=[gap.ndim - 1], keepdims=False))
