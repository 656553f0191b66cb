"""Sums, products and differences along a dimension."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import dtypes
from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_number,
    as_tensor,
    normalize_axis,
    promote_to_float,
    scalar_like,
)
from pronghorn.ops.operation import op
from pronghorn.ops.reshaping import cut
from pronghorn.tensor import Tensor


def _cumulative(name: str, x: TensorLike, axis: Any, dtype: Any) -> Tensor:
    x = as_tensor(x)
    x = as_number(x) if dtype is None else as_tensor(x, dtypes.tensor_dtype(dtype))
    if isinstance(axis, (tuple, list)):
        if len(axis) > 1:
            raise ValueError(f"{name}: expected one dimension. Received: axis={axis}.")
        if not axis:
            return as_tensor(x)
        axis = axis[0]
    if axis is None:
        x = apply("reshape", x, shape=[math.prod(x.shape)])
        axis = 0
    axis = normalize_axis(axis, x.ndim, name)
    return apply(name, x, axis=axis, reverse=False, exclusive=False)


@op
def cumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Returns the sums of the elements so far.

    Args:
        x: a tensor.
        axis: the dimension; by default the tensor is taken as a vector.
        dtype: the dtype of the result; by default that of `x` (int32 for bool).

    Returns:
        A tensor.

    Example:

    >>> ops.cumsum([1, 2, 3]).numpy()
    array([1, 3, 6], dtype=int32)
    """
    return _cumulative("cumsum", x, axis, dtype)


@op
def cumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Returns the products of the elements so far.

    Args:
        x: a tensor.
        axis: the dimension; by default the tensor is taken as a vector.
        dtype: the dtype of the result; by default that of `x` (int32 for bool).

    Returns:
        A tensor.

    Example:

    >>> ops.cumprod([1, 2, 3]).numpy()
    array([1, 2, 6], dtype=int32)
    """
    return _cumulative("cumprod", x, axis, dtype)


@op
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Tensor:
    """Returns the differences of neighbouring elements; of bools, whether they differ.

    Args:
        a: a tensor.
        n: how often differences are taken.
        axis: the dimension.

    Returns:
        A tensor whose dimension is shorter by `n`.

    Raises:
        ValueError: if `n` is negative.

    Example:

    >>> ops.diff([1, 4, 9]).numpy()
    array([3, 5], dtype=int32)
    """
    x = as_tensor(a)
    if n < 0:
        raise ValueError(f"diff: `n` must not be negative. Received: n={n}.")
    axis = normalize_axis(axis, x.ndim, "diff")
    for _ in range(n):
        size = x.shape[axis]
        if size == 0:
            return x
        later, earlier = cut(x, axis, 1, size), cut(x, axis, 0, size - 1)
        x = apply("not_equal" if x.dtype == "bool" else "subtract", later, earlier)
    return x


@op
def trapezoid(y: TensorLike, x: TensorLike = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """Returns the integral along a dimension by the trapezoidal rule.

    Args:
        y: the values.
        x: where they lie; by default at equal distances.
        dx: that distance.
        axis: the dimension.

    Returns:
        A float tensor without that dimension.

    Example:

    >>> ops.trapezoid([1.0, 2.0, 3.0]).numpy()
    array(4., dtype=float32)
    """
    if x is None:
        (y,) = promote_to_float(y)
    else:
        y, x = promote_to_float(y, x)
    axis = normalize_axis(axis, y.ndim, "trapezoid")
    n = y.shape[axis]
    pairs = apply("add", cut(y, axis, 1, n), cut(y, axis, 0, n - 1))
    if x is None:
        width: Tensor = scalar_like(dx, y)
    elif x.ndim == 1:
        width = apply("subtract", cut(x, 0, 1, n), cut(x, 0, 0, n - 1))
        width = apply("reshape", width, shape=[n - 1 if i == axis else 1 for i in range(y.ndim)])
    else:
        width = apply("subtract", cut(x, axis, 1, n), cut(x, axis, 0, n - 1))
    area = apply("multiply", apply("multiply", pairs, scalar_like(0.5, y)), width)
    return apply("reduce_sum", area, axes=[axis], keepdims=False)
