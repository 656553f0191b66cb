"""Elementwise rounding, and the parts of numbers that are never complex here."""

from __future__ import annotations

import math

from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_float,
    as_number,
    as_tensor,
    is_float,
    scalar_like,
)
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor


@op
def floor(x: TensorLike) -> Tensor:
    """Rounds down to whole numbers.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.floor([1.5, -1.5]).numpy()
    array([ 1., -2.], dtype=float32)
    """
    return apply("floor", as_float(x))


@op
def ceil(x: TensorLike) -> Tensor:
    """Rounds up to whole numbers.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.ceil([1.5, -1.5]).numpy()
    array([ 2., -1.], dtype=float32)
    """
    return apply("ceil", as_float(x))


@op
def trunc(x: TensorLike) -> Tensor:
    """Rounds towards 0 to whole numbers.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape and dtype.

    Example:

    >>> ops.trunc([1.5, -1.5]).numpy()
    array([ 1., -1.], dtype=float32)
    """
    x = as_tensor(x)
    return apply("trunc", x) if is_float(x) else x


@op
def round(x: TensorLike, decimals: int = 0) -> Tensor:
    """Rounds to a number of decimals, halves to the even neighbour.

    Args:
        x: a tensor.
        decimals: how many digits after the point to keep; negative to round before it.

    Returns:
        A tensor of the same shape and dtype (int32 for bool).

    Example:

    >>> ops.round([0.5, 1.5, 2.4]).numpy()
    array([0., 2., 2.], dtype=float32)
    """
    x = as_number(x)
    if decimals == 0:
        return apply("round", x) if is_float(x) else x
    if not is_float(x):
        if decimals > 0:
            return as_tensor(x)
        scaled = round(as_tensor(x, "float32"), decimals)
        return as_tensor(scaled, x.dtype)
    factor = scalar_like(10.0 ** int(math.fabs(decimals)), x)
    up, down = ("multiply", "divide") if decimals > 0 else ("divide", "multiply")
    return apply(down, apply("round", apply(up, x, factor)), factor)


@op
def conj(x: TensorLike) -> Tensor:
    """Returns the complex conjugate, which is `x` as no tensor is complex.

    Args:
        x: a tensor.

    Returns:
        `x` as a tensor.

    Example:

    >>> ops.conj([1.0]).numpy()
    array([1.], dtype=float32)
    """
    return as_tensor(x)


@op
def conjugate(x: TensorLike) -> Tensor:
    """Returns the complex conjugate, which is `x` as no tensor is complex.

    Args:
        x: a tensor.

    Returns:
        `x` as a tensor.

    Example:

    >>> ops.conjugate([1.0]).numpy()
    array([1.], dtype=float32)
    """
    return as_tensor(x)


@op
def real(x: TensorLike) -> Tensor:
    """Returns the real part, which is `x` as no tensor is complex.

    Args:
        x: a tensor.

    Returns:
        `x` as a tensor.

    Example:

    >>> ops.real([1.0]).numpy()
    array([1.], dtype=float32)
    """
    return as_tensor(x)


@op
def imag(x: TensorLike) -> Tensor:
    """Returns the imaginary part: zeros, as no tensor is complex.

    Args:
        x: a tensor.

    Returns:
        Zeros of the same shape and dtype.

    Example:

    >>> ops.imag([1.0]).numpy()
    array([0.], dtype=float32)
    """
    x = as_tensor(x)
    return apply("broadcast_to", scalar_like(0, x), shape=list(x.shape))


@op
def angle(x: TensorLike) -> Tensor:
    """Returns the complex argument: 0 for elements that are not negative, pi for the others.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape, in radians.

    Example:

    >>> ops.angle([1.0, 2.0]).numpy()
    array([0., 0.], dtype=float32)
    """
    x = as_float(x)
    return apply("arctan2", scalar_like(0.0, x), x)
