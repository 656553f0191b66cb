"""Joining tensors and taking them apart: concatenate, stack, split and their relatives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_tensor,
    concrete,
    normalize_axis,
    placeholder,
    promote,
)
from pronghorn.ops.operation import op
from pronghorn.ops.reshaping import cut
from pronghorn.ops.symbolic import get_symbolic_scope
from pronghorn.tensor import Tensor


def _tensors(name: str, xs: Any) -> list[Tensor]:
    found = list(xs)
    if not found:
        raise ValueError(f"{name}: expected one tensor at least. Received: xs={xs}.")
    return promote(*(as_tensor(x) for x in found))


def join(name: str, tensors: list[Tensor], axis: int) -> Tensor:
    """Returns tensors of one dtype one after the other along a dimension."""
    if len(tensors) == 1:
        return tensors[0]
    shapes = [list(x.shape) for x in tensors]
    if any(len(s) != len(shapes[0]) for s in shapes) or any(
        s[:axis] + s[axis + 1 :] != shapes[0][:axis] + shapes[0][axis + 1 :] for s in shapes
    ):
        assumed = _assumed(tensors, axis)
        if assumed is not None:
            return assumed
        shown = ", ".join(str(tuple(s)) for s in shapes)
        raise ValueError(
            f"{name}: shapes must match except along the joined dimension. "
            f"Received: shapes={shown}, axis={axis}."
        )
    return apply("concatenate", *tensors, axis=axis)


def _assumed(tensors: list[Tensor], axis: int) -> Tensor | None:
    """Returns a stand-in where sizes differ that are not known yet."""
    scope = get_symbolic_scope()
    if scope is None or scope.fill is None or len({x.ndim for x in tensors}) > 1:
        return None
    shape = []
    for i in range(tensors[0].ndim):
        sizes = [x.shape[i] for x in tensors]
        known = {n for n in sizes if n % scope.fill}
        if i != axis and len(known) > 1:
            return None
        if i == axis:
            shape.append(sum(sizes))
        else:
            shape.append(known.pop() if known else sizes[0])
    return placeholder(shape, *tensors)


@op
def concatenate(xs: Sequence[TensorLike], axis: int | None = 0) -> Tensor:
    """Returns tensors one after the other along a dimension.

    Args:
        xs: tensors of the same shape except along `axis`.
        axis: the dimension; `None` to take all tensors as vectors.

    Returns:
        The joined tensor.

    Raises:
        ValueError: if the shapes do not match.

    Example:

    >>> ops.concatenate([[1, 2], [3]]).numpy()
    array([1, 2, 3], dtype=int32)
    """
    tensors = _tensors("concatenate", xs)
    if axis is None:
        tensors = [apply("reshape", x, shape=[math.prod(x.shape)]) for x in tensors]
        axis = 0
    return join("concatenate", tensors, normalize_axis(axis, tensors[0].ndim, "concatenate"))


@op
def stack(x: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Returns tensors side by side along a new dimension.

    Args:
        x: tensors of the same shape.
        axis: where the new dimension is in the result.

    Returns:
        A tensor with one dimension more.

    Raises:
        ValueError: if the shapes differ.

    Example:

    >>> ops.stack([[1, 2], [3, 4]]).numpy()
    array([[1, 2],
           [3, 4]], dtype=int32)
    """
    return stack_tensors("stack", _tensors("stack", x), axis)


def stack_tensors(name: str, tensors: list[Tensor], axis: int) -> Tensor:
    """Returns tensors of one dtype side by side along a new dimension."""
    shape = list(tensors[0].shape)
    if any(list(t.shape) != shape for t in tensors):
        shown = ", ".join(str(tuple(t.shape)) for t in tensors)
        raise ValueError(f"{name}: shapes must be the same. Received: shapes={shown}.")
    where = normalize_axis(axis, len(shape) + 1, name)
    shape.insert(where, 1)
    return join(name, [apply("reshape", t, shape=shape) for t in tensors], where)


@op
def hstack(xs: Sequence[TensorLike]) -> Tensor:
    """Returns tensors joined along their second dimension, vectors along their only one.

    Args:
        xs: tensors.

    Returns:
        The joined tensor.

    Example:

    >>> ops.hstack([[1], [2]]).numpy()
    array([1, 2], dtype=int32)
    """
    tensors = [_at_least(t, 1) for t in _tensors("hstack", xs)]
    return join("hstack", tensors, 0 if tensors[0].ndim == 1 else 1)


@op
def vstack(xs: Sequence[TensorLike]) -> Tensor:
    """Returns tensors joined along their first dimension, vectors as rows.

    Args:
        xs: tensors.

    Returns:
        The joined tensor.

    Example:

    >>> ops.vstack([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    return join("vstack", [_at_least(t, 2) for t in _tensors("vstack", xs)], 0)


@op
def dstack(xs: Sequence[TensorLike]) -> Tensor:
    """Returns tensors joined along their third dimension, which vectors and matrices get.

    Args:
        xs: tensors.

    Returns:
        The joined tensor.

    Example:

    >>> ops.dstack([[1, 2], [3, 4]]).shape
    (1, 2, 2)
    """
    return join("dstack", [_at_least(t, 3) for t in _tensors("dstack", xs)], 2)


def _at_least(x: Tensor, rank: int) -> Tensor:
    """Returns the tensor with dimensions of size 1 added as NumPy's atleast_1d to 3d do."""
    if x.ndim >= rank:
        return x
    shape = list(x.shape)
    if rank == 1 or not shape:
        shape = [1] * rank
    elif rank == 2:
        shape = [1, *shape]
    else:
        shape = [1, *shape, 1] if len(shape) == 1 else [*shape, 1]
    return apply("reshape", x, shape=shape)


@op
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Tensor:
    """Returns `x2` after `x1`.

    Args:
        x1: a tensor.
        x2: a tensor.
        axis: the dimension; by default both are taken as vectors.

    Returns:
        The joined tensor.

    Example:

    >>> ops.append([1, 2], [3]).numpy()
    array([1, 2, 3], dtype=int32)
    """
    pair = promote(x1, x2)
    if axis is None:
        pair = [apply("reshape", x, shape=[math.prod(x.shape)]) for x in pair]
        axis = 0
    return join("append", pair, normalize_axis(axis, pair[0].ndim, "append"))


def _pieces(x: Tensor, places: list[int], axis: int) -> list[Tensor]:
    n = x.shape[axis]
    bounds = [min(max(p + n if p < 0 else p, 0), n) for p in places]
    begins, ends = [0, *bounds], [*bounds, n]
    return [cut(x, axis, b, max(b, e)) for b, e in zip(begins, ends)]


def _places(indices_or_sections: Any, name: str) -> list[int] | int:
    if isinstance(indices_or_sections, int):
        return indices_or_sections
    if isinstance(indices_or_sections, (list, tuple)):
        return [int(p) for p in indices_or_sections]
    found = concrete(indices_or_sections, name, "indices_or_sections")
    return int(found) if found.ndim == 0 else [int(p) for p in found]


def _split(name: str, x: TensorLike, indices_or_sections: Any, axis: int) -> list[Tensor]:
    x = as_tensor(x)
    axis = normalize_axis(axis, x.ndim, name)
    places = _places(indices_or_sections, name)
    if isinstance(places, list):
        return _pieces(x, places, axis)
    n = x.shape[axis]
    if places < 1 or n % places:
        raise ValueError(
            f"{name}: the dimension must divide into equal parts. "
            f"Received: x.shape={x.shape}, indices_or_sections={places}, axis={axis}."
        )
    step = n // places
    return _pieces(x, [step * i for i in range(1, places)], axis)


@op
def split(x: TensorLike, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Returns the parts of a tensor along a dimension.

    Args:
        x: a tensor.
        indices_or_sections: into how many equal parts, or the indices where parts begin.
        axis: the dimension.

    Returns:
        A list of tensors.

    Raises:
        ValueError: if the dimension does not divide.

    Example:

    >>> [part.numpy().tolist() for part in ops.split([1, 2, 3, 4], 2)]
    [[1, 2], [3, 4]]
    """
    return _split("split", x, indices_or_sections, axis)


@op
def array_split(x: TensorLike, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Returns the parts of a tensor along a dimension, which need not be equal.

    Args:
        x: a tensor.
        indices_or_sections: into how many parts (the first ones are longer by one if they cannot
            be equal), or the indices where parts begin.
        axis: the dimension.

    Returns:
        A list of tensors.

    Raises:
        ValueError: if there is no part.

    Example:

    >>> [part.numpy().tolist() for part in ops.array_split([1, 2, 3], 2)]
    [[1, 2], [3]]
    """
    x = as_tensor(x)
    axis = normalize_axis(axis, x.ndim, "array_split")
    places = _places(indices_or_sections, "array_split")
    if isinstance(places, int):
        if places < 1:
            raise ValueError(
                "array_split: the number of parts must be positive. "
                f"Received: indices_or_sections={places}."
            )
        least, longer = divmod(x.shape[axis], places)
        places = [least * i + min(i, longer) for i in range(1, places)]
    return _pieces(x, places, axis)


@op
def hsplit(x: TensorLike, indices_or_sections: Any) -> list[Tensor]:
    """Returns the parts along the second dimension (the only one of a vector).

    Args:
        x: a tensor.
        indices_or_sections: see `split`.

    Returns:
        A list of tensors.

    Example:

    >>> [part.shape for part in ops.hsplit([[1, 2]], 2)]
    [(1, 1), (1, 1)]
    """
    x = as_tensor(x)
    return _split("hsplit", x, indices_or_sections, 0 if x.ndim == 1 else 1)


@op
def vsplit(x: TensorLike, indices_or_sections: Any) -> list[Tensor]:
    """Returns the parts along the first dimension.

    Args:
        x: a tensor of rank 2 at least.
        indices_or_sections: see `split`.

    Returns:
        A list of tensors.

    Example:

    >>> [part.shape for part in ops.vsplit([[1], [2]], 2)]
    [(1, 1), (1, 1)]
    """
    return _split("vsplit", x, indices_or_sections, 0)


@op
def dsplit(x: TensorLike, indices_or_sections: Any) -> list[Tensor]:
    """Returns the parts along the third dimension.

    Args:
        x: a tensor of rank 3 at least.
        indices_or_sections: see `split`.

    Returns:
        A list of tensors.

    Example:

    >>> [part.shape for part in ops.dsplit([[[1, 2]]], 2)]
    [(1, 1, 1), (1, 1, 1)]
    """
    return _split("dsplit", x, indices_or_sections, 2)


@op
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Returns the slices along a dimension, without it.

    Args:
        x: a tensor.
        num: how many there are; worked out by default.
        axis: the dimension.

    Returns:
        A list of tensors.

    Raises:
        ValueError: if `num` is not the size of the dimension.

    Example:

    >>> [row.numpy().tolist() for row in ops.unstack([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]
    """
    x = as_tensor(x)
    axis = normalize_axis(axis, x.ndim, "unstack")
    n = x.shape[axis]
    if num is not None and num != n:
        raise ValueError(
            f"unstack: `num` must be the size of the dimension. "
            f"Received: x.shape={x.shape}, num={num}, axis={axis}."
        )
    shape = [size for i, size in enumerate(x.shape) if i != axis]
    return [apply("reshape", cut(x, axis, i, i + 1), shape=shape) for i in range(n)]


@op
def meshgrid(*x: TensorLike, indexing: str = "xy") -> list[Tensor]:
    """Returns coordinate grids of vectors of coordinates.

    Args:
        *x: vectors.
        indexing: `"xy"` (the first two dimensions of the grids are swapped) or `"ij"`.

    Returns:
        One tensor for each vector, all of the same shape.

    Raises:
        ValueError: for any other indexing.

    Example:

    >>> [grid.shape for grid in ops.meshgrid([1, 2], [3, 4, 5])]
    [(3, 2), (3, 2)]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(
            f"Valid values for `indexing` are 'xy' and 'ij', but received: indexing={indexing}"
        )
    vectors = [as_tensor(v) for v in x]
    sizes = [math.prod(v.shape) for v in vectors]
    order = list(range(len(vectors)))
    if indexing == "xy" and len(order) > 1:
        order[0], order[1] = 1, 0
    grids = []
    for i, v in enumerate(vectors):
        shape = [sizes[j] if j == i else 1 for j in order]
        grid = apply("reshape", v, shape=shape)
        grids.append(apply("broadcast_to", grid, shape=[sizes[j] for j in order]))
    return grids
