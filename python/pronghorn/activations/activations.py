"""The activation functions. Each takes a tensor of any shape and returns one of the same shape."""

from __future__ import annotations

from typing import Any

from pronghorn import ops


def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """Rectified linear unit: `max(x, 0)` by default.

    With other arguments: `max_value` for `x >= max_value`, `x` for `threshold < x < max_value`,
    `negative_slope * (x - threshold)` up to the threshold.

    Args:
        x: Input tensor.
        negative_slope: Slope below `threshold`.
        max_value: Largest output, `None` for no limit.
        threshold: Value below which the output is damped.

    Returns:
        Tensor of the shape and dtype of `x`.

    Example:

    >>> import pronghorn as keras
    >>> keras.activations.relu([-1.0, 2.0]).numpy().tolist()
    [0.0, 2.0]
    """
    if threshold == 0.0 and negative_slope == 0.0:
        if max_value is None:
            return ops.relu(x)
        if max_value == 6:
            return ops.relu6(x)
    x = _float_tensor(x)
    above = x if max_value is None else ops.clip(x, 0.0, max_value)
    if negative_slope == 0.0:
        below = ops.zeros_like(x)
    else:
        below = negative_slope * (x - threshold)
    return ops.where(x > threshold, above, below)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """Leaky relu: `x` for positive `x`, `negative_slope * x` otherwise.

    Args:
        x: Input tensor.
        negative_slope: Slope for negative `x`.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.leaky_relu(x, negative_slope=negative_slope)


def relu6(x: Any) -> Any:
    """Relu limited to 6: `min(max(x, 0), 6)`.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.relu6(x)


def softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """Softmax: `exp(x) / sum(exp(x))`, positive values that sum to 1.

    Args:
        x: Input tensor.
        axis: Axis or axes over which the values sum to 1.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.softmax(x, axis=axis)


def log_softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """Logarithm of softmax: `x - log(sum(exp(x)))`.

    Args:
        x: Input tensor.
        axis: Axis or axes of the sum.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.log_softmax(x, axis=axis)


def sigmoid(x: Any) -> Any:
    """Sigmoid: `1 / (1 + exp(-x))`.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.sigmoid(x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.tanh(x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Exponential linear unit: `x` for positive `x`, `alpha * (exp(x) - 1)` otherwise.

    Args:
        x: Input tensor.
        alpha: Minus the limit for large negative `x`.

    Returns:
        Tensor of the shape and dtype of `x`. Source: Clevert et al., 2016.
    """
    return ops.elu(x, alpha=alpha)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """Continuously differentiable elu: `x`, or `alpha * (exp(x / alpha) - 1)` for negative `x`.

    Args:
        x: Input tensor.
        alpha: Minus the limit for large negative `x`.

    Returns:
        Tensor of the shape and dtype of `x`. Source: Barron, 2017.
    """
    return ops.celu(x, alpha=alpha)


def selu(x: Any) -> Any:
    """Scaled elu: `1.0507 * elu(x, 1.6733)`, which keeps mean 0 and variance 1 through layers.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`. Source: Klambauer et al., 2017.
    """
    return ops.selu(x)


def glu(x: Any, axis: int = -1) -> Any:
    """Gated linear unit: first half of `x` times the sigmoid of the second half.

    Args:
        x: Input tensor.
        axis: Axis that is halved; its length must be even.

    Returns:
        Tensor with half the length along `axis`.
    """
    return ops.glu(x, axis=axis)


def gelu(x: Any, approximate: bool = False) -> Any:
    """Gaussian error linear unit: `x * P(X <= x)` with X ~ N(0, 1).

    Args:
        x: Input tensor.
        approximate: Whether to use the tanh formula.

    Returns:
        Tensor of the shape and dtype of `x`. Source: Hendrycks and Gimpel, 2016.
    """
    return ops.gelu(x, approximate=approximate)


def silu(x: Any) -> Any:
    """Sigmoid linear unit, also called swish: `x * sigmoid(x)`.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`. Source: Ramachandran et al., 2017.
    """
    return ops.silu(x)


def mish(x: Any) -> Any:
    """Mish: `x * tanh(softplus(x))`.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`. Source: Misra, 2019.
    """
    x = _float_tensor(x)
    return x * ops.tanh(ops.softplus(x))


def softplus(x: Any) -> Any:
    """Softplus: `log(exp(x) + 1)`.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.softplus(x)


def softsign(x: Any) -> Any:
    """Softsign: `x / (abs(x) + 1)`.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.softsign(x)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Soft shrink: `x` moved towards 0 by `threshold`, 0 where `abs(x) <= threshold`.

    Args:
        x: Input tensor.
        threshold: Width of the zero zone on each side.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.soft_shrink(x, threshold=threshold)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Hard shrink: `x` where `abs(x) > threshold`, else 0.

    Args:
        x: Input tensor.
        threshold: Width of the zero zone on each side.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.hard_shrink(x, threshold=threshold)


def tanh_shrink(x: Any) -> Any:
    """Tanh shrink: `x - tanh(x)`.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.tanh_shrink(x)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """Threshold: `x` where `x > threshold`, else `default_value`.

    Args:
        x: Input tensor.
        threshold: The threshold.
        default_value: The value below it.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.threshold(x, threshold, default_value)


def squareplus(x: Any, b: float = 4) -> Any:
    """Squareplus: `(x + sqrt(x ** 2 + b)) / 2`.

    Args:
        x: Input tensor.
        b: Smoothness.

    Returns:
        Tensor of the shape and dtype of `x`. Source: Barron, 2021.
    """
    return ops.squareplus(x, b=b)


def sparse_plus(x: Any) -> Any:
    """Sparse plus: 0 for `x <= -1`, `(x + 1) ** 2 / 4` up to 1, then `x`.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.sparse_plus(x)


def sparse_sigmoid(x: Any) -> Any:
    """Sparse sigmoid: 0 for `x <= -1`, `(x + 1) / 2` up to 1, then 1.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.sparse_sigmoid(x)


def sparsemax(x: Any, axis: int = -1) -> Any:
    """Sparsemax: the nearest point of the probability simplex, with exact zeros.

    Args:
        x: Input tensor.
        axis: Axis over which the values sum to 1.

    Returns:
        Tensor of the shape and dtype of `x`. Source: Martins and Astudillo, 2016.
    """
    return ops.sparsemax(x, axis=axis)


def exponential(x: Any) -> Any:
    """Exponential: `exp(x)`.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.exp(x)


def hard_sigmoid(x: Any) -> Any:
    """Hard sigmoid: `clip(x / 6 + 0.5, 0, 1)`.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.hard_sigmoid(x)


def hard_silu(x: Any) -> Any:
    """Hard silu, also called hard swish: `x * hard_sigmoid(x)`.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`. Source: Howard et al., 2019.
    """
    return ops.hard_silu(x)


def hard_tanh(x: Any) -> Any:
    """Hard tanh: `clip(x, -1, 1)`.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.hard_tanh(x)


def log_sigmoid(x: Any) -> Any:
    """Logarithm of the sigmoid: `-softplus(-x)`.

    Args:
        x: Input tensor.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.log_sigmoid(x)


def linear(x: Any) -> Any:
    """Identity: returns `x` itself.

    Args:
        x: Input tensor.

    Returns:
        `x`.
    """
    return x


def _float_tensor(x: Any) -> Any:
    return x if hasattr(x, "shape") and hasattr(x, "dtype") else ops.convert_to_tensor(x)
