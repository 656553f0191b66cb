"""Activations over a dimension: softmax, its logarithm, sparsemax, and the gated linear unit."""

from __future__ import annotations

import math
from typing import Any

from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_float,
    normalize_axes,
    normalize_axis,
    scalar_like,
)
from pronghorn.ops.operation import op
from pronghorn.ops.reshaping import cut
from pronghorn.tensor import Tensor


def _softmax(name: str, x: TensorLike, axis: Any) -> Tensor:
    x = as_float(x)
    if x.ndim == 0:
        raise ValueError(f"{name}: expected rank 1 at least. Received: x.shape={x.shape}.")
    if isinstance(axis, int):
        return apply(name, x, axis=normalize_axis(axis, x.ndim, name))
    # several dimensions: flattened into one at the end
    axes = normalize_axes(axis, x.ndim, name)
    rest = [i for i in range(x.ndim) if i not in axes]
    order = [*rest, *axes]
    moved = apply("transpose", x, axes=order)
    sizes = list(moved.shape)
    flat = apply("reshape", moved, shape=[*sizes[: len(rest)], math.prod(sizes[len(rest) :])])
    found = apply("reshape", apply(name, flat, axis=len(rest)), shape=sizes)
    return apply("transpose", found, axes=[order.index(i) for i in range(x.ndim)])


@op
def softmax(x: TensorLike, axis: Any = -1) -> Tensor:
    """Returns exponentials divided by their sum, so that they are positive and sum to 1.

    Args:
        x: a tensor of rank 1 at least.
        axis: the dimension or dimensions of the sum; `None` for all.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.softmax([1.0, 1.0]).numpy()
    array([0.5, 0.5], dtype=float32)
    """
    return _softmax("softmax", x, axis)


@op
def log_softmax(x: TensorLike, axis: Any = -1) -> Tensor:
    """Returns the logarithm of the softmax, without overflow.

    Args:
        x: a tensor of rank 1 at least.
        axis: the dimension or dimensions of the sum; `None` for all.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.log_softmax([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return _softmax("log_softmax", x, axis)


@op
def sparsemax(x: TensorLike, axis: int = -1) -> Tensor:
    """Returns the nearest probabilities, many of which are 0 (Martins 2016).

    Args:
        x: a tensor of rank 1 at least.
        axis: the dimension of the probabilities.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> ops.sparsemax([0.0, 2.0]).numpy()
    array([0., 1.], dtype=float32)
    """
    x = as_float(x)
    axis = normalize_axis(axis, x.ndim, "sparsemax")
    n = x.shape[axis]
    order = [i for i in range(x.ndim) if i != axis] + [axis]
    moved = apply("transpose", x, axes=order)
    last = x.ndim - 1
    ordered = apply("flip", apply("sort", moved, axis=last), axes=[last])
    ranks = apply(
        "cumsum",
        apply("broadcast_to", scalar_like(1.0, x), shape=[n]),
        axis=0,
        reverse=False,
        exclusive=False,
    )
    total = apply("cumsum", ordered, axis=last, reverse=False, exclusive=False)
    one = scalar_like(1.0, x)
    inside = apply("greater", apply("add", one, apply("multiply", ranks, ordered)), total)
    count = apply("reduce_sum", apply("cast", inside, dtype=x.dtype), axes=[last], keepdims=True)
    kept = apply("where", inside, ordered, scalar_like(0.0, x))
    sum_kept = apply("reduce_sum", kept, axes=[last], keepdims=True)
    level = apply("divide", apply("subtract", sum_kept, one), count)
    found = apply("relu", apply("subtract", moved, level))
    return apply("transpose", found, axes=[order.index(i) for i in range(x.ndim)])


@op
def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """Returns the first half of a dimension times the sigmoid of the second half.

    Args:
        x: a tensor.
        axis: the dimension, of even size.

    Returns:
        A float tensor with half the dimension.

    Raises:
        ValueError: if the size is odd.

    Example:

    >>> ops.glu([2.0, 0.0]).numpy()
    array([1.], dtype=float32)
    """
    x = as_float(x)
    axis = normalize_axis(axis, x.ndim, "glu")
    n = x.shape[axis]
    if n % 2:
        raise ValueError(
            f"glu: the dimension must be even. Received: x.shape={x.shape}, axis={axis}."
        )
    gate = apply("sigmoid", cut(x, axis, n // 2, n))
    return apply("multiply", cut(x, axis, 0, n // 2), gate)
