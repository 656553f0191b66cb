"""Elementwise functions beyond arithmetic: error functions, logarithms of sums, steps, divisors."""

from __future__ import annotations

import math

import numpy as np

from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_float,
    as_tensor,
    broadcast_shapes,
    concrete,
    is_float,
    promote,
    promote_to_float,
    scalar_like,
)
from pronghorn.ops.broadcasting import broadcasting_op
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor, convert_to_tensor

# Exponent of erfc as a polynomial of 1 / (1 + x / 2), relative error 1.2e-7 (Press et al.,
# Numerical Recipes, section 6.2).
_ERFC = (
    -1.26551223,
    1.00002368,
    0.37409196,
    0.09678418,
    -0.18628806,
    0.27886807,
    -1.13520398,
    1.48851587,
    -0.82215223,
    0.17087277,
)
# Series of the modified Bessel function I0 (Abramowitz and Stegun, 9.8.1 and 9.8.2).
_I0_SMALL = (1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813)
_I0_LARGE = (
    0.39894228,
    0.01328592,
    0.00225319,
    -0.00157565,
    0.00916281,
    -0.02057706,
    0.02635537,
    -0.01647633,
    0.00392377,
)


@op
def erf(x: TensorLike) -> Tensor:
    """Returns the error function of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.erf([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("erf", as_float(x))


@op
def erfc(x: TensorLike) -> Tensor:
    """Returns 1 minus the error function of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.erfc([0.0]).numpy()
    array([1.], dtype=float32)
    """
    x = as_float(x)
    size = apply("abs", x)
    half, one = scalar_like(0.5, x), scalar_like(1.0, x)
    t = apply("reciprocal", apply("add", one, apply("multiply", half, size)))
    exponent = apply("subtract", _polynomial(t, _ERFC), apply("square", size))
    tail = apply("multiply", t, apply("exp", exponent))
    below = apply("subtract", scalar_like(2.0, x), tail)
    return apply("where", apply("less", x, scalar_like(0.0, x)), below, tail)


@op
def erfinv(x: TensorLike) -> Tensor:
    """Returns the inverse of the error function of each element.

    Args:
        x: a tensor of values in (-1, 1).

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.erfinv([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("erfinv", as_float(x))


@broadcasting_op
def logaddexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns `log(exp(x1) + exp(x2))` without overflow.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A float tensor of the broadcast shape.

    Example:

    >>> ops.logaddexp([0.0], [float("-inf")]).numpy()
    array([0.], dtype=float32)
    """
    x1, x2 = promote_to_float(x1, x2)
    return _log_add_exp(x1, x2, "exp", "log1p", 1.0)


@broadcasting_op
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns `log2(2**x1 + 2**x2)` without overflow.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A float tensor of the broadcast shape.

    Example:

    >>> ops.logaddexp2([1.0], [1.0]).numpy()
    array([2.], dtype=float32)
    """
    x1, x2 = promote_to_float(x1, x2)
    return _log_add_exp(x1, x2, "exp2", "log1p", 1.0 / math.log(2.0))


def _log_add_exp(x1: Tensor, x2: Tensor, exp: str, log1p: str, scale: float) -> Tensor:
    larger = apply("maximum", x1, x2)
    same = apply("equal", x1, x2)  # infinities of one sign: their difference is not a number
    zero = scalar_like(0.0, x1)
    gap = apply("where", same, zero, apply("negative", apply("abs", apply("subtract", x1, x2))))
    more = apply("multiply", apply(log1p, apply(exp, gap)), scalar_like(scale, x1))
    return apply("add", larger, more)


@broadcasting_op
def heaviside(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns 0 for negative elements, `x2` for zeros and 1 for positive elements.

    Args:
        x1: a tensor.
        x2: the value at 0; its shape broadcasts with that of `x1`.

    Returns:
        A float tensor of the broadcast shape.

    Example:

    >>> ops.heaviside([-1.0, 0.0, 2.0], 0.5).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    x1, x2 = promote_to_float(x1, x2)
    zero = scalar_like(0.0, x1)
    step = apply("where", apply("less", x1, zero), zero, scalar_like(1.0, x1))
    found = apply("where", apply("equal", x1, zero), x2, step)
    return apply("where", apply("isnan", x1), x1, found)


@broadcasting_op
def ldexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns `x1 * 2**x2`.

    Args:
        x1: a tensor; integers are taken as `config.floatx()`.
        x2: an integer tensor; its shape broadcasts with that of `x1`.

    Returns:
        A float tensor of the broadcast shape.

    Raises:
        ValueError: if `x2` is not an integer tensor.

    Example:

    >>> ops.ldexp([1.5], [2]).numpy()
    array([6.], dtype=float32)
    """
    x2 = as_tensor(x2)
    if is_float(x2) or x2.dtype == "bool":
        raise ValueError(f"ldexp: expected an integer exponent. Received: x2.dtype={x2.dtype}.")
    x1 = promote_to_float(x1, x2)[0]
    # two steps: 2**x2 alone may be out of range where the product is not
    half = apply("right_shift", x2, scalar_like(1, x2))
    rest = apply("subtract", x2, half)
    found = apply("multiply", x1, apply("exp2", as_tensor(half, x1.dtype)))
    return apply("multiply", found, apply("exp2", as_tensor(rest, x1.dtype)))


@op
def nan_to_num(
    x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Replaces not-a-numbers and infinities by numbers.

    Args:
        x: a tensor.
        nan: what stands for not-a-number.
        posinf: what stands for infinity; by default the largest number of the dtype.
        neginf: what stands for minus infinity; by default the smallest number of the dtype.

    Returns:
        A tensor of the same shape and dtype.

    Example:

    >>> ops.nan_to_num([1.0, float("nan")]).numpy()
    array([1., 0.], dtype=float32)
    """
    x = as_tensor(x)
    if not is_float(x):
        return as_tensor(x)
    largest = {"float16": 65504.0, "bfloat16": 3.3895313892515355e38}.get(
        x.dtype, float(np.finfo(np.float32).max)
    )
    high = scalar_like(largest if posinf is None else posinf, x)
    low = scalar_like(-largest if neginf is None else neginf, x)
    found = apply("where", apply("isnan", x), scalar_like(nan, x), x)
    found = apply("where", apply("equal", x, scalar_like(math.inf, x)), high, found)
    return apply("where", apply("equal", x, scalar_like(-math.inf, x)), low, found)


@op
def i0(x: TensorLike) -> Tensor:
    """Returns the modified Bessel function of the first kind, order 0, of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.i0([0.0]).numpy()
    array([1.], dtype=float32)
    """
    x = as_float(x)
    size = apply("abs", x)
    bound = scalar_like(3.75, x)
    is_small = apply("less", size, bound)
    ratio = apply("divide", apply("minimum", size, bound), bound)
    small = _polynomial(apply("multiply", ratio, ratio), _I0_SMALL)
    large_x = apply("maximum", size, bound)
    series = _polynomial(apply("divide", bound, large_x), _I0_LARGE)
    large = apply(
        "multiply", apply("multiply", apply("exp", large_x), apply("rsqrt", large_x)), series
    )
    return apply("where", is_small, small, large)


def _polynomial(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    found = scalar_like(coefficients[-1], x)
    for c in coefficients[-2::-1]:
        found = apply("add", apply("multiply", found, x), scalar_like(c, x))
    return found


def _integer_pair(name: str, x1: TensorLike, x2: TensorLike) -> tuple[Tensor, Tensor]:
    x1, x2 = promote(x1, x2)
    if is_float(x1) or x1.dtype == "bool":
        raise TypeError(f"{name}: expected integers. Received: dtype={x1.dtype}.")
    shape = broadcast_shapes(name, x1.shape, x2.shape)
    return apply("broadcast_to", x1, shape=shape), apply("broadcast_to", x2, shape=shape)


@broadcasting_op
def gcd(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the greatest common divisor of elements.

    Args:
        x1: an integer tensor.
        x2: an integer tensor; its shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, not negative.

    Raises:
        TypeError: for floats and bools.

    Example:

    >>> ops.gcd([12, 7], [18, 21]).numpy()
    array([6, 7], dtype=int32)
    """
    a, b = _integer_pair("gcd", x1, x2)
    if not a.dtype.startswith("uint"):
        a, b = apply("abs", a), apply("abs", b)
    # Euclid's algorithm, with as many steps as the worst case (Fibonacci numbers) can take
    bits = int(a.dtype.lstrip("uint"))
    zero, one = scalar_like(0, a), scalar_like(1, a)
    for _ in range(int(bits * 1.45) + 1):
        is_done = apply("equal", b, zero)
        remainder = apply("mod", a, apply("where", is_done, one, b))
        a, b = apply("where", is_done, a, b), apply("where", is_done, zero, remainder)
    return a


@broadcasting_op
def lcm(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the least common multiple of elements.

    Args:
        x1: an integer tensor.
        x2: an integer tensor; its shape broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, not negative.

    Raises:
        TypeError: for floats and bools.

    Example:

    >>> ops.lcm([4], [6]).numpy()
    array([12], dtype=int32)
    """
    a, b = _integer_pair("lcm", x1, x2)
    if not a.dtype.startswith("uint"):
        a, b = apply("abs", a), apply("abs", b)
    divisor = gcd(a, b)
    divisor = apply("maximum", divisor, scalar_like(1, a))
    return apply("multiply", apply("floor_divide", a, divisor), b)


@broadcasting_op
def nextafter(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the next representable number after each element of `x1`, towards `x2`.

    It is computed by NumPy: the arguments cannot be traced.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A float tensor of the broadcast shape.

    Example:

    >>> ops.nextafter([0.0], [1.0]).numpy() > 0
    array([ True])
    """
    x1, x2 = promote_to_float(x1, x2)
    found = np.nextafter(concrete(x1, "nextafter", "x1"), concrete(x2, "nextafter", "x2"))
    return convert_to_tensor(found, x1.dtype)
