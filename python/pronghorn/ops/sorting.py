"""Order: sort, argsort, top_k, search in sorted vectors, distinct elements."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    apply_many,
    as_tensor,
    concrete,
    is_float,
    normalize_axis,
    promote,
)
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor, convert_to_tensor


class TopK(NamedTuple):
    """The largest elements and where they are."""

    values: Tensor
    indices: Tensor


def _sortable(name: str, x: TensorLike, axis: int | None) -> tuple[Tensor, int]:
    x = as_tensor(x)
    if axis is None:
        return apply("reshape", x, shape=[math.prod(x.shape)]), 0
    if x.ndim == 0:
        return apply("reshape", x, shape=[1]), 0
    return x, normalize_axis(axis, x.ndim, name)


@op
def sort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """Returns the elements in ascending order along a dimension.

    Args:
        x: a tensor.
        axis: the dimension; `None` to take the tensor as a vector.

    Returns:
        A tensor.

    Example:

    >>> ops.sort([3, 1, 2]).numpy()
    array([1, 2, 3], dtype=int32)
    """
    x, axis = _sortable("sort", x, axis)
    if x.dtype == "bool":
        return as_tensor(apply("sort", as_tensor(x, "int32"), axis=axis), "bool")
    return apply("sort", x, axis=axis)


@op
def argsort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """Returns the indices that put the elements in ascending order along a dimension.

    Equal elements keep their order.

    Args:
        x: a tensor.
        axis: the dimension; `None` to take the tensor as a vector.

    Returns:
        An int32 tensor.

    Example:

    >>> ops.argsort([3, 1, 2]).numpy()
    array([1, 2, 0], dtype=int32)
    """
    was_scalar = as_tensor(x).ndim == 0
    x, axis = _sortable("argsort", x, axis)
    if x.dtype == "bool":
        x = as_tensor(x, "int32")
    found = apply("argsort", x, axis=axis)
    return apply("reshape", found, shape=[]) if was_scalar else found


@op
def argpartition(x: TensorLike, kth: int, axis: int | None = -1) -> Tensor:
    """Returns indices that put one element where it is in ascending order.

    Smaller elements come before it, larger ones after; here all are in order.

    Args:
        x: a tensor.
        kth: the place of that element.
        axis: the dimension; `None` to take the tensor as a vector.

    Returns:
        An int32 tensor.

    Raises:
        ValueError: if `kth` is out of range.

    Example:

    >>> ops.argpartition([3, 1, 2], 0).numpy()
    array([1, 2, 0], dtype=int32)
    """
    x, axis = _sortable("argpartition", x, axis)
    if isinstance(kth, bool) or not isinstance(kth, (int, np.integer)):
        raise ValueError(f"argpartition: `kth` must be an integer. Received: kth={kth}.")
    if not x.is_symbolic:
        normalize_axis(kth, x.shape[axis], "argpartition")
    return argsort(x, axis)


@op
def top_k(x: TensorLike, k: int, sorted: bool = True) -> TopK:
    """Returns the largest elements along the last dimension, in descending order.

    Args:
        x: a tensor of rank 1 at least.
        k: how many.
        sorted: whether order matters; they are always in order.

    Returns:
        The named tuple `(values, indices)`; of equal elements the first ones come first.

    Raises:
        ValueError: if there are fewer than `k` elements.

    Example:

    >>> ops.top_k([1, 3, 2], 2).values.numpy()
    array([3, 2], dtype=int32)
    """
    del sorted
    x = as_tensor(x)
    if x.ndim == 0 or not 0 <= k <= x.shape[-1]:
        raise ValueError(
            "top_k: `k` must be at most the size of the last dimension. "
            f"Received: x.shape={x.shape}, k={k}."
        )
    if x.dtype == "bool":
        values, indices = apply_many("top_k", as_tensor(x, "int32"), k=int(k))
        return TopK(as_tensor(values, "bool"), indices)
    values, indices = apply_many("top_k", x, k=int(k))
    return TopK(values, indices)


@op
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Tensor:
    """Returns whether the score of each target is among the `k` largest of its row.

    Args:
        targets: integers of shape `(batch,)`.
        predictions: scores of shape `(batch, classes)`.
        k: how many of the largest count; scores equal to the k-th do too.

    Returns:
        A bool tensor of shape `(batch,)`; false for targets out of range and scores that are not
        finite.

    Example:

    >>> ops.in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], 1).numpy()
    array([ True, False])
    """
    targets = as_tensor(as_tensor(targets), "int32")
    scores = as_tensor(predictions)
    classes = scores.shape[-1]
    places = apply("reshape", targets, shape=[*targets.shape, 1])
    zero = as_tensor(0, "int32")
    inside = apply(
        "logical_and",
        apply("greater_equal", targets, zero),
        apply("less", targets, as_tensor(classes, "int32")),
    )
    safe = apply("minimum", apply("maximum", places, zero), as_tensor(classes - 1, "int32"))
    own = apply("take_along_axis", scores, safe, axis=scores.ndim - 1)
    larger = apply("greater", scores, own)
    count = apply("reduce_sum", as_tensor(larger, "int32"), axes=[scores.ndim - 1], keepdims=False)
    found = apply("logical_and", apply("less", count, as_tensor(k, "int32")), inside)
    if is_float(scores):
        flat = apply("reshape", apply("isfinite", own), shape=list(targets.shape))
        found = apply("logical_and", found, flat)
    return found


@op
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """Returns where values would be inserted into a vector in ascending order.

    Args:
        sorted_sequence: a vector in ascending order.
        values: a tensor.
        side: `"left"` for before equal elements, `"right"` for after them.

    Returns:
        An int32 tensor of the shape of `values`.

    Raises:
        ValueError: if `sorted_sequence` is not a vector, or for any other side.

    Example:

    >>> ops.searchsorted([1, 3, 5], [3]).numpy()
    array([1], dtype=int32)
    """
    if side not in ("left", "right"):
        raise ValueError(
            f"searchsorted: `side` must be 'left' or 'right'. Received: side={side!r}."
        )
    edges, x = promote(as_tensor(sorted_sequence), as_tensor(values))
    if edges.ndim != 1:
        raise ValueError(
            "`searchsorted` only supports 1-D sorted sequences. "
            f"Received: sorted_sequence.shape={edges.shape}."
        )
    column = apply("reshape", x, shape=[*x.shape, 1])
    before = apply("less" if side == "left" else "less_equal", edges, column)
    return apply("reduce_sum", as_tensor(before, "int32"), axes=[x.ndim], keepdims=False)


@op
def digitize(x: TensorLike, bins: TensorLike) -> Tensor:
    """Returns in which interval each element lies: how many edges are at most the element.

    Args:
        x: a tensor.
        bins: the edges in ascending order, a vector.

    Returns:
        An int32 tensor of the shape of `x`.

    Raises:
        ValueError: if `bins` is not a vector.

    Example:

    >>> ops.digitize([0.5, 1.5], [1.0, 2.0]).numpy()
    array([0, 1], dtype=int32)
    """
    edges = as_tensor(bins)
    if edges.ndim != 1:
        raise ValueError(f"`bins` must be a 1D array. Received: bins={bins}")
    return searchsorted(edges, x, side="right")


@op
def unique(
    x: TensorLike,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """Returns the distinct elements of a tensor in ascending order.

    Their number depends on the values: the argument cannot be traced.

    Args:
        x: a tensor.
        sorted: whether order matters; they are always in order.
        return_index: whether to return where each occurs first.
        return_inverse: whether to return for each element which distinct one it is.
        return_counts: whether to return how often each occurs.
        axis: a dimension whose slices are compared; by default single elements are.
        size: how many to return: the first ones, or more with `fill_value`.
        fill_value: what fills up to `size`; by default the smallest element.

    Returns:
        A tensor, or a tuple of it and the tensors asked for (int32).

    Example:

    >>> ops.unique([3, 1, 3]).numpy()
    array([1, 3], dtype=int32)
    """
    del sorted
    x = as_tensor(x)
    values = concrete(x, "unique", decides_shape=True)
    found, index, inverse, counts = np.unique(
        values,
        return_index=True,
        return_inverse=True,
        return_counts=True,
        axis=axis,
        equal_nan=False,
    )
    inverse = inverse.reshape(values.shape if axis is None else -1)
    if size is not None:
        along = axis or 0
        have = found.shape[along]
        keep = np.arange(min(have, size))
        found, index, counts = np.take(found, keep, along), index[keep], counts[keep]
        if size > have:
            more = [(0, 0)] * found.ndim
            more[along] = (0, size - have)
            fill = np.take(found, [0], along) if fill_value is None else fill_value
            block = np.broadcast_to(
                fill, [size - have if i == along else n for i, n in enumerate(found.shape)]
            )
            found = np.concatenate([found, block.astype(found.dtype)], along)
            index = np.pad(index, (0, size - have), constant_values=index[0] if have else 0)
            counts = np.pad(counts, (0, size - have))
    results = [convert_to_tensor(found, x.dtype)]
    for wanted, extra in (
        (return_index, index),
        (return_inverse, inverse),
        (return_counts, counts),
    ):
        if wanted:
            results.append(convert_to_tensor(extra.astype(np.int32)))
    return tuple(results) if len(results) > 1 else results[0]
