"""Activation functions."""

from __future__ import annotations

from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_float,
    as_number,
    scalar_like,
)
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor


def _limited(x: Tensor, low: float, high: float) -> Tensor:
    if x.dtype.startswith("uint"):
        low = max(0, low)
    return apply("minimum", apply("maximum", x, scalar_like(low, x)), scalar_like(high, x))


def _scaled(x: Tensor, factor: float) -> Tensor:
    return apply("multiply", x, scalar_like(factor, x))


def _shifted(x: Tensor, by: float) -> Tensor:
    return apply("add", x, scalar_like(by, x))


def _exponential_below(x: Tensor, scale: float, rate: float) -> Tensor:
    """Returns x where it is positive and scale * (exp(rate * x) - 1) elsewhere."""
    zero = scalar_like(0.0, x)
    below = _scaled(apply("expm1", _scaled(apply("minimum", x, zero), rate)), scale)
    return apply("where", apply("greater", x, zero), x, below)


@op
def relu(x: TensorLike) -> Tensor:
    """Returns the elements with 0 in the place of negative ones.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape.

    Example:

    >>> ops.relu([-1.0, 2.0]).numpy()
    array([0., 2.], dtype=float32)
    """
    x = as_number(x)
    return apply("relu", x)


@op
def relu6(x: TensorLike) -> Tensor:
    """Returns the elements limited to [0, 6].

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.relu6([-1.0, 8.0]).numpy()
    array([0., 6.], dtype=float32)
    """
    x = as_float(x)
    return _limited(x, 0.0, 6.0)


@op
def sigmoid(x: TensorLike) -> Tensor:
    """Returns `1 / (1 + exp(-x))`.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.sigmoid([0.0]).numpy()
    array([0.5], dtype=float32)
    """
    x = as_float(x)
    return apply("sigmoid", x)


@op
def log_sigmoid(x: TensorLike) -> Tensor:
    """Returns the logarithm of the sigmoid, without overflow.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.log_sigmoid([0.0]).shape
    (1,)
    """
    x = as_float(x)
    return apply("negative", apply("softplus", apply("negative", x)))


@op
def hard_sigmoid(x: TensorLike) -> Tensor:
    """Returns a sigmoid of three straight lines, `relu6(x + 3) / 6`.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.hard_sigmoid([0.0]).numpy()
    array([0.5], dtype=float32)
    """
    x = as_float(x)
    return _scaled(_limited(_shifted(x, 3.0), 0.0, 6.0), 1.0 / 6.0)


@op
def sparse_sigmoid(x: TensorLike) -> Tensor:
    """Returns 0 up to -1, 1 from 1 on, and a straight line between.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.sparse_sigmoid([0.0]).numpy()
    array([0.5], dtype=float32)
    """
    x = as_float(x)
    return _limited(_scaled(_shifted(x, 1.0), 0.5), 0.0, 1.0)


@op
def silu(x: TensorLike) -> Tensor:
    """Returns `x * sigmoid(x)`.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.silu([0.0]).numpy()
    array([0.], dtype=float32)
    """
    x = as_float(x)
    return apply("silu", x)


@op
def swish(x: TensorLike) -> Tensor:
    """Returns `x * sigmoid(x)`; the same as `silu`.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.swish([0.0]).numpy()
    array([0.], dtype=float32)
    """
    x = as_float(x)
    return apply("silu", x)


@op
def hard_silu(x: TensorLike) -> Tensor:
    """Returns `x * hard_sigmoid(x)`.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.hard_silu([3.0]).numpy()
    array([3.], dtype=float32)
    """
    x = as_float(x)
    gate = _scaled(_limited(_shifted(x, 3.0), 0.0, 6.0), 1.0 / 6.0)
    return apply("multiply", x, gate)


@op
def hard_swish(x: TensorLike) -> Tensor:
    """Returns `x * hard_sigmoid(x)`; the same as `hard_silu`.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.hard_swish([3.0]).numpy()
    array([3.], dtype=float32)
    """
    x = as_float(x)
    gate = _scaled(_limited(_shifted(x, 3.0), 0.0, 6.0), 1.0 / 6.0)
    return apply("multiply", x, gate)


@op
def hard_tanh(x: TensorLike) -> Tensor:
    """Returns the elements limited to [-1, 1].

    Args:
        x: a tensor.

    Returns:
        A tensor of the same shape.

    Example:

    >>> ops.hard_tanh([-2.0, 0.5]).numpy()
    array([-1. ,  0.5], dtype=float32)
    """
    x = as_number(x)
    return _limited(x, -1, 1)


@op
def tanh_shrink(x: TensorLike) -> Tensor:
    """Returns `x - tanh(x)`.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.tanh_shrink([0.0]).numpy()
    array([0.], dtype=float32)
    """
    x = as_float(x)
    return apply("subtract", x, apply("tanh", x))


@op
def softplus(x: TensorLike) -> Tensor:
    """Returns `log(1 + exp(x))`, a smooth relu.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.softplus([0.0]).shape
    (1,)
    """
    x = as_float(x)
    return apply("softplus", x)


@op
def softsign(x: TensorLike) -> Tensor:
    """Returns `x / (1 + abs(x))`.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.softsign([1.0]).numpy()
    array([0.5], dtype=float32)
    """
    x = as_float(x)
    return apply("divide", x, _shifted(apply("abs", x), 1.0))


@op
def squareplus(x: TensorLike, b: float = 4) -> Tensor:
    """Returns `(x + sqrt(x**2 + b)) / 2`, a smooth relu without exponentials.

    Args:
        x: a tensor.
        b: how smooth.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.squareplus([0.0]).numpy()
    array([1.], dtype=float32)
    """
    x = as_float(x)
    root = apply("sqrt", _shifted(apply("square", x), float(b)))
    return _scaled(apply("add", x, root), 0.5)


@op
def sparse_plus(x: TensorLike) -> Tensor:
    """Returns 0 up to -1, `x` from 1 on, and a parabola between.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.sparse_plus([-2.0, 0.0, 2.0]).numpy()
    array([0.  , 0.25, 2.  ], dtype=float32)
    """
    x = as_float(x)
    half = _scaled(_shifted(x, 1.0), 0.5)
    one = scalar_like(1.0, x)
    middle = apply("square", _limited(half, 0.0, 1.0))
    return apply("where", apply("less", x, one), middle, x)


@op
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """Returns `x` where it is positive and `alpha * (exp(x) - 1)` elsewhere.

    Args:
        x: a tensor.
        alpha: the scale of the negative side.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.elu([0.0, 2.0]).numpy()
    array([0., 2.], dtype=float32)
    """
    x = as_float(x)
    return _exponential_below(x, float(alpha), 1.0)


@op
def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """Returns `x` where it is positive and `alpha * (exp(x / alpha) - 1)` elsewhere.

    Args:
        x: a tensor.
        alpha: the scale of the negative side.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.celu([0.0, 2.0]).numpy()
    array([0., 2.], dtype=float32)
    """
    x = as_float(x)
    return _exponential_below(x, float(alpha), 1.0 / float(alpha))


@op
def selu(x: TensorLike) -> Tensor:
    """Returns the scaled exponential linear unit (Klambauer 2017), which keeps mean and variance.

    Args:
        x: a tensor.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.selu([0.0]).numpy()
    array([0.], dtype=float32)
    """
    x = as_float(x)
    return _scaled(_exponential_below(x, 1.6732632423543772, 1.0), 1.0507009873554805)


@op
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """Returns `x` where it is positive and `negative_slope * x` elsewhere.

    Args:
        x: a tensor.
        negative_slope: the slope of the negative side.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.leaky_relu([-1.0, 2.0]).numpy()
    array([-0.2,  2. ], dtype=float32)
    """
    x = as_float(x)
    below = _scaled(x, float(negative_slope))
    return apply("where", apply("less", x, scalar_like(0.0, x)), below, x)


@op
def gelu(x: TensorLike, approximate: bool = True) -> Tensor:
    """Returns `x * P(X <= x)` for a standard normal X.

    Args:
        x: a tensor.
        approximate: whether to compute it by tanh.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.gelu([0.0]).numpy()
    array([0.], dtype=float32)
    """
    x = as_float(x)
    return apply("gelu_tanh" if approximate else "gelu", x)


@op
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """Returns the elements with 0 in the place of those in [-threshold, threshold].

    Args:
        x: a tensor.
        threshold: the end of the interval.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.hard_shrink([0.2, 2.0]).numpy()
    array([0., 2.], dtype=float32)
    """
    x = as_float(x)
    far = apply("greater", apply("abs", x), scalar_like(threshold, x))
    return apply("where", far, x, scalar_like(0.0, x))


@op
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """Returns the elements moved towards 0 by a threshold, not beyond.

    Args:
        x: a tensor.
        threshold: by how much.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.soft_shrink([0.2, 2.0]).numpy()
    array([0. , 1.5], dtype=float32)
    """
    x = as_float(x)
    return apply("subtract", x, _limited(x, -threshold, threshold))


@op
def threshold(x: TensorLike, threshold: float, default_value: float) -> Tensor:
    """Returns the elements that exceed a threshold and a default value for the others.

    Args:
        x: a tensor.
        threshold: what elements must exceed.
        default_value: what stands for the others.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.threshold([0.2, 2.0], 1.0, 9.0).numpy()
    array([9., 2.], dtype=float32)
    """
    x = as_float(x)
    beyond = apply("greater", x, scalar_like(threshold, x))
    return apply("where", beyond, x, scalar_like(default_value, x))
