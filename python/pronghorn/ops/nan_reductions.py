"""Reductions that leave out not-a-numbers."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_float,
    as_tensor,
    concrete,
    is_float,
    normalize_axes,
    scalar_like,
)
from pronghorn.ops.cumulative import cumprod, cumsum
from pronghorn.ops.operation import op
from pronghorn.ops.reductions import arg_extreme, max, mean, min, prod, reduce, sum
from pronghorn.tensor import Tensor, convert_to_tensor


def _filled(x: TensorLike, value: float) -> Tensor:
    """Returns the tensor with `value` in the place of not-a-numbers."""
    x = as_tensor(x)
    if not is_float(x):
        return as_tensor(x)
    return apply("where", apply("isnan", x), scalar_like(value, x), x)


def _all_nan(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    return reduce("reduce_all", apply("isnan", x), axis, keepdims)


@op
def nansum(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the sum of elements, not-a-numbers counting as 0.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A tensor; integers are 32 bits wide.

    Example:

    >>> ops.nansum([1.0, float("nan")]).numpy()
    array(1., dtype=float32)
    """
    return sum(_filled(x, 0.0), axis, keepdims)


@op
def nanprod(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the product of elements, not-a-numbers counting as 1.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A tensor; integers are 32 bits wide.

    Example:

    >>> ops.nanprod([2.0, float("nan")]).numpy()
    array(2., dtype=float32)
    """
    return prod(_filled(x, 1.0), axis, keepdims)


@op
def nanmean(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the mean of the elements that are numbers.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A float tensor.

    Example:

    >>> ops.nanmean([2.0, float("nan")]).numpy()
    array(2., dtype=float32)
    """
    x = as_tensor(x)
    if not is_float(x):
        return mean(x, axis, keepdims)
    dtype = x.dtype
    x = as_tensor(x, "float32")
    return as_tensor(_mean_of_numbers(x, axis, keepdims), dtype)


def _mean_of_numbers(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    total = reduce("reduce_sum", _filled(x, 0.0), axis, keepdims)
    is_number = as_tensor(apply("logical_not", apply("isnan", x)), x.dtype)
    return apply("divide", total, reduce("reduce_sum", is_number, axis, keepdims))


@op
def nanvar(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the variance of the elements that are numbers.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A float tensor.

    Example:

    >>> ops.nanvar([1.0, 3.0, float("nan")]).numpy()
    array(1., dtype=float32)
    """
    x = as_float(x)
    return as_tensor(_variance_of_numbers(x, axis, keepdims), x.dtype)


def _variance_of_numbers(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    x = as_tensor(x, "float32")
    center = apply("subtract", x, _mean_of_numbers(x, axis, True))
    return _mean_of_numbers(apply("square", center), axis, keepdims)


@op
def nanstd(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the standard deviation of the elements that are numbers.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A float tensor.

    Example:

    >>> ops.nanstd([1.0, 3.0, float("nan")]).numpy()
    array(1., dtype=float32)
    """
    x = as_float(x)
    return as_tensor(apply("sqrt", _variance_of_numbers(x, axis, keepdims)), x.dtype)


@op
def nanmax(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the largest of the elements that are numbers, not-a-number if there is none.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A tensor of the same dtype.

    Example:

    >>> ops.nanmax([1.0, float("nan")]).numpy()
    array(1., dtype=float32)
    """
    x = as_tensor(x)
    if not is_float(x):
        return max(x, axis, keepdims)
    found = max(_filled(x, -math.inf), axis, keepdims)
    return apply("where", _all_nan(x, axis, keepdims), scalar_like(math.nan, x), found)


@op
def nanmin(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the smallest of the elements that are numbers, not-a-number if there is none.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A tensor of the same dtype.

    Example:

    >>> ops.nanmin([1.0, float("nan")]).numpy()
    array(1., dtype=float32)
    """
    x = as_tensor(x)
    if not is_float(x):
        return min(x, axis, keepdims)
    found = min(_filled(x, math.inf), axis, keepdims)
    return apply("where", _all_nan(x, axis, keepdims), scalar_like(math.nan, x), found)


def _nan_arg(name: str, x: TensorLike, axis: Any, keepdims: bool) -> Tensor:
    x = as_tensor(x)
    if not is_float(x):
        return arg_extreme(name, x, axis, keepdims)
    fill = -math.inf if name == "argmax" else math.inf
    found = arg_extreme(name, _filled(x, fill), axis, keepdims)
    none = _all_nan(x, axis, keepdims)
    return apply("where", none, as_tensor(-1, "int32"), found)


@op
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Returns the index of the largest of the elements that are numbers, -1 if there is none.

    Args:
        x: a tensor.
        axis: the dimension; by default the tensor is taken as a vector.
        keepdims: whether the dimension stays, with size 1.

    Returns:
        An int32 tensor.

    Example:

    >>> ops.nanargmax([1.0, float("nan")]).numpy()
    array(0, dtype=int32)
    """
    return _nan_arg("argmax", x, axis, keepdims)


@op
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Returns the index of the smallest of the elements that are numbers, -1 if there is none.

    Args:
        x: a tensor.
        axis: the dimension; by default the tensor is taken as a vector.
        keepdims: whether the dimension stays, with size 1.

    Returns:
        An int32 tensor.

    Example:

    >>> ops.nanargmin([1.0, float("nan")]).numpy()
    array(0, dtype=int32)
    """
    return _nan_arg("argmin", x, axis, keepdims)


@op
def nancumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Returns the sums of the elements so far, not-a-numbers counting as 0.

    Args:
        x: a tensor.
        axis: the dimension; by default the tensor is taken as a vector.
        dtype: the dtype of the result.

    Returns:
        A tensor.

    Example:

    >>> ops.nancumsum([1.0, float("nan"), 2.0]).numpy()
    array([1., 1., 3.], dtype=float32)
    """
    return cumsum(_filled(x, 0.0), axis, dtype)


@op
def nancumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Returns the products of the elements so far, not-a-numbers counting as 1.

    Args:
        x: a tensor.
        axis: the dimension; by default the tensor is taken as a vector.
        dtype: the dtype of the result.

    Returns:
        A tensor.

    Example:

    >>> ops.nancumprod([2.0, float("nan"), 2.0]).numpy()
    array([2., 2., 4.], dtype=float32)
    """
    return cumprod(_filled(x, 1.0), axis, dtype)


@op
def nanquantile(
    x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Returns quantiles of the elements that are numbers.

    It is computed by NumPy: the arguments cannot be traced.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.
        q: the fraction of elements below, in [0, 1]; a scalar or a vector.
        axis: a dimension or several; by default all.
        method: see `quantile`.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A float tensor; its first dimension is that of `q` if `q` is a vector.

    Example:

    >>> ops.nanquantile([1.0, 3.0, float("nan")], 0.5).numpy()
    array(2., dtype=float32)
    """
    return _nan_quantiles("nanquantile", x, q, axis, method, keepdims, 1.0)


@op
def nanpercentile(
    x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Returns percentiles of the elements that are numbers; see `nanquantile`.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.
        q: the percentage of elements below, in [0, 100]; a scalar or a vector.
        axis: a dimension or several; by default all.
        method: see `quantile`.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A float tensor; its first dimension is that of `q` if `q` is a vector.

    Example:

    >>> ops.nanpercentile([1.0, 3.0, float("nan")], 50).numpy()
    array(2., dtype=float32)
    """
    return _nan_quantiles("nanpercentile", x, q, axis, method, keepdims, 100.0)


@op
def nanmedian(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the median of the elements that are numbers.

    It is computed by NumPy: the argument cannot be traced.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A float tensor.

    Example:

    >>> ops.nanmedian([1.0, 3.0, float("nan")]).numpy()
    array(2., dtype=float32)
    """
    return _nan_quantiles("nanmedian", x, 0.5, axis, "linear", keepdims, 1.0)


def _nan_quantiles(
    name: str, x: TensorLike, q: Any, axis: Any, method: str, keepdims: bool, scale: float
) -> Tensor:
    x = as_float(x)
    axes = tuple(normalize_axes(axis, x.ndim, name))
    values = concrete(x, name).astype(np.float64)
    places = np.asarray(concrete(q, name, "q"), np.float64) / scale
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # slices without numbers give nan
        if name == "nanmedian":
            found = np.nanmedian(values, axis=axes, keepdims=keepdims)
        else:
            found = np.nanquantile(values, places, axis=axes, method=method, keepdims=keepdims)  # type: ignore[call-overload]
    return convert_to_tensor(np.asarray(found, np.float32), x.dtype)
