"""Reductions over dimensions: sums, products, means, extremes, any and all, argmax."""

from __future__ import annotations

import builtins
import math
from typing import Any

from pronghorn import config, dtypes
from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_tensor,
    is_float,
    normalize_axes,
    normalize_axis,
    scalar_like,
    sum_dtype,
)
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor


def reduce(name: str, x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    """Calls a reduction of the core over the given dimensions (all of them for `None`)."""
    axes = normalize_axes(axis, x.ndim, name.removeprefix("reduce_"))
    return apply(name, x, axes=axes, keepdims=bool(keepdims))


def mean_dtype(dtype: str) -> str:
    """Returns the dtype that means of a dtype have."""
    return dtype if dtype in dtypes.FLOAT_DTYPES else dtypes.result_type(dtype, float)


@op
def sum(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the sum of elements.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether summed dimensions stay, with size 1.

    Returns:
        A tensor; integers are 32 bits wide.

    Example:

    >>> ops.sum([[1, 2], [3, 4]], axis=0).numpy()
    array([4, 6], dtype=int32)
    """
    x = as_tensor(x)
    return reduce("reduce_sum", as_tensor(x, sum_dtype(x.dtype)), axis, keepdims)


@op
def prod(x: TensorLike, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """Returns the product of elements.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.
        dtype: the dtype of the result; by default that of `x`, integers being 32 bits wide.

    Returns:
        A tensor.

    Example:

    >>> ops.prod([1, 2, 3]).numpy()
    array(6, dtype=int32)
    """
    x = as_tensor(x)
    work = sum_dtype(x.dtype) if dtype is None else dtypes.tensor_dtype(dtype)
    return reduce("reduce_prod", as_tensor(x, work), axis, keepdims)


@op
def mean(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the arithmetic mean of elements.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A float tensor.

    Example:

    >>> ops.mean([1, 2, 3]).numpy()
    array(2., dtype=float32)
    """
    x = as_tensor(x)
    return reduce("reduce_mean", as_tensor(x, mean_dtype(x.dtype)), axis, keepdims)


def _extreme(name: str, x: TensorLike, axis: Any, keepdims: bool, initial: Any) -> Tensor:
    x = as_tensor(x)
    axes = normalize_axes(axis, x.ndim, name)
    if initial is None and builtins.any(x.shape[i] == 0 for i in axes):
        raise ValueError(
            f"{name}: an empty tensor has none. Received: x.shape={x.shape}, axis={axis}. "
            "Give `initial`."
        )
    if builtins.any(x.shape[i] == 0 for i in axes):
        kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
        kept = kept if keepdims else [n for i, n in enumerate(x.shape) if i not in axes]
        return apply("broadcast_to", as_tensor(initial, x.dtype), shape=kept)
    if x.dtype == "bool":
        return reduce("reduce_any" if name == "max" else "reduce_all", x, axis, keepdims)
    found = reduce(f"reduce_{name}", x, axis, keepdims)
    if initial is not None:
        bound = as_tensor(as_tensor(initial), x.dtype)
        found = apply("maximum" if name == "max" else "minimum", found, bound)
    return found


@op
def max(x: TensorLike, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """Returns the largest element; not-a-number if there is one.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.
        initial: a lower bound of the result.

    Returns:
        A tensor of the same dtype.

    Raises:
        ValueError: if there are no elements and no `initial`.

    Example:

    >>> ops.max([1, 3, 2]).numpy()
    array(3, dtype=int32)
    """
    return _extreme("max", x, axis, keepdims, initial)


@op
def min(x: TensorLike, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """Returns the smallest element; not-a-number if there is one.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.
        initial: an upper bound of the result.

    Returns:
        A tensor of the same dtype.

    Raises:
        ValueError: if there are no elements and no `initial`.

    Example:

    >>> ops.min([3, 1, 2]).numpy()
    array(1, dtype=int32)
    """
    return _extreme("min", x, axis, keepdims, initial)


@op
def amax(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the largest element; the same as `max`.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A tensor of the same dtype.

    Example:

    >>> ops.amax([1, 3, 2]).numpy()
    array(3, dtype=int32)
    """
    return _extreme("max", x, axis, keepdims, None)


@op
def amin(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the smallest element; the same as `min`.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A tensor of the same dtype.

    Example:

    >>> ops.amin([3, 1, 2]).numpy()
    array(1, dtype=int32)
    """
    return _extreme("min", x, axis, keepdims, None)


@op
def ptp(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the difference of the largest and the smallest element.

    Args:
        x: a tensor of numbers.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A tensor of the same dtype.

    Example:

    >>> ops.ptp([1, 5, 2]).numpy()
    array(4, dtype=int32)
    """
    x = as_tensor(x)
    if x.dtype == "bool":
        raise TypeError("ptp: expected numbers. Received: dtype=bool.")
    high = _extreme("max", x, axis, keepdims, None)
    return apply("subtract", high, _extreme("min", x, axis, keepdims, None))


@op
def any(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns whether an element is true (not 0).

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A bool tensor.

    Example:

    >>> bool(ops.any([0, 1]))
    True
    """
    return reduce("reduce_any", as_tensor(x, "bool"), axis, keepdims)


@op
def all(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns whether every element is true (not 0).

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A bool tensor.

    Example:

    >>> bool(ops.all([0, 1]))
    False
    """
    return reduce("reduce_all", as_tensor(x, "bool"), axis, keepdims)


@op
def count_nonzero(x: TensorLike, axis: Any = None) -> Tensor:
    """Returns how many elements are not 0.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.

    Returns:
        An int32 tensor.

    Example:

    >>> ops.count_nonzero([0, 1, 2]).numpy()
    array(2, dtype=int32)
    """
    ones = as_tensor(as_tensor(x, "bool"), "int32")
    return reduce("reduce_sum", ones, axis, False)


def arg_extreme(name: str, x: TensorLike, axis: Any, keepdims: bool) -> Tensor:
    """Calls argmax or argmin of the core, over the flat tensor for axis `None`."""
    x = as_tensor(x)
    if x.dtype == "bool":
        x = as_tensor(x, "int32")
    if axis is not None:
        if x.ndim == 0:
            x = apply("reshape", x, shape=[1])
            found = apply(name, x, axis=normalize_axis(axis, 1, name), keepdims=False)
            return apply("reshape", found, shape=[])
        return apply(name, x, axis=normalize_axis(axis, x.ndim, name), keepdims=bool(keepdims))
    flat = apply("reshape", x, shape=[math.prod(x.shape)])
    found = apply(name, flat, axis=0, keepdims=False)
    if keepdims:
        found = apply("reshape", found, shape=[1] * x.ndim)
    return found


@op
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Returns the index of the largest element, the first one if there are several.

    Args:
        x: a tensor.
        axis: the dimension; by default the tensor is taken as a vector.
        keepdims: whether the dimension stays, with size 1.

    Returns:
        An int32 tensor.

    Example:

    >>> ops.argmax([1, 3, 2]).numpy()
    array(1, dtype=int32)
    """
    return arg_extreme("argmax", x, axis, keepdims)


@op
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Returns the index of the smallest element, the first one if there are several.

    Args:
        x: a tensor.
        axis: the dimension; by default the tensor is taken as a vector.
        keepdims: whether the dimension stays, with size 1.

    Returns:
        An int32 tensor.

    Example:

    >>> ops.argmin([3, 1, 2]).numpy()
    array(1, dtype=int32)
    """
    return arg_extreme("argmin", x, axis, keepdims)


@op
def logsumexp(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the logarithm of the sum of exponentials, without overflow.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A float tensor.

    Example:

    >>> ops.logsumexp([0.0]).numpy()
    array(0., dtype=float32)
    """
    x = as_tensor(x)
    x = x if is_float(x) else as_tensor(x, config.floatx())
    axes = normalize_axes(axis, x.ndim, "logsumexp")
    peak = apply("reduce_max", x, axes=axes, keepdims=True)
    zero = scalar_like(0.0, x)
    peak = apply("stop_gradient", apply("where", apply("isfinite", peak), peak, zero))
    total = apply("reduce_sum", apply("exp", apply("subtract", x, peak)), axes=axes, keepdims=True)
    found = apply("add", apply("log", total), peak)
    if not keepdims:
        found = apply("reshape", found, shape=[n for i, n in enumerate(x.shape) if i not in axes])
    return found
