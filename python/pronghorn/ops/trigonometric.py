"""Elementwise trigonometric and hyperbolic functions and their inverses."""

from __future__ import annotations

import math

from pronghorn.ops.arguments import TensorLike, apply, as_float, promote_to_float, scalar_like
from pronghorn.ops.broadcasting import broadcasting_op
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor


@op
def sin(x: TensorLike) -> Tensor:
    """Returns the sine of each element, in radians.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.sin([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("sin", as_float(x))


@op
def cos(x: TensorLike) -> Tensor:
    """Returns the cosine of each element, in radians.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.cos([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return apply("cos", as_float(x))


@op
def tan(x: TensorLike) -> Tensor:
    """Returns the tangent of each element, in radians.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.tan([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("tan", as_float(x))


@op
def arcsin(x: TensorLike) -> Tensor:
    """Returns the angle in [-pi/2, pi/2] whose sine each element is.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.arcsin([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("arcsin", as_float(x))


@op
def arccos(x: TensorLike) -> Tensor:
    """Returns the angle in [0, pi] whose cosine each element is.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.arccos([1.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("arccos", as_float(x))


@op
def arctan(x: TensorLike) -> Tensor:
    """Returns the angle in [-pi/2, pi/2] whose tangent each element is.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.arctan([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("arctan", as_float(x))


@op
def sinh(x: TensorLike) -> Tensor:
    """Returns the hyperbolic sine of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.sinh([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("sinh", as_float(x))


@op
def cosh(x: TensorLike) -> Tensor:
    """Returns the hyperbolic cosine of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.cosh([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return apply("cosh", as_float(x))


@op
def tanh(x: TensorLike) -> Tensor:
    """Returns the hyperbolic tangent of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.tanh([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("tanh", as_float(x))


@op
def arcsinh(x: TensorLike) -> Tensor:
    """Returns the inverse hyperbolic sine of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.arcsinh([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("arcsinh", as_float(x))


@op
def arccosh(x: TensorLike) -> Tensor:
    """Returns the inverse hyperbolic cosine of each element (at least 1).

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.arccosh([1.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("arccosh", as_float(x))


@op
def arctanh(x: TensorLike) -> Tensor:
    """Returns the inverse hyperbolic tangent of each element (in [-1, 1]).

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.arctanh([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("arctanh", as_float(x))


@broadcasting_op
def arctan2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the angle of each point (x2, x1) in (-pi, pi], from the signs of both coordinates.

    Args:
        x1: the y coordinates.
        x2: the x coordinates.

    Returns:
        A float tensor of the broadcast shape, in radians.

    Example:

    >>> ops.arctan2([0.0], [1.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("arctan2", *promote_to_float(x1, x2))


@op
def deg2rad(x: TensorLike) -> Tensor:
    """Converts degrees to radians.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.deg2rad([0.0]).numpy()
    array([0.], dtype=float32)
    """
    x = as_float(x)
    return apply("multiply", x, scalar_like(math.pi / 180.0, x))


@op
def rad2deg(x: TensorLike) -> Tensor:
    """Converts radians to degrees.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.rad2deg([0.0]).numpy()
    array([0.], dtype=float32)
    """
    x = as_float(x)
    return apply("multiply", x, scalar_like(180.0 / math.pi, x))


@broadcasting_op
def hypot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the length of the hypotenuse, `sqrt(x1**2 + x2**2)`, without overflow.

    Args:
        x1: one leg.
        x2: the other leg.

    Returns:
        A float tensor of the broadcast shape.

    Example:

    >>> ops.hypot([3.0], [4.0]).numpy()
    array([5.], dtype=float32)
    """
    x1, x2 = promote_to_float(x1, x2)
    x1, x2 = apply("abs", x1), apply("abs", x2)
    large, small = apply("maximum", x1, x2), apply("minimum", x1, x2)
    zero, one = scalar_like(0.0, large), scalar_like(1.0, large)
    is_zero = apply("equal", large, zero)
    ratio = apply("divide", small, apply("where", is_zero, one, large))
    root = apply("sqrt", apply("add", one, apply("multiply", ratio, ratio)))
    finite = apply("multiply", large, root)
    infinite = scalar_like(math.inf, large)
    return apply("where", apply("equal", large, infinite), infinite, finite)


@op
def sinc(x: TensorLike) -> Tensor:
    """Returns `sin(pi * x) / (pi * x)` of each element, 1 at 0.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.sinc([0.0]).numpy()
    array([1.], dtype=float32)
    """
    x = as_float(x)
    one = scalar_like(1.0, x)
    is_zero = apply("equal", x, scalar_like(0.0, x))
    angle = apply("multiply", apply("where", is_zero, one, x), scalar_like(math.pi, x))
    return apply("where", is_zero, one, apply("divide", apply("sin", angle), angle))
