"""Elements by index or condition: take, where, diagonals, triangles, scatter and slice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_tensor,
    broadcast_shapes,
    concrete,
    is_float,
    normalize_axes,
    normalize_axis,
    promote,
    static_shape,
)
from pronghorn.ops.broadcasting import broadcasting_op
from pronghorn.ops.operation import op
from pronghorn.ops.symbolic import get_item as _get_item
from pronghorn.tensor import Tensor, convert_to_tensor


def as_indices(x: TensorLike, name: str) -> Tensor:
    """Returns an int32 (or int64) tensor of indices.

    Raises:
        TypeError: for floats.
    """
    x = as_tensor(x)
    if is_float(x) and 0 not in x.shape:  # [] is float32
        raise TypeError(f"{name}: indices must be integers. Received: dtype={x.dtype}.")
    return x if x.dtype in ("int32", "int64") else as_tensor(x, "int32")


def check_bounds(indices: Tensor, size: int, name: str) -> None:
    """Raises if indices whose values are known are not in [-size, size)."""
    if indices.is_symbolic or 0 in indices.shape:
        return
    values = np.asarray(indices.numpy())
    if values.min() < -size or values.max() >= size:
        raise IndexError(
            f"{name}: indices are out of range for a dimension of {size}. "
            f"Received: indices from {values.min()} to {values.max()}."
        )


@op
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Returns the slices of a tensor at given indices along a dimension.

    Args:
        x: a tensor.
        indices: integers; negative ones count from the end.
        axis: the dimension; by default the tensor is taken as a vector.

    Returns:
        A tensor in whose shape that of `indices` stands in the place of the dimension.

    Raises:
        IndexError: if an index is out of range and is known.

    Example:

    >>> ops.take([10, 20, 30], [2, 0]).numpy()
    array([30, 10], dtype=int32)
    """
    x = as_tensor(x)
    places = as_indices(indices, "take")
    if axis is None:
        x = apply("reshape", x, shape=[math.prod(x.shape)])
        axis = 0
    axis = normalize_axis(axis, x.ndim, "take")
    check_bounds(places, x.shape[axis], "take")
    return apply("gather", x, places, axis=axis)


def look_up(table: TensorLike, indices: TensorLike, owner: str) -> Tensor:
    """Returns rows of a table; indices outside are an error if they are data.

    Args:
        table: `(rows, ...)`.
        indices: integers of any shape.
        owner: who says so in the error.

    Raises:
        ValueError: naming an index outside and its position, before the program runs of which the
            indices are an input. Indices that a program computes give NaN outside.
    """
    return apply("gather", as_tensor(table), as_indices(indices, owner), axis=0, owner=owner)


def get_item(x: TensorLike, key: Any) -> Any:
    """Returns `x[key]`, as NumPy's indexing rules have it.

    Args:
        x: a tensor.
        key: an index, a slice, `None`, `...`, a tensor of indices, or a tuple of those.

    Returns:
        A tensor.

    Raises:
        IndexError: if a known index is out of range.

    Example:

    >>> ops.get_item(ops.arange(5), slice(1, 3)).numpy()
    array([1, 2], dtype=int32)
    """
    return _get_item(x, key)


@op
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Returns for each place the element that its index names along a dimension.

    Args:
        x: a tensor.
        indices: integers, of the same rank; other dimensions broadcast.
        axis: the dimension; by default both are taken as vectors.

    Returns:
        A tensor of the shape of `indices`, broadcast along other dimensions.

    Raises:
        ValueError: if the ranks differ.
        IndexError: if an index is out of range and is known.

    Example:

    >>> ops.take_along_axis([[10, 20], [30, 40]], [[1], [0]], axis=1).numpy()
    array([[20],
           [30]], dtype=int32)
    """
    x = as_tensor(x)
    places = as_indices(indices, "take_along_axis")
    if axis is None:
        x = apply("reshape", x, shape=[math.prod(x.shape)])
        places = apply("reshape", places, shape=[math.prod(places.shape)])
        axis = 0
    if x.ndim != places.ndim:
        raise ValueError(
            "take_along_axis: `x` and `indices` must have the same rank. "
            f"Received: x.shape={x.shape}, indices.shape={places.shape}."
        )
    axis = normalize_axis(axis, x.ndim, "take_along_axis")
    check_bounds(places, x.shape[axis], "take_along_axis")
    others_x = [1 if i == axis else n for i, n in enumerate(x.shape)]
    others_i = [1 if i == axis else n for i, n in enumerate(places.shape)]
    shared = broadcast_shapes("take_along_axis", others_x, others_i)
    x = _spread(x, [x.shape[axis] if i == axis else n for i, n in enumerate(shared)])
    places = _spread(places, [places.shape[axis] if i == axis else n for i, n in enumerate(shared)])
    return apply("take_along_axis", x, places, axis=axis)


def _spread(x: Tensor, shape: list[int]) -> Tensor:
    return x if list(x.shape) == shape else apply("broadcast_to", x, shape=shape)


@broadcasting_op
def where(condition: TensorLike, x1: TensorLike = None, x2: TensorLike = None) -> Any:
    """Returns the elements of `x1` where a condition holds and those of `x2` elsewhere.

    With a condition alone, the indices where it holds are returned; those need known values.

    Args:
        condition: a tensor; elements other than 0 are true.
        x1: a tensor; its shape broadcasts with the others.
        x2: a tensor; its shape broadcasts with the others.

    Returns:
        A tensor of the broadcast shape, or a tuple of index tensors.

    Raises:
        ValueError: if only one of `x1` and `x2` is given.

    Example:

    >>> ops.where([True, False], [1, 2], [3, 4]).numpy()
    array([1, 4], dtype=int32)
    """
    if (x1 is None) != (x2 is None):
        raise ValueError(
            "`x1` and `x2` either both should be `None` or both should have non-None value."
        )
    if x1 is None:
        return nonzero(condition)
    a, b = promote(x1, x2)
    return apply("where", as_tensor(condition, "bool"), a, b)


@op
def nonzero(x: TensorLike) -> tuple[Tensor, ...]:
    """Returns the indices of the elements that are not 0, one tensor for each dimension.

    Their number depends on the values: the argument cannot be traced.

    Args:
        x: a tensor.

    Returns:
        A tuple of int32 vectors.

    Example:

    >>> [i.numpy().tolist() for i in ops.nonzero([0, 5, 6])]
    [[1, 2]]
    """
    values = concrete(x, "nonzero", decides_shape=True)
    return tuple(convert_to_tensor(i.astype(np.int32)) for i in np.nonzero(values))


@op
def select(
    condlist: Sequence[TensorLike], choicelist: Sequence[TensorLike], default: TensorLike = 0
) -> Tensor:
    """Returns for each place the element of the first choice whose condition holds.

    Args:
        condlist: bool tensors.
        choicelist: as many tensors.
        default: the element where no condition holds.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: if the numbers of conditions and choices differ.

    Example:

    >>> ops.select([[True, False]], [[1, 2]], 9).numpy()
    array([1, 9], dtype=int32)
    """
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
            "select: expected as many conditions as choices, one at least. "
            f"Received: {len(condlist)} conditions, {len(choicelist)} choices."
        )
    *choices, found = promote(*choicelist, default)
    for condition, choice in zip(reversed(condlist), reversed(choices)):
        found = apply("where", as_tensor(condition, "bool"), choice, found)
    return found


@op
def diag(x: TensorLike, k: int = 0) -> Tensor:
    """Returns a diagonal of a matrix, or the matrix that has a vector on a diagonal.

    Args:
        x: a tensor of rank 1 or 2.
        k: which diagonal; above the main one if positive.

    Returns:
        A vector or a matrix.

    Raises:
        ValueError: for any other rank.

    Example:

    >>> ops.diag([1, 2]).numpy()
    array([[1, 0],
           [0, 2]], dtype=int32)
    """
    x = as_tensor(x)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ValueError(f"`x` must be 1-D or 2-D. Received: x.shape={x.shape}.")
    (n,) = x.shape
    side = n + abs(k)
    # Written into a vector with a step of side + 1, that is one place further in every row.
    spread = apply("reshape", x, shape=[n, 1])
    spread = apply("pad", spread, low=[0, 0], high=[0, side], value=0.0)
    flat = apply("reshape", spread, shape=[n * (side + 1)])
    first = k if k > 0 else -k * side
    total = side * side
    used = min(n * (side + 1), total - first)
    flat = apply("slice", flat, begin=[0], end=[used], strides=[1])
    flat = apply("pad", flat, low=[first], high=[total - first - used], value=0.0)
    return apply("reshape", flat, shape=[side, side])


@op
def diagflat(x: TensorLike, k: int = 0) -> Tensor:
    """Returns the matrix that has the elements of a tensor on a diagonal.

    Args:
        x: a tensor, taken as a vector.
        k: which diagonal; above the main one if positive.

    Returns:
        A matrix.

    Example:

    >>> ops.diagflat([[1, 2]]).shape
    (2, 2)
    """
    x = as_tensor(x)
    return diag(apply("reshape", x, shape=[math.prod(x.shape)]), k)


@op
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Returns a diagonal of the matrices in two dimensions of a tensor.

    Args:
        x: a tensor of rank 2 at least.
        offset: which diagonal; above the main one if positive.
        axis1: the dimension of the rows.
        axis2: the dimension of the columns.

    Returns:
        A tensor of the other dimensions and, last, the diagonal.

    Raises:
        ValueError: if the rank is less than 2.

    Example:

    >>> ops.diagonal([[1, 2], [3, 4]]).numpy()
    array([1, 4], dtype=int32)
    """
    x = as_tensor(x)
    if x.ndim < 2:
        raise ValueError(
            f"`diagonal` requires an array of at least two dimensions. Received: x.shape={x.shape}."
        )
    i, j = normalize_axes([axis1, axis2], x.ndim, "diagonal")
    order = [d for d in range(x.ndim) if d not in (i, j)]
    x = apply("transpose", x, axes=[*order, i, j])
    rows, columns = x.shape[-2:]
    top, left = max(-offset, 0), max(offset, 0)
    n = max(min(rows - top, columns - left), 0)
    rest = list(x.shape[:-2])
    flat = apply("reshape", x, shape=[*rest, rows * columns])
    first = top * columns + left if n else 0
    last = first + (n - 1) * (columns + 1) + 1 if n else 0
    return apply(
        "slice",
        flat,
        begin=[0] * len(rest) + [first],
        end=[*rest, last],
        strides=[1] * len(rest) + [columns + 1],
    )


def triangle(rows: int, columns: int, k: int) -> Tensor:
    """Returns the bool matrix that is true on and below a diagonal."""
    return convert_to_tensor(np.tri(rows, columns, k, dtype=bool))


def _masked(name: str, x: TensorLike, k: Any, keep_lower: bool) -> Tensor:
    x = as_tensor(x)
    if x.ndim < 2:
        raise ValueError(f"{name}: expected rank 2 at least. Received: x.shape={x.shape}.")
    k = k if isinstance(k, int) else int(concrete(k, name, "k"))
    keep = triangle(x.shape[-2], x.shape[-1], k if keep_lower else k - 1)
    zero = as_tensor(False if x.dtype == "bool" else 0, x.dtype)
    return apply("where", keep, *((x, zero) if keep_lower else (zero, x)))


@op
def tril(x: TensorLike, k: int = 0) -> Tensor:
    """Returns the matrices with zeros above a diagonal.

    Args:
        x: a tensor of rank 2 at least.
        k: the last diagonal that is kept; above the main one if positive.

    Returns:
        A tensor of the same shape.

    Example:

    >>> ops.tril([[1, 2], [3, 4]]).numpy()
    array([[1, 0],
           [3, 4]], dtype=int32)
    """
    return _masked("tril", x, k, True)


@op
def triu(x: TensorLike, k: int = 0) -> Tensor:
    """Returns the matrices with zeros below a diagonal.

    Args:
        x: a tensor of rank 2 at least.
        k: the first diagonal that is kept; above the main one if positive.

    Returns:
        A tensor of the same shape.

    Example:

    >>> ops.triu([[1, 2], [3, 4]]).numpy()
    array([[1, 2],
           [0, 4]], dtype=int32)
    """
    return _masked("triu", x, k, False)


@op
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Returns the sum of a diagonal.

    Args:
        x: a tensor of rank 2 at least.
        offset: which diagonal; above the main one if positive.
        axis1: the dimension of the rows.
        axis2: the dimension of the columns.

    Returns:
        A tensor of the other dimensions; integers are 32 bits wide.

    Example:

    >>> ops.trace([[1, 2], [3, 4]]).numpy()
    array(5, dtype=int32)
    """
    from pronghorn.ops.reductions import sum

    return sum(diagonal(x, offset, axis1, axis2), axis=-1)


@op
def unravel_index(indices: TensorLike, shape: Any) -> tuple[Tensor, ...]:
    """Returns the coordinates in a shape of indices into its elements.

    Args:
        indices: integers; negative ones count from the end.
        shape: the shape.

    Returns:
        One tensor of the shape of `indices` for each dimension of `shape`.

    Example:

    >>> [i.numpy().tolist() for i in ops.unravel_index([5], (2, 3))]
    [[1], [2]]
    """
    places = as_tensor(indices)
    sizes = static_shape(shape, "unravel_index")
    total = as_tensor(math.prod(sizes), places.dtype)
    rest = apply("mod", places, total)
    found = []
    for n in reversed(sizes):
        size = as_tensor(n, places.dtype)
        found.append(apply("mod", rest, size))
        rest = apply("floor_divide", rest, size)
    return tuple(reversed(found))


@op
def isin(
    x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Returns whether each element of `x1` is among those of `x2`.

    Args:
        x1: a tensor.
        x2: a tensor, taken as a set.
        assume_unique: whether no element occurs twice; it changes nothing here.
        invert: whether to return the opposite.

    Returns:
        A bool tensor of the shape of `x1`.

    Example:

    >>> ops.isin([1, 2], [2, 3]).numpy()
    array([False,  True])
    """
    del assume_unique
    a, b = promote(as_tensor(x1), as_tensor(x2))
    left = apply("reshape", a, shape=[*a.shape, 1])
    right = apply("reshape", b, shape=[math.prod(b.shape)])
    found = apply("reduce_any", apply("equal", left, right), axes=[a.ndim], keepdims=False)
    return apply("logical_not", found) if invert else found
