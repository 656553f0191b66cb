"""Normalization: moments, batch, layer and root-mean-square normalization, unit vectors."""

from __future__ import annotations

import math
import warnings
from typing import Any

from pronghorn import config
from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    apply_many,
    as_float,
    as_tensor,
    normalize_axes,
    normalize_axis,
    scalar_like,
)
from pronghorn.ops.operation import op
from pronghorn.ops.statistics import variance_of
from pronghorn.tensor import Tensor


@op
def moments(
    x: TensorLike, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """Returns the mean and the variance of elements.

    Args:
        x: a tensor.
        axes: the dimension or dimensions that are reduced.
        keepdims: whether they stay, with size 1.
        synchronized: must not be true: there is one device.

    Returns:
        Two float tensors.

    Raises:
        NotImplementedError: for `synchronized`.

    Example:

    >>> [m.numpy().tolist() for m in ops.moments([1.0, 3.0], 0)]
    [2.0, 1.0]
    """
    if synchronized:
        raise NotImplementedError("Argument synchronized=True is not supported with one device.")
    x = as_float(x)
    dtype = x.dtype
    wide = as_tensor(x, "float32")
    dims = normalize_axes(axes, x.ndim, "moments")
    mean = apply("reduce_mean", wide, axes=dims, keepdims=bool(keepdims))
    variance = variance_of(wide, dims, keepdims)
    if dtype == "float16":  # no infinities where float32 has none
        limit = as_tensor(65504.0, "float32")
        mean = apply("minimum", apply("maximum", mean, apply("negative", limit)), limit)
        variance = apply("minimum", variance, limit)
    return as_tensor(mean, dtype), as_tensor(variance, dtype)


@op
def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    axis: int,
    offset: TensorLike = None,
    scale: TensorLike = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """Normalizes by a given mean and variance: `(x - mean) / sqrt(variance + epsilon)`.

    Args:
        x: a tensor.
        mean: a vector of the size of dimension `axis`.
        variance: the like.
        axis: the dimension that is normalized on its own.
        offset: a vector that is added afterwards.
        scale: a vector that multiplies before that.
        epsilon: what keeps the root away from 0.

    Returns:
        A float tensor of the shape of `x`.

    Raises:
        ValueError: if a vector does not fit.

    Example:

    >>> ops.batch_normalization([[3.0]], [1.0], [4.0], axis=-1, epsilon=0.0).numpy()
    array([[1.]], dtype=float32)
    """
    x = as_float(x)
    axis = normalize_axis(axis, x.ndim, "batch_normalization")
    shape = [n if i == axis else 1 for i, n in enumerate(x.shape)]

    def vector(v: TensorLike, name: str) -> Tensor:
        found = as_tensor(as_tensor(v), x.dtype)
        if math.prod(found.shape) != x.shape[axis] or found.ndim != 1:
            raise ValueError(
                f"batch_normalization: `{name}` must be a vector of {x.shape[axis]} elements. "
                f"Received: x.shape={x.shape}, axis={axis}, {name}.shape={found.shape}."
            )
        return apply("reshape", found, shape=shape)

    factor = vector(variance, "variance")
    factor = apply("rsqrt", apply("add", factor, scalar_like(epsilon, x)))
    if scale is not None:
        factor = apply("multiply", factor, vector(scale, "scale"))
    shift = apply("negative", apply("multiply", vector(mean, "mean"), factor))
    if offset is not None:
        shift = apply("add", shift, vector(offset, "offset"))
    return apply("add", apply("multiply", x, factor), shift)


def batch_norm_of_batch(
    x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalizes the last dimension by the moments of all others, in one op with its own gradient.

    Returns the result, the mean and the variance. x: `(..., channels)`; gamma, beta: `(channels,)`.
    """
    y, mean, variance = apply_many("batch_norm", x, gamma, beta, epsilon=float(epsilon))
    return y, mean, variance


@op
def layer_normalization(
    x: TensorLike,
    gamma: TensorLike = None,
    beta: TensorLike = None,
    axis: Any = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Tensor:
    """Normalizes each sample by the mean and variance of its own elements.

    Args:
        x: a tensor.
        gamma: what multiplies afterwards, of the shape of the normalized dimensions.
        beta: what is added after that.
        axis: the dimension or dimensions that are normalized together.
        epsilon: what keeps the root away from 0; by default `config.epsilon()`.
        **kwargs: `rms_scaling=True` (deprecated) leaves the mean in.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.layer_normalization([[1.0, 1.0]]).numpy()
    array([[0., 0.]], dtype=float32)
    """
    rms_scaling = bool(kwargs.pop("rms_scaling", False))
    if kwargs:
        raise TypeError(
            f"layer_normalization: unexpected keyword arguments. Received: {sorted(kwargs)}."
        )
    if rms_scaling:
        warnings.warn(
            "You passed `rms_scaling=True`, which is deprecated: it divides by the standard "
            "deviation, not by the root mean square. Use `rms_normalization`.",
            stacklevel=2,
        )
    x = as_float(x)
    dtype = x.dtype
    epsilon = config.epsilon() if epsilon is None else float(epsilon)
    axes = sorted(normalize_axes(axis, x.ndim, "layer_normalization"))
    wide = as_tensor(x, "float32")
    if axes == list(range(x.ndim - len(axes), x.ndim)) and not rms_scaling:
        n = math.prod(x.shape[i] for i in axes)
        flat = apply("reshape", wide, shape=[math.prod(x.shape) // n if n else 0, n])
        one, zero = as_tensor(1.0, "float32"), as_tensor(0.0, "float32")
        g = _flat(gamma, n, one)
        b = _flat(beta, n, zero)
        y, _, _ = apply_many("layer_norm", flat, g, b, epsilon=epsilon)
        return as_tensor(apply("reshape", y, shape=list(x.shape)), dtype)
    shape = [n if i in axes else 1 for i, n in enumerate(x.shape)]
    factor = variance_of(wide, axes, True)
    factor = apply("rsqrt", apply("add", factor, as_tensor(epsilon, "float32")))
    if gamma is not None:
        factor = apply("multiply", factor, _shaped(gamma, shape))
    if not rms_scaling:
        mean = apply("reduce_mean", wide, axes=axes, keepdims=True)
        wide = apply("subtract", wide, mean)
    found = apply("multiply", wide, factor)
    if beta is not None:
        found = apply("add", found, _shaped(beta, shape))
    return as_tensor(found, dtype)


def _flat(v: TensorLike, n: int, default: Tensor) -> Tensor:
    if v is None:
        return apply("broadcast_to", default, shape=[n])
    found = as_tensor(as_tensor(v), "float32")
    if math.prod(found.shape) not in (1, n):
        raise ValueError(
            f"layer_normalization: the scale and offset must have {n} elements, as the normalized "
            f"dimensions have. Received: shape={found.shape}."
        )
    if math.prod(found.shape) != n:
        return apply("broadcast_to", apply("reshape", found, shape=[1]), shape=[n])
    return apply("reshape", found, shape=[n])


def _shaped(v: TensorLike, shape: list[int]) -> Tensor:
    found = as_tensor(as_tensor(v), "float32")
    if math.prod(found.shape) == math.prod(shape):
        return apply("reshape", found, shape=shape)
    return found


@op
def rms_normalization(
    x: TensorLike, scale: TensorLike = None, axis: Any = -1, epsilon: float | None = None
) -> Tensor:
    """Divides each sample by the root of the mean of its squared elements (Zhang 2019).

    Args:
        x: a tensor.
        scale: what multiplies afterwards, of the shape of the normalized dimensions.
        axis: the dimension or dimensions that are normalized together.
        epsilon: what keeps the root away from 0; by default `config.epsilon()`.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.rms_normalization([[2.0, 2.0]], epsilon=0.0).numpy()
    array([[1., 1.]], dtype=float32)
    """
    x = as_float(x)
    dtype = x.dtype
    epsilon = config.epsilon() if epsilon is None else float(epsilon)
    axes = sorted(normalize_axes(axis, x.ndim, "rms_normalization"))
    wide = as_tensor(x, "float32")
    if axes == list(range(x.ndim - len(axes), x.ndim)):
        n = math.prod(x.shape[i] for i in axes)
        flat = apply("reshape", wide, shape=[math.prod(x.shape) // n if n else 0, n])
        g = _flat(scale, n, as_tensor(1.0, "float32"))
        y, _ = apply_many("rms_norm", flat, g, epsilon=epsilon)
        return as_tensor(apply("reshape", y, shape=list(x.shape)), dtype)
    power = apply("reduce_mean", apply("square", wide), axes=axes, keepdims=True)
    factor = apply("rsqrt", apply("add", power, as_tensor(epsilon, "float32")))
    found = apply("multiply", wide, factor)
    if scale is not None:
        shape = [n if i in axes else 1 for i, n in enumerate(x.shape)]
        found = apply("multiply", found, _shaped(scale, shape))
    return as_tensor(found, dtype)


@op
def normalize(
    x: TensorLike, axis: Any = -1, order: int = 2, epsilon: float | None = None
) -> Tensor:
    """Divides vectors by their norm.

    Args:
        x: a tensor.
        axis: the dimension or dimensions of a vector.
        order: which norm: 2 for the Euclidean one, 1 for the sum of absolute values, ...
        epsilon: a lower bound of the norm; by default `config.epsilon()`.

    Returns:
        A float tensor of the same shape.

    Raises:
        ValueError: if `order` is not a positive integer.

    Example:

    >>> ops.normalize([3.0, 4.0], order=1).shape
    (2,)
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"Argument `order` must be an int >= 1. Received: order={order}")
    x = as_float(x)
    axes = normalize_axes(axis, x.ndim, "normalize")
    epsilon = config.epsilon() if epsilon is None else float(epsilon)
    if order == 2:
        total = apply("reduce_sum", apply("square", x), axes=axes, keepdims=True)
        inverse = apply("rsqrt", apply("maximum", total, scalar_like(epsilon**2, total)))
        return apply("multiply", x, inverse)
    size = apply("abs", x)
    if order == 1:
        norm = apply("reduce_sum", size, axes=axes, keepdims=True)
    else:
        powers = apply("power", size, scalar_like(float(order), x))
        norm = apply("reduce_sum", powers, axes=axes, keepdims=True)
        norm = apply("power", norm, scalar_like(1.0 / order, x))
    return apply("divide", x, apply("maximum", norm, scalar_like(epsilon, x)))
