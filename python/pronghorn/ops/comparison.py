"""Elementwise comparisons, logic and questions about floats."""

from __future__ import annotations

import math

from pronghorn.ops.arguments import (
    TensorLike,
    apply,
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
def equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns whether elements are equal.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A bool tensor of the broadcast shape.

    Example:

    >>> ops.equal([1, 2], [1, 3]).numpy()
    array([ True, False])
    """
    return apply("equal", *promote(x1, x2))


@broadcasting_op
def not_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns whether elements differ.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A bool tensor of the broadcast shape.

    Example:

    >>> ops.not_equal([1, 2], [1, 3]).numpy()
    array([False,  True])
    """
    return apply("not_equal", *promote(x1, x2))


@broadcasting_op
def less(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns whether elements of `x1` are less than those of `x2`.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A bool tensor of the broadcast shape.

    Example:

    >>> ops.less([1, 2], [2, 2]).numpy()
    array([ True, False])
    """
    return apply("less", *promote(x1, x2))


@broadcasting_op
def less_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns whether elements of `x1` are at most those of `x2`.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A bool tensor of the broadcast shape.

    Example:

    >>> ops.less_equal([1, 3], [2, 2]).numpy()
    array([ True, False])
    """
    return apply("less_equal", *promote(x1, x2))


@broadcasting_op
def greater(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns whether elements of `x1` are greater than those of `x2`.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A bool tensor of the broadcast shape.

    Example:

    >>> ops.greater([3, 2], [2, 2]).numpy()
    array([ True, False])
    """
    return apply("greater", *promote(x1, x2))


@broadcasting_op
def greater_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns whether elements of `x1` are at least those of `x2`.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A bool tensor of the broadcast shape.

    Example:

    >>> ops.greater_equal([2, 1], [2, 2]).numpy()
    array([ True, False])
    """
    return apply("greater_equal", *promote(x1, x2))


@broadcasting_op
def logical_and(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns whether both elements are true (not 0).

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A bool tensor of the broadcast shape.

    Example:

    >>> ops.logical_and([True, True], [True, False]).numpy()
    array([ True, False])
    """
    return apply("logical_and", as_tensor(x1, "bool"), as_tensor(x2, "bool"))


@broadcasting_op
def logical_or(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns whether at least one of both elements is true (not 0).

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A bool tensor of the broadcast shape.

    Example:

    >>> ops.logical_or([True, False], [False, False]).numpy()
    array([ True, False])
    """
    return apply("logical_or", as_tensor(x1, "bool"), as_tensor(x2, "bool"))


@broadcasting_op
def logical_xor(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns whether exactly one of both elements is true (not 0).

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.

    Returns:
        A bool tensor of the broadcast shape.

    Example:

    >>> ops.logical_xor([True, True], [False, True]).numpy()
    array([ True, False])
    """
    return apply("logical_xor", as_tensor(x1, "bool"), as_tensor(x2, "bool"))


@op
def logical_not(x: TensorLike) -> Tensor:
    """Returns whether each element is false (0).

    Args:
        x: a tensor.

    Returns:
        A bool tensor of the same shape.

    Example:

    >>> ops.logical_not([True, False]).numpy()
    array([False,  True])
    """
    return apply("logical_not", as_tensor(x, "bool"))


def _float_test(name: str, x: TensorLike, otherwise: bool) -> Tensor:
    x = as_tensor(x)
    if not is_float(x):
        return apply("broadcast_to", as_tensor(otherwise, "bool"), shape=list(x.shape))
    return apply(name, x)


@op
def isnan(x: TensorLike) -> Tensor:
    """Returns whether each element is not a number.

    Args:
        x: a tensor.

    Returns:
        A bool tensor of the same shape.

    Example:

    >>> ops.isnan([1.0, float("nan")]).numpy()
    array([False,  True])
    """
    return _float_test("isnan", x, False)


@op
def isinf(x: TensorLike) -> Tensor:
    """Returns whether each element is infinite, of either sign.

    Args:
        x: a tensor.

    Returns:
        A bool tensor of the same shape.

    Example:

    >>> ops.isinf([1.0, float("-inf")]).numpy()
    array([False,  True])
    """
    return _float_test("isinf", x, False)


@op
def isfinite(x: TensorLike) -> Tensor:
    """Returns whether each element is neither infinite nor not a number.

    Args:
        x: a tensor.

    Returns:
        A bool tensor of the same shape.

    Example:

    >>> ops.isfinite([1.0, float("inf")]).numpy()
    array([ True, False])
    """
    return _float_test("isfinite", x, True)


@op
def isneginf(x: TensorLike) -> Tensor:
    """Returns whether each element is minus infinity.

    Args:
        x: a tensor.

    Returns:
        A bool tensor of the same shape.

    Example:

    >>> ops.isneginf([float("inf"), float("-inf")]).numpy()
    array([False,  True])
    """
    x = as_tensor(x)
    if not is_float(x):
        return _float_test("isinf", x, False)
    return apply("equal", x, scalar_like(-math.inf, x))


@op
def isposinf(x: TensorLike) -> Tensor:
    """Returns whether each element is plus infinity.

    Args:
        x: a tensor.

    Returns:
        A bool tensor of the same shape.

    Example:

    >>> ops.isposinf([float("inf"), float("-inf")]).numpy()
    array([ True, False])
    """
    x = as_tensor(x)
    if not is_float(x):
        return _float_test("isinf", x, False)
    return apply("equal", x, scalar_like(math.inf, x))


@op
def isreal(x: TensorLike) -> Tensor:
    """Returns whether each element is real: always true, as no tensor is complex.

    Args:
        x: a tensor.

    Returns:
        A bool tensor of the same shape.

    Example:

    >>> ops.isreal([1.0]).numpy()
    array([ True])
    """
    x = as_tensor(x)
    return apply("broadcast_to", as_tensor(True, "bool"), shape=list(x.shape))


@broadcasting_op
def isclose(
    x1: TensorLike,
    x2: TensorLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """Returns whether elements are equal within a tolerance, `atol + rtol * abs(x2)`.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.
        rtol: relative tolerance.
        atol: absolute tolerance.
        equal_nan: whether two not-a-numbers are close.

    Returns:
        A bool tensor of the broadcast shape.

    Example:

    >>> ops.isclose([1.0, 2.0], [1.0, 2.1]).numpy()
    array([ True, False])
    """
    x1, x2 = promote_to_float(x1, x2)
    bound = apply(
        "add",
        scalar_like(atol, x1),
        apply("multiply", scalar_like(rtol, x1), apply("abs", x2)),
    )
    near = apply("less_equal", apply("abs", apply("subtract", x1, x2)), bound)
    near = apply("logical_and", near, apply("isfinite", x2))
    found = apply("logical_or", near, apply("equal", x1, x2))
    if equal_nan:
        both = apply("logical_and", apply("isnan", x1), apply("isnan", x2))
        found = apply("logical_or", found, both)
    return found


@op
def allclose(
    x1: TensorLike,
    x2: TensorLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """Returns whether all elements are equal within a tolerance, as `isclose` defines it.

    Args:
        x1: a tensor.
        x2: a tensor; its shape broadcasts with that of `x1`.
        rtol: relative tolerance.
        atol: absolute tolerance.
        equal_nan: whether two not-a-numbers are close.

    Returns:
        A bool scalar.

    Example:

    >>> bool(ops.allclose([1.0, 2.0], [1.0, 2.0]))
    True
    """
    close = isclose(x1, x2, rtol, atol, equal_nan)
    return apply("reduce_all", close, axes=list(range(close.ndim)), keepdims=False)
