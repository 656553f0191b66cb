"""Change of shape and order: reshape, transpose, squeeze, broadcast, flip, roll, tile, pad."""

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
    normalize_axes,
    normalize_axis,
    placeholder,
    static_shape,
)
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor, convert_to_tensor


@op
def reshape(x: TensorLike, newshape: Any) -> Tensor:
    """Returns the elements in the same order in another shape.

    Args:
        x: a tensor.
        newshape: an int or a tuple of ints; one of them may be -1, which is worked out.

    Returns:
        A tensor of shape `newshape`.

    Raises:
        ValueError: if the numbers of elements differ.

    Example:

    >>> ops.reshape([1, 2, 3, 4], (2, -1)).numpy()
    array([[1, 2],
           [3, 4]], dtype=int32)
    """
    x = as_tensor(x)
    wanted = static_shape(newshape, "reshape")
    if any(n < -1 for n in wanted):
        raise ValueError(
            "reshape: each size must be a non-negative integer, or -1 for one that is worked out. "
            f"Received: newshape={newshape}."
        )
    if wanted.count(-1) > 1:
        raise ValueError(
            "There must be at most one unknown dimension (-1) in `newshape`. "
            f"Received: newshape={newshape}."
        )
    shape = list(wanted)
    size = math.prod(x.shape)
    if -1 in shape:
        known = math.prod(n for n in shape if n != -1)
        shape[shape.index(-1)] = size // known if known else 0
    if math.prod(shape) != size:
        assumed = placeholder(shape, x)
        if assumed is not None:
            return assumed
        raise ValueError(
            f"reshape: expected a shape of {size} elements. "
            f"Received: x.shape={x.shape}, newshape={newshape}."
        )
    return apply("reshape", x, shape=shape)


@op
def ravel(x: TensorLike) -> Tensor:
    """Returns the elements as a vector.

    Args:
        x: a tensor.

    Returns:
        A tensor of rank 1.

    Example:

    >>> ops.ravel([[1, 2], [3, 4]]).numpy()
    array([1, 2, 3, 4], dtype=int32)
    """
    x = as_tensor(x)
    return apply("reshape", x, shape=[math.prod(x.shape)])


@op
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """Returns the tensor with its dimensions in another order.

    Args:
        x: a tensor.
        axes: for each dimension of the result which one of `x` it is; by default reversed.

    Returns:
        The transposed tensor.

    Raises:
        ValueError: if `axes` is not a permutation.

    Example:

    >>> ops.transpose([[1, 2], [3, 4]]).numpy()
    array([[1, 3],
           [2, 4]], dtype=int32)
    """
    x = as_tensor(x)
    if axes is None:
        order = list(range(x.ndim))[::-1]
    else:
        order = _permutation(list(axes), x)
    return apply("transpose", x, axes=order)


def _permutation(axes: list[Any], x: Tensor) -> list[int]:
    n = x.ndim
    if len(axes) != n:
        raise ValueError(
            "transpose: `axes` must be a list of the same length as the input shape. "
            f"Received: x.shape={x.shape}, axes={axes}."
        )
    if any(not -n <= a < n for a in axes):
        raise ValueError(
            f"transpose: Each axis in `axes` must be an integer in [{-n}, {n}). "
            f"Received: x.shape={x.shape}, axes={axes}."
        )
    order = [int(a) % n for a in axes]
    if len(set(order)) != n:
        raise ValueError(
            "transpose: `axes` must be a valid permutation of the dimensions. "
            f"Received: x.shape={x.shape}, axes={axes}."
        )
    return order


@op
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """Returns the tensor with two dimensions swapped.

    Args:
        x: a tensor.
        axis1: a dimension.
        axis2: another one.

    Returns:
        The tensor with swapped dimensions.

    Example:

    >>> ops.swapaxes([[1, 2]], 0, 1).shape
    (2, 1)
    """
    x = as_tensor(x)
    order = list(range(x.ndim))
    i, j = normalize_axis(axis1, x.ndim, "swapaxes"), normalize_axis(axis2, x.ndim, "swapaxes")
    order[i], order[j] = order[j], order[i]
    return apply("transpose", x, axes=order)


@op
def moveaxis(x: TensorLike, source: Any, destination: Any) -> Tensor:
    """Returns the tensor with some dimensions moved, the others in their order.

    Args:
        x: a tensor.
        source: a dimension or several.
        destination: where each goes.

    Returns:
        The tensor with moved dimensions.

    Raises:
        ValueError: if the numbers of dimensions differ.

    Example:

    >>> ops.moveaxis(ops.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = as_tensor(x)
    old = normalize_axes(source, x.ndim, "moveaxis")
    new = normalize_axes(destination, x.ndim, "moveaxis")
    if len(old) != len(new):
        raise ValueError(
            "moveaxis: as many sources as destinations are expected. "
            f"Received: source={source}, destination={destination}."
        )
    order = [i for i in range(x.ndim) if i not in old]
    for target, i in sorted(zip(new, old)):
        order.insert(target, i)
    return apply("transpose", x, axes=order)


@op
def expand_dims(x: TensorLike, axis: Any) -> Tensor:
    """Returns the tensor with new dimensions of size 1.

    Args:
        x: a tensor.
        axis: where they are in the result, an int or several.

    Returns:
        The tensor with more dimensions.

    Raises:
        ValueError: if an axis is out of range.

    Example:

    >>> ops.expand_dims([1, 2], 0).shape
    (1, 2)
    """
    x = as_tensor(x)
    given = list(axis) if isinstance(axis, (tuple, list)) else [axis]
    rank = x.ndim + len(given)
    axes = normalize_axes(given, rank, "expand_dims")
    sizes = iter(x.shape)
    return apply("reshape", x, shape=[1 if i in axes else next(sizes) for i in range(rank)])


@op
def squeeze(x: TensorLike, axis: Any = None) -> Tensor:
    """Returns the tensor without dimensions of size 1.

    Args:
        x: a tensor.
        axis: which ones, an int or several; by default all.

    Returns:
        The tensor with fewer dimensions.

    Raises:
        ValueError: if a chosen dimension is larger than 1.

    Example:

    >>> ops.squeeze([[1, 2]]).shape
    (2,)
    """
    x = as_tensor(x)
    if axis is None:
        axes = [i for i, n in enumerate(x.shape) if n == 1]
    else:
        axes = normalize_axes(axis, x.ndim, "squeeze")
    if any(x.shape[i] != 1 for i in axes):
        raise ValueError(
            f"Cannot squeeze axis={axis}, because the dimension is not 1. "
            f"Received: x.shape={x.shape}."
        )
    return apply("reshape", x, shape=[n for i, n in enumerate(x.shape) if i not in axes])


@op
def broadcast_to(x: TensorLike, shape: Any) -> Tensor:
    """Returns the tensor repeated along dimensions of size 1 and new ones in front.

    Args:
        x: a tensor.
        shape: the shape of the result.

    Returns:
        A tensor of that shape.

    Raises:
        ValueError: if the shape of `x` does not broadcast to it.

    Example:

    >>> ops.broadcast_to([1, 2], (2, 2)).numpy()
    array([[1, 2],
           [1, 2]], dtype=int32)
    """
    x = as_tensor(x)
    wanted = static_shape(shape, "broadcast_to")
    assumed = placeholder(wanted, x)
    if assumed is not None:
        return assumed
    if broadcast_shapes("broadcast_to", x.shape, wanted) != wanted:
        raise ValueError(
            f"broadcast_to: cannot broadcast. Received: x.shape={x.shape}, shape={shape}."
        )
    return apply("broadcast_to", x, shape=wanted)


@op
def flip(x: TensorLike, axis: Any = None) -> Tensor:
    """Returns the elements in reverse order along dimensions.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.

    Returns:
        A tensor of the same shape.

    Example:

    >>> ops.flip([1, 2, 3]).numpy()
    array([3, 2, 1], dtype=int32)
    """
    x = as_tensor(x)
    return apply("flip", x, axes=normalize_axes(axis, x.ndim, "flip"))


@op
def fliplr(x: TensorLike) -> Tensor:
    """Returns the elements in reverse order along the second dimension.

    Args:
        x: a tensor of rank 2 at least.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: if the rank is less than 2.

    Example:

    >>> ops.fliplr([[1, 2]]).numpy()
    array([[2, 1]], dtype=int32)
    """
    x = as_tensor(x)
    if x.ndim < 2:
        raise ValueError(f"fliplr: expected rank 2 at least. Received: x.shape={x.shape}.")
    return apply("flip", x, axes=[1])


@op
def flipud(x: TensorLike) -> Tensor:
    """Returns the elements in reverse order along the first dimension.

    Args:
        x: a tensor of rank 1 at least.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: if the tensor is a scalar.

    Example:

    >>> ops.flipud([1, 2]).numpy()
    array([2, 1], dtype=int32)
    """
    x = as_tensor(x)
    if x.ndim < 1:
        raise ValueError(f"flipud: expected rank 1 at least. Received: x.shape={x.shape}.")
    return apply("flip", x, axes=[0])


@op
def rot90(array: TensorLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Returns the tensor turned by 90 degrees in the plane of two dimensions.

    Args:
        array: a tensor of rank 2 at least.
        k: how many times, from the first dimension towards the second.
        axes: the two dimensions.

    Returns:
        The turned tensor.

    Raises:
        ValueError: if the rank is less than 2 or the dimensions are not two different ones.

    Example:

    >>> ops.rot90([[1, 2], [3, 4]]).numpy()
    array([[2, 4],
           [1, 3]], dtype=int32)
    """
    x = as_tensor(array)
    if x.ndim < 2:
        raise ValueError(
            "Input array must have at least 2 dimensions. "
            f"Received: array.ndim={x.ndim}, array.shape={x.shape}."
        )
    if len(axes) != 2 or axes[0] == axes[1]:
        raise ValueError(f"Invalid axes: {axes}. Axes must be a tuple of two different dimensions.")
    i, j = normalize_axes(axes, x.ndim, "rot90")
    order = list(range(x.ndim))
    order[i], order[j] = order[j], order[i]
    turns = k % 4
    if turns == 0:
        return x
    if turns == 2:
        return apply("flip", x, axes=[i, j])
    if turns == 1:
        return apply("transpose", apply("flip", x, axes=[j]), axes=order)
    return apply("flip", apply("transpose", x, axes=order), axes=[j])


@op
def roll(x: TensorLike, shift: Any, axis: Any = None) -> Tensor:
    """Returns the elements moved along dimensions; those that leave come in at the other end.

    Args:
        x: a tensor.
        shift: by how many places, an int or one for each axis.
        axis: a dimension or several; by default the tensor is rolled as one vector.

    Returns:
        A tensor of the same shape.

    Example:

    >>> ops.roll([1, 2, 3], 1).numpy()
    array([3, 1, 2], dtype=int32)
    """
    x = as_tensor(x)
    if axis is None:
        flat = apply("reshape", x, shape=[math.prod(x.shape)])
        return apply("reshape", roll(flat, shift, 0), shape=list(x.shape))
    axes = list(axis) if isinstance(axis, (tuple, list)) else [axis]
    shifts = list(shift) if isinstance(shift, (tuple, list)) else [shift] * len(axes)
    if len(axes) == 1 and len(shifts) > 1:
        axes = axes * len(shifts)
    for amount, a in zip(shifts, axes):
        i = normalize_axis(a, x.ndim, "roll")
        n = x.shape[i]
        amount = int(amount) % n if n else 0
        if amount:
            x = apply("concatenate", cut(x, i, n - amount, n), cut(x, i, 0, n - amount), axis=i)
    return as_tensor(x)


def cut(x: Tensor, axis: int, begin: int, end: int, stride: int = 1) -> Tensor:
    """Returns the elements `begin:end:stride` along one dimension."""
    begins, ends, strides = [0] * x.ndim, list(x.shape), [1] * x.ndim
    begins[axis], ends[axis], strides[axis] = begin, end, stride
    return apply("slice", x, begin=begins, end=ends, strides=strides)


@op
def tile(x: TensorLike, repeats: Any) -> Tensor:
    """Returns the tensor repeated along its dimensions.

    Args:
        x: a tensor.
        repeats: how many times along each dimension (missing ones in front are 1).

    Returns:
        The repeated tensor.

    Example:

    >>> ops.tile([1, 2], 2).numpy()
    array([1, 2, 1, 2], dtype=int32)
    """
    x = as_tensor(x)
    counts = static_shape(repeats, "tile")
    rank = max(x.ndim, len(counts))
    counts = [1] * (rank - len(counts)) + counts
    shape = [1] * (rank - x.ndim) + list(x.shape)
    spread = apply("reshape", x, shape=[n for size in shape for n in (1, size)])
    wide = [n for c, size in zip(counts, shape) for n in (c, size)]
    spread = apply("broadcast_to", spread, shape=wide)
    return apply("reshape", spread, shape=[c * n for c, n in zip(counts, shape)])


@op
def repeat(x: TensorLike, repeats: Any, axis: int | None = None) -> Tensor:
    """Returns the tensor with each element repeated.

    Args:
        x: a tensor.
        repeats: how many times, an int or one for each element along `axis`.
        axis: the dimension; by default the tensor is taken as a vector.

    Returns:
        The tensor with repeated elements.

    Raises:
        ValueError: if the number of repeats does not fit.

    Example:

    >>> ops.repeat([1, 2], 2).numpy()
    array([1, 1, 2, 2], dtype=int32)
    """
    x = as_tensor(x)
    if axis is None:
        x = apply("reshape", x, shape=[math.prod(x.shape)])
        axis = 0
    axis = normalize_axis(axis, x.ndim, "repeat")
    if isinstance(repeats, int):
        counts = np.asarray(repeats)
    else:
        counts = np.asarray(concrete(repeats, "repeat", "repeats", decides_shape=True)).reshape(-1)
    n = x.shape[axis]
    if counts.size == 1:
        times = int(counts.reshape(()))
        shape = list(x.shape)
        spread = apply("reshape", x, shape=[*shape[: axis + 1], 1, *shape[axis + 1 :]])
        wide = [*shape[: axis + 1], times, *shape[axis + 1 :]]
        spread = apply("broadcast_to", spread, shape=wide)
        shape[axis] = n * times
        return apply("reshape", spread, shape=shape)
    if counts.size != n:
        raise ValueError(
            f"repeat: expected one number of repeats or {n}. "
            f"Received: x.shape={x.shape}, repeats={repeats}, axis={axis}."
        )
    rows = np.repeat(np.arange(n, dtype=np.int32), counts)
    return apply("gather", x, convert_to_tensor(rows), axis=axis)


@op
def pad(
    x: TensorLike,
    pad_width: Any,
    mode: str = "constant",
    constant_values: TensorLike = None,
) -> Tensor:
    """Returns the tensor with elements added at the ends of its dimensions.

    Args:
        x: a tensor.
        pad_width: an int, a pair `(before, after)`, or one pair for each dimension.
        mode: `"constant"`, `"reflect"` (mirrored without the edge), `"symmetric"` (with the edge),
            `"edge"` or `"wrap"`.
        constant_values: what is added in mode `"constant"`; 0 by default.

    Returns:
        The padded tensor.

    Raises:
        ValueError: if the widths or the mode are not valid.

    Example:

    >>> ops.pad([1, 2], 1).numpy()
    array([0, 1, 2, 0], dtype=int32)
    """
    x = as_tensor(x)
    if mode not in ("constant", "reflect", "symmetric", "edge", "wrap"):
        raise ValueError(
            "pad: expected mode 'constant', 'reflect', 'symmetric', 'edge' or 'wrap'. "
            f"Received: mode={mode!r}."
        )
    if constant_values is not None and mode != "constant":
        raise ValueError(
            "Argument `constant_values` can only be provided when `mode == 'constant'`. "
            f"Received: mode={mode}"
        )
    widths = _pad_widths(pad_width, x.ndim)
    low, high = [w[0] for w in widths], [w[1] for w in widths]
    if mode == "constant":
        value = 0 if constant_values is None else constant_values
        if not isinstance(value, (bool, int, float)):
            value = concrete(value, "pad", "constant_values").item()
        return apply("pad", x, low=low, high=high, value=float(value))
    for axis, (before, after) in enumerate(widths):
        if before or after:
            n = x.shape[axis]
            if n == 0 or (mode == "reflect" and n == 1 and max(before, after) > 0):
                places = np.zeros(before + n + after, np.int32)
            else:
                places = np.pad(np.arange(n, dtype=np.int32), (before, after), mode=mode)  # type: ignore[call-overload]
            x = apply("gather", x, convert_to_tensor(places), axis=axis)
    return as_tensor(x)


def _pad_widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    try:
        given = np.asarray(pad_width)
        if given.ndim > 2 or given.dtype.kind not in "iu":
            raise ValueError
        widths = np.broadcast_to(given, (ndim, 2)).tolist()
    except ValueError:
        raise ValueError(
            "`pad_width` must be an int, a pair (before, after) or one pair for each of the "
            f"{ndim} dimensions. Received: pad_width={pad_width}."
        ) from None
    if any(n < 0 for pair in widths for n in pair):
        raise ValueError(f"pad: widths must not be negative. Received: pad_width={pad_width}.")
    return [(before, after) for before, after in widths]
