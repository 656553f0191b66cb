"""Losses of one prediction: binary, categorical and sparse categorical cross-entropy; PSNR."""

from __future__ import annotations

import math

from pronghorn import config
from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_float,
    as_tensor,
    normalize_axis,
    promote_to_float,
    scalar_like,
)
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor


@op
def binary_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False
) -> Tensor:
    """Returns the cross-entropy of probabilities of two outcomes, element by element.

    Args:
        target: the true probabilities, 0 or 1 as a rule.
        output: the predicted ones, of the same shape.
        from_logits: whether `output` are logits, whose sigmoid is the probability.

    Returns:
        A float tensor of the same shape.

    Raises:
        ValueError: if the shapes differ.

    Example:

    >>> ops.binary_crossentropy([1.0], [0.0], from_logits=True).shape
    (1,)
    """
    target, output = promote_to_float(as_tensor(target), as_tensor(output))
    if tuple(target.shape) != tuple(output.shape):
        raise ValueError(
            "Arguments `target` and `output` must have the same shape. "
            f"Received: target.shape={target.shape}, output.shape={output.shape}"
        )
    if from_logits:
        return apply("subtract", apply("softplus", output), apply("multiply", target, output))
    epsilon, one = config.epsilon(), scalar_like(1.0, output)
    output = apply("maximum", output, scalar_like(epsilon, output))
    output = apply("minimum", output, scalar_like(1.0 - epsilon, output))
    positive = apply("multiply", target, apply("log", output))
    rest = apply("log", apply("subtract", one, output))
    negative = apply("multiply", apply("subtract", one, target), rest)
    return apply("negative", apply("add", positive, negative))


def _class_last(x: Tensor, axis: int) -> Tensor:
    axis = normalize_axis(axis, x.ndim, "categorical_crossentropy")
    if axis == x.ndim - 1:
        return x
    return apply("transpose", x, axes=[*[i for i in range(x.ndim) if i != axis], axis])


@op
def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Returns the cross-entropy of probabilities of classes.

    Args:
        target: the true probabilities (one-hot as a rule).
        output: the predicted ones, of the same shape.
        from_logits: whether `output` are logits, whose softmax is the probability. Else they are
            divided by their sum.
        axis: the dimension of the classes.

    Returns:
        A float tensor without the dimension of the classes.

    Raises:
        ValueError: if the shapes differ or are empty.

    Example:

    >>> ops.categorical_crossentropy([[0.0, 1.0]], [[0.0, 1.0]]).shape
    (1,)
    """
    target, output = promote_to_float(as_tensor(target), as_tensor(output))
    if tuple(target.shape) != tuple(output.shape):
        raise ValueError(
            "Arguments `target` and `output` must have the same shape. "
            f"Received: target.shape={target.shape}, output.shape={output.shape}"
        )
    if target.ndim < 1:
        raise ValueError(
            "Arguments `target` and `output` must be at least rank 1. "
            f"Received: target.shape={target.shape}, output.shape={output.shape}"
        )
    dtype = output.dtype
    target, output = _class_last(target, axis), _class_last(output, axis)
    if from_logits:
        return as_tensor(apply("softmax_cross_entropy", output, target), dtype)
    return as_tensor(apply("cross_entropy", output, target, epsilon=config.epsilon()), dtype)


@op
def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Returns the cross-entropy of classes given by number.

    Args:
        target: the true classes, integers; a last dimension of size 1 is dropped.
        output: the predicted probabilities, with a dimension of classes more.
        from_logits: whether `output` are logits, whose softmax is the probability. Else they are
            divided by their sum.
        axis: the dimension of the classes.

    Returns:
        A float tensor of the shape of `target`.

    Raises:
        ValueError: if the shapes do not fit.

    Example:

    >>> ops.sparse_categorical_crossentropy([1], [[0.0, 1.0]]).shape
    (1,)
    """
    labels, output = as_tensor(as_tensor(target), "int32"), as_float(output)
    if labels.ndim == output.ndim and labels.ndim > 0 and labels.shape[-1] == 1:
        labels = apply("reshape", labels, shape=list(labels.shape[:-1]))
    if output.ndim < 1:
        raise ValueError(
            f"Argument `output` must be at least rank 1. Received: output.shape={output.shape}"
        )
    moved = _class_last(output, axis)
    if tuple(labels.shape) != tuple(moved.shape[:-1]):
        raise ValueError(
            "Arguments `target` and `output` must have the same shape up until the last "
            f"dimension: target.shape={labels.shape}, output.shape={output.shape}"
        )
    dtype = output.dtype
    if from_logits:
        return as_tensor(apply("sparse_softmax_cross_entropy", moved, labels), dtype)
    return as_tensor(apply("sparse_cross_entropy", moved, labels, epsilon=config.epsilon()), dtype)


@op
def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Tensor:
    """Returns the peak signal-to-noise ratio of two images.

    Args:
        x1: a tensor.
        x2: a tensor of the same shape.
        max_val: the largest value that images can have.

    Returns:
        A scalar, in decibels.

    Raises:
        ValueError: if the shapes differ.

    Example:

    >>> ops.psnr([0.0], [1.0], 1.0).numpy()
    array(0., dtype=float32)
    """
    x1, x2 = promote_to_float(x1, x2)
    if tuple(x1.shape) != tuple(x2.shape):
        raise ValueError(
            f"Input shapes {x1.shape} and {x2.shape} must match for PSNR calculation. "
        )
    gap = apply("square", apply("subtract", x1, x2))
    mse = apply("reduce_mean", gap, axes=list(range(gap.ndim)), keepdims=False)
    peak = 20.0 * math.log10(max_val)
    noise = apply("multiply", apply("log10", mse), scalar_like(10.0, mse))
    return apply("subtract", scalar_like(peak, mse), noise)
