"""Elementwise arithmetic: sums, products, quotients, powers, signs, extremes, clipping."""

from __future__ import annotations

import math

from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_float,
    as_number,
    as_tensor,
    is_float,
    promote,
    promote_to_float,
    scalar_like,
)
from pronghorn.ops.broadcasting import broadcasting_op
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor


@broadcasting_op
def add(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the sum of elements; the disjunction for two bool tensors.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Example:

    >>> ops.add([1, 2], 1).numpy()
    array([2, 3], dtype=int32)
    """
    pair = promote(x1, x2)
    return apply("logical_or" if pair[0].dtype == "bool" else "add", *pair)


@broadcasting_op
def subtract(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the difference of elements.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        TypeError: for two bool tensors.

    Example:

    >>> ops.subtract([1, 2], 1).numpy()
    array([0, 1], dtype=int32)
    """
    pair = promote(x1, x2)
    if pair[0].dtype == "bool":
        raise TypeError(
            "subtract: bools have no difference. Received: dtypes=bool, bool. Use logical_xor."
        )
    return apply("subtract", *pair)


@broadcasting_op
def multiply(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the product of elements; the conjunction for two bool tensors.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Example:

    >>> ops.multiply([1, 2], 3).numpy()
    array([3, 6], dtype=int32)
    """
    pair = promote(x1, x2)
    return apply("logical_and" if pair[0].dtype == "bool" else "multiply", *pair)


@broadcasting_op
def divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the quotient of elements, a float also for integers.

    Args:
        x1: the dividend.
        x2: the divisor; its shape broadcasts with that of `x1`.

    Returns:
        A float tensor of the broadcast shape.

    Example:

    >>> ops.divide([1, 2], 2).numpy()
    array([0.5, 1. ], dtype=float32)
    """
    return apply("divide", *promote_to_float(x1, x2))


@broadcasting_op
def true_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the quotient of elements; the same as `divide`.

    Args:
        x1: the dividend.
        x2: the divisor; its shape broadcasts with that of `x1`.

    Returns:
        A float tensor of the broadcast shape.

    Example:

    >>> ops.true_divide([1, 2], 2).numpy()
    array([0.5, 1. ], dtype=float32)
    """
    return apply("divide", *promote_to_float(x1, x2))


@broadcasting_op
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the quotient of elements, 0 where the divisor is 0.

    Args:
        x1: the dividend.
        x2: the divisor; its shape broadcasts with that of `x1`.

    Returns:
        A float tensor of the broadcast shape.

    Example:

    >>> ops.divide_no_nan([1.0, 2.0], [0.0, 2.0]).numpy()
    array([0., 1.], dtype=float32)
    """
    x1, x2 = promote_to_float(x1, x2)
    zero = scalar_like(0.0, x2)
    is_zero = apply("equal", x2, zero)
    divisor = apply("where", is_zero, scalar_like(1.0, x2), x2)
    return apply("where", is_zero, zero, apply("divide", x1, divisor))


@broadcasting_op
def floor_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the quotient of elements, rounded down.

    Args:
        x1: the dividend.
        x2: the divisor; its shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Example:

    >>> ops.floor_divide([7, -7], 2).numpy()
    array([ 3, -4], dtype=int32)
    """
    x1, x2 = (as_number(x) for x in promote(x1, x2))
    return apply("floor_divide", x1, x2)


@broadcasting_op
def mod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the remainder of the division rounded down; it has the sign of the divisor.

    Args:
        x1: the dividend.
        x2: the divisor; its shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Example:

    >>> ops.mod([7, -7], 3).numpy()
    array([1, 2], dtype=int32)
    """
    x1, x2 = (as_number(x) for x in promote(x1, x2))
    return apply("mod", x1, x2)


@broadcasting_op
def fmod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the remainder of the division rounded towards 0; it has the sign of the dividend.

    Args:
        x1: the dividend.
        x2: the divisor; its shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Example:

    >>> ops.fmod([7, -7], 3).numpy()
    array([ 1, -1], dtype=int32)
    """
    x1, x2 = (as_number(x) for x in promote(x1, x2))
    if x1.dtype.startswith("uint"):
        return apply("mod", x1, x2)
    magnitude = apply("mod", apply("abs", x1), apply("abs", x2))
    negative_x = apply("less", x1, scalar_like(0, x1))
    return apply("where", negative_x, apply("negative", magnitude), magnitude)


@broadcasting_op
def power(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the elements of `x1` to the power of those of `x2`.

    Args:
        x1: the base.
        x2: the exponent; its shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Example:

    >>> ops.power([2, 3], 2).numpy()
    array([4, 9], dtype=int32)
    """
    if type(x2) in (int, float):
        found = _simple_power(x1, x2)
        if found is not None:
            return found
    x1, x2 = (as_number(x) for x in promote(x1, x2))
    return apply("power", x1, x2)


def _simple_power(x: TensorLike, exponent: float) -> Tensor | None:
    """Returns powers that a cheaper function computes, which also rounds less."""
    if exponent in (2, 3):
        x = promote(x, exponent)[0]
        square = apply("multiply", x, x)
        return square if exponent == 2 else apply("multiply", square, x)
    name = {0.5: "sqrt", -0.5: "rsqrt", -1: "reciprocal"}.get(exponent)
    if name is None:
        return None
    x = promote(x, exponent)[0]
    return apply(name, x) if is_float(x) else None


@broadcasting_op
def maximum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the larger of elements; not-a-number where one of them is.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Example:

    >>> ops.maximum([1, 4], [3, 2]).numpy()
    array([3, 4], dtype=int32)
    """
    pair = promote(x1, x2)
    return apply("logical_or" if pair[0].dtype == "bool" else "maximum", *pair)


@broadcasting_op
def minimum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the smaller of elements; not-a-number where one of them is.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Example:

    >>> ops.minimum([1, 4], [3, 2]).numpy()
    array([1, 2], dtype=int32)
    """
    pair = promote(x1, x2)
    return apply("logical_and" if pair[0].dtype == "bool" else "minimum", *pair)


def _ignoring_nan(name: str, x1: TensorLike, x2: TensorLike) -> Tensor:
    x1, x2 = promote(x1, x2)
    if not is_float(x1):
        return (maximum if name == "maximum" else minimum)(x1, x2)
    found = apply(name, x1, x2)
    found = apply("where", apply("isnan", x1), x2, found)
    return apply("where", apply("isnan", x2), x1, found)


@broadcasting_op
def fmax(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the larger of elements; the other one where one is not a number.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Example:

    >>> ops.fmax([1.0, float("nan")], 0.0).numpy()
    array([1., 0.], dtype=float32)
    """
    return _ignoring_nan("maximum", x1, x2)


@broadcasting_op
def fmin(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the smaller of elements; the other one where one is not a number.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Example:

    >>> ops.fmin([1.0, float("nan")], 0.0).numpy()
    array([0., 0.], dtype=float32)
    """
    return _ignoring_nan("minimum", x1, x2)


@op
def negative(x: TensorLike) -> Tensor:
    """Returns the elements with the opposite sign.

    Args:
        x: a tensor of numbers.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        TypeError: for a bool tensor.

    Example:

    >>> ops.negative([1, -2]).numpy()
    array([-1,  2], dtype=int32)
    """
    x = as_tensor(x)
    if x.dtype == "bool":
        raise TypeError("negative: expected numbers. Received: dtype=bool. Use logical_not.")
    return apply("negative", x)


@op
def abs(x: TensorLike) -> Tensor:
    """Returns the elements without their sign.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape and dtype.

    Example:

    >>> ops.abs([1, -2]).numpy()
    array([1, 2], dtype=int32)
    """
    x = as_tensor(x)
    if x.dtype == "bool" or x.dtype.startswith("uint"):
        return as_tensor(x)
    return apply("abs", x)


@op
def absolute(x: TensorLike) -> Tensor:
    """Returns the elements without their sign; the same as `abs`.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape and dtype.

    Example:

    >>> ops.absolute([1, -2]).numpy()
    array([1, 2], dtype=int32)
    """
    return abs(x)


@op
def fabs(x: TensorLike) -> Tensor:
    """Returns the elements without their sign, as floats.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.fabs([1, -2]).numpy()
    array([1., 2.], dtype=float32)
    """
    return apply("abs", as_float(x))


@op
def sign(x: TensorLike) -> Tensor:
    """Returns -1, 0 or 1 for negative elements, zeros and positive elements.

    Args:
        x: a tensor of numbers.

    Returns:
        A tensor of the same shape and dtype.

    Example:

    >>> ops.sign([-3, 0, 5]).numpy()
    array([-1,  0,  1], dtype=int32)
    """
    x = as_number(x)
    if x.dtype.startswith("uint"):
        return apply("minimum", x, scalar_like(1, x))
    return apply("sign", x)


@op
def signbit(x: TensorLike) -> Tensor:
    """Returns whether the sign of each element is negative, also for -0.0.

    Args:
        x: a tensor.

    Returns:
        A bool tensor of the same shape.

    Example:

    >>> ops.signbit([-1.0, 0.0]).numpy()
    array([ True, False])
    """
    x = as_number(x)
    zero = scalar_like(0, x)
    found = apply("less", x, zero)
    if is_float(x):  # 1 / -0.0 is -inf
        inverse = apply("divide", scalar_like(1.0, x), x)
        negative_zero = apply("logical_and", apply("equal", x, zero), apply("less", inverse, zero))
        found = apply("logical_or", found, negative_zero)
    return found


@op
def square(x: TensorLike) -> Tensor:
    """Returns the square of each element.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape and dtype (int32 for bool).

    Example:

    >>> ops.square([2, 3]).numpy()
    array([4, 9], dtype=int32)
    """
    return apply("square", as_number(x))


@op
def clip(x: TensorLike, x_min: TensorLike, x_max: TensorLike) -> Tensor:
    """Returns the elements limited to an interval.

    Args:
        x: a tensor.
        x_min: the lower bound, or `None` for none.
        x_max: the upper bound, or `None` for none. It wins where it is below `x_min`.

    Returns:
        A tensor of the dtype of `x` (int32 for bool).

    Example:

    >>> ops.clip([0, 5, 9], 1, 6).numpy()
    array([1, 5, 6], dtype=int32)
    """
    x = as_number(x)
    found: Tensor = x
    if x_min is not None:
        found = apply("maximum", found, _bound(x_min, x, math.ceil))
    if x_max is not None:
        found = apply("minimum", found, _bound(x_max, x, math.floor))
    return found


def _bound(bound: TensorLike, x: Tensor, rounded: object) -> Tensor:
    """Returns a bound of the dtype of `x`; a bound beyond an integer dtype becomes its extreme."""
    if type(bound) in (int, float) and not is_float(x):
        if not math.isinf(bound):
            bound = rounded(bound)  # type: ignore[operator]
        low, high = _integer_range(x.dtype)
        bound = int(low if bound < low else high if bound > high else bound)
    return as_tensor(bound, x.dtype)


def _integer_range(dtype: str) -> tuple[int, int]:
    bits = int(dtype.lstrip("uint"))
    if dtype.startswith("u"):
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
