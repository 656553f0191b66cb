"""Blocks and single slices of a tensor, read and written at indices: slice, scatter."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn.ops.arguments import TensorLike, apply, as_tensor, static_shape
from pronghorn.ops.indexing import as_indices
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor


@op
def slice(inputs: TensorLike, start_indices: Any, shape: Any) -> Tensor:
    """Returns a block of a tensor.

    Args:
        inputs: a tensor.
        start_indices: where the block begins in each dimension; may be a tensor.
        shape: the shape of the block; -1 takes what is left, for known beginnings.

    Returns:
        A tensor of that shape. As in Keras, a block that would reach over the end is moved back.

    Raises:
        ValueError: if the block is larger than the tensor.

    Example:

    >>> ops.slice([1, 2, 3, 4], [1], [2]).numpy()
    array([2, 3], dtype=int32)
    """
    x = as_tensor(inputs)
    starts, known = _starts(start_indices, x, "slice")
    sizes = static_shape(shape, "slice")
    if known is not None:
        sizes = [n - b if s == -1 else s for s, b, n in zip(sizes, known, x.shape)]
    if len(sizes) != x.ndim or any(s > n or s < 0 for s, n in zip(sizes, x.shape)):
        raise ValueError(
            "slice: the block must fit into the tensor. "
            f"Received: inputs.shape={x.shape}, shape={shape}."
        )
    if known is not None:
        begin = [min(b, n - s) for b, n, s in zip(known, x.shape, sizes)]
        end = [b + s for b, s in zip(begin, sizes)]
        return apply("slice", x, begin=begin, end=end, strides=[1] * x.ndim)
    return apply("dynamic_slice", x, starts, sizes=sizes)


def _starts(start_indices: Any, x: Tensor, name: str) -> tuple[Tensor, list[int] | None]:
    """Returns block beginnings as an int32 tensor and, if they are known, as ints from 0 on."""
    if isinstance(start_indices, (list, tuple)) and any(
        isinstance(s, Tensor) for s in start_indices
    ):
        parts = [
            apply("reshape", as_tensor(as_tensor(s), "int32"), shape=[1]) for s in start_indices
        ]
        starts = apply("concatenate", *parts, axis=0) if len(parts) > 1 else parts[0]
    else:
        starts = as_tensor(as_tensor(start_indices), "int32")
    if starts.ndim == 0:
        starts = apply("reshape", starts, shape=[1])
    if tuple(starts.shape) != (x.ndim,):
        raise ValueError(
            f"{name}: expected one start index for each dimension. "
            f"Received: inputs.shape={x.shape}, start_indices={start_indices}."
        )
    if starts.is_symbolic:
        return starts, None
    values = [int(v) for v in np.asarray(starts.numpy())]
    return starts, [max(v + n if v < 0 else v, 0) for v, n in zip(values, x.shape)]


@op
def slice_update(inputs: TensorLike, start_indices: Any, updates: TensorLike) -> Tensor:
    """Returns a tensor with a block replaced.

    Args:
        inputs: a tensor.
        start_indices: where the block begins in each dimension; may be a tensor.
        updates: the new block.

    Returns:
        A tensor of the shape of `inputs`.

    Raises:
        ValueError: if the block is larger than the tensor.

    Example:

    >>> ops.slice_update([1, 2, 3], [1], [9]).numpy()
    array([1, 9, 3], dtype=int32)
    """
    x = as_tensor(inputs)
    starts, _ = _starts(start_indices, x, "slice_update")
    block = as_tensor(as_tensor(updates), x.dtype)
    if block.ndim != x.ndim or any(s > n for s, n in zip(block.shape, x.shape)):
        raise ValueError(
            "slice_update: the block must fit into the tensor. "
            f"Received: inputs.shape={x.shape}, updates.shape={block.shape}."
        )
    return apply("dynamic_update_slice", x, block, starts)


@op
def scatter(indices: TensorLike, values: TensorLike, shape: Any) -> Tensor:
    """Returns zeros of a shape with values added at indices.

    Args:
        indices: integers of shape `(..., k)`: coordinates in the first k dimensions.
        values: a tensor of shape `(...) + shape[k:]`.
        shape: the shape of the result.

    Returns:
        A tensor of that shape; values at equal indices are summed.

    Example:

    >>> ops.scatter([[0], [2]], [1.0, 2.0], (3,)).numpy()
    array([1., 0., 2.], dtype=float32)
    """
    places = as_indices(indices, "scatter")
    updates = as_tensor(values)
    sizes = static_shape(shape, "scatter")
    zeros = apply("broadcast_to", as_tensor(0, updates.dtype), shape=sizes)
    return apply("scatter_nd_add", zeros, places, updates)


@op
def scatter_update(
    inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None
) -> Tensor:
    """Returns a tensor with elements replaced at indices, or combined with new ones.

    Args:
        inputs: a tensor.
        indices: integers of shape `(..., k)`: coordinates in the first k dimensions.
        updates: a tensor of shape `(...) + inputs.shape[k:]`.
        reduction: `None` to replace, or `"add"`, `"max"`, `"min"` or `"mul"` to combine with
            what is there.

    Returns:
        A tensor of the shape of `inputs`.

    Raises:
        ValueError: for any other reduction.

    Example:

    >>> ops.scatter_update([1, 2, 3], [[1]], [9]).numpy()
    array([1, 9, 3], dtype=int32)
    """
    if reduction not in (None, "add", "max", "min", "mul"):
        raise ValueError(
            "scatter_update: `reduction` must be None, 'add', 'max', 'min' or 'mul'. "
            f"Received: reduction={reduction!r}."
        )
    x = as_tensor(inputs)
    places = as_indices(indices, "scatter_update")
    new = as_tensor(as_tensor(updates), x.dtype)
    if reduction is None:
        return apply("scatter_nd_update", x, places, new)
    if reduction == "add":
        return apply("scatter_nd_add", x, places, new)
    # One update after the other: their number is known and indices may be equal.
    k = places.shape[-1]
    count = math.prod(places.shape[:-1])
    rows = apply("reshape", places, shape=[count, k])
    blocks = apply("reshape", new, shape=[count, *x.shape[k:]])
    name = {"max": "maximum", "min": "minimum", "mul": "multiply"}[reduction]
    for i in range(count):
        row = apply("slice", rows, begin=[i, 0], end=[i + 1, k], strides=[1, 1])
        old = apply("gather_nd", x, row)
        block = apply(
            "slice",
            blocks,
            begin=[i] + [0] * (x.ndim - k),
            end=[i + 1, *x.shape[k:]],
            strides=[1] * (x.ndim - k + 1),
        )
        x = apply("scatter_nd_update", x, row, apply(name, old, block))
    return x
