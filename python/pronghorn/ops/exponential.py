"""Elementwise powers of e, 2 and 10, logarithms and roots."""

from __future__ import annotations

from pronghorn.ops.arguments import TensorLike, apply, as_float
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor


@op
def exp(x: TensorLike) -> Tensor:
    """Returns e to the power of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.exp([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return apply("exp", as_float(x))


@op
def exp2(x: TensorLike) -> Tensor:
    """Returns 2 to the power of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.exp2([3.0]).numpy()
    array([8.], dtype=float32)
    """
    return apply("exp2", as_float(x))


@op
def expm1(x: TensorLike) -> Tensor:
    """Returns e to the power of each element minus 1, exactly also near 0.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.expm1([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("expm1", as_float(x))


@op
def log(x: TensorLike) -> Tensor:
    """Returns the natural logarithm of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.log([1.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("log", as_float(x))


@op
def log1p(x: TensorLike) -> Tensor:
    """Returns the natural logarithm of 1 plus each element, exactly also near 0.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.log1p([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("log1p", as_float(x))


@op
def log2(x: TensorLike) -> Tensor:
    """Returns the base 2 logarithm of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.log2([8.0]).numpy()
    array([3.], dtype=float32)
    """
    return apply("log2", as_float(x))


@op
def log10(x: TensorLike) -> Tensor:
    """Returns the base 10 logarithm of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.log10([1.0]).numpy()
    array([0.], dtype=float32)
    """
    return apply("log10", as_float(x))


@op
def sqrt(x: TensorLike) -> Tensor:
    """Returns the non-negative square root of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.sqrt([9.0]).numpy()
    array([3.], dtype=float32)
    """
    return apply("sqrt", as_float(x))


@op
def rsqrt(x: TensorLike) -> Tensor:
    """Returns 1 divided by the square root of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.rsqrt([4.0]).numpy()
    array([0.5], dtype=float32)
    """
    return apply("rsqrt", as_float(x))


@op
def cbrt(x: TensorLike) -> Tensor:
    """Returns the cube root of each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.cbrt([8.0]).numpy()
    array([2.], dtype=float32)
    """
    return apply("cbrt", as_float(x))


@op
def reciprocal(x: TensorLike) -> Tensor:
    """Returns 1 divided by each element.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.reciprocal([4.0]).numpy()
    array([0.25], dtype=float32)
    """
    return apply("reciprocal", as_float(x))
