"""Normalizations as layers, and Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import layers, ops
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder, channels_last_axes
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.operators.elementwise import elementwise
from pronghorn.onnx.importing.operators.indexing import padded
from pronghorn.onnx.importing.operators.linear import weights_of
from pronghorn.onnx.importing.registry import operator
from pronghorn.onnx.importing.values import Symbolic, Value


def _vectors(b: Builder, node: Node, first: int, count: int, size: Any) -> list[np.ndarray]:
    found = []
    for i in range(first, first + count):
        array = weights_of(b.required(node, i))
        if array is None or array.shape != (size,):
            raise ValueError(f"expected input {i} as a constant of shape ({size},).")
        found.append(array)
    return found


@operator("BatchNormalization")
def batch_normalization(b: Builder, node: Node) -> Value:
    """Normalization by stored means and variances of each channel."""
    attributes.refuse_others(node, training_mode=0, spatial=1)
    x = b.symbolic(node, 0)
    rank = len(x.dims)
    if rank < 2:
        raise ValueError(f"expected rank 2 or more. Received: shape={x.dims}.")
    weights = _vectors(b, node, 1, 4, x.dims[1])
    found = b.call(
        layers.BatchNormalization,
        b.channels_last(x),
        momentum=min(max(attributes.number(node, "momentum", 0.9), 0.0), 1.0),
        epsilon=attributes.number(node, "epsilon", 1e-5),
        weights=weights,
    )
    return b.result(found, x.dims, channels_last_axes(rank))


@operator("LayerNormalization")
def layer_normalization(b: Builder, node: Node) -> list[Value | None]:
    """Normalization along the last axes."""
    attributes.refuse_others(node, stash_type=1)
    x = b.symbolic(node, 0)
    rank = len(x.dims)
    axis = attributes.axis(node, rank, -1)
    epsilon = attributes.number(node, "epsilon", float(np.float32(1e-5)))
    found = normalized(b, x, axis, epsilon, b.required(node, 1), b.value(node, 2))
    return [found]


def normalized(
    b: Builder, x: Symbolic, axis: int, epsilon: float, scale: Value | None, bias: Value | None
) -> Symbolic:
    """Returns a tensor normalized along its axes from `axis` on, as a layer if it can be one."""
    rank = len(x.dims)
    shape = x.dims[axis:]
    tensor = b.plain(x)
    weights, plain = [], True
    for value in (scale, bias):
        array = weights_of(value)
        if value is not None and (array is None or array.shape != shape):
            plain = False
        elif array is not None:
            weights.append(array)
    # The layer has no axis 0, and its axes are of known size.
    if not axis or not all(isinstance(d, int) for d in shape):
        raise ValueError(f"along the axes from {axis} of shape {x.dims} is not taken")
    axes: Any = -1 if axis == rank - 1 else list(range(axis, rank))
    options: dict[str, Any] = {
        "axis": axes,
        "epsilon": epsilon,
        "center": plain and bias is not None,
        "scale": plain and scale is not None,
        "weights": weights if plain else [],
        "suffix": "" if plain else "normalized",
    }
    found = (
        b.through_reshape(
            tensor, lambda t: b.call(layers.LayerNormalization, t, **options), keeps=1
        )
        if axes == -1
        else b.call(layers.LayerNormalization, tensor, **options)
    )
    result = b.result(found, x.dims)
    if not plain and scale is not None:
        result = elementwise(b, ops.multiply, [result, scale])
    if not plain and bias is not None:
        result = elementwise(b, ops.add, [result, bias])
    return result


@operator("RMSNormalization")
def rms_normalization(b: Builder, node: Node) -> Value:
    """Division by the root of the mean square along the last axis."""
    attributes.refuse_others(node, stash_type=1)
    x = b.symbolic(node, 0)
    rank = len(x.dims)
    if attributes.axis(node, rank, -1) != rank - 1 or rank < 2:
        raise ValueError("along more than the last axis is not taken")
    options: dict[str, Any] = {
        "epsilon": attributes.number(node, "epsilon", float(np.float32(1e-5))),
        "weights": _vectors(b, node, 1, 1, x.dims[-1]),
    }
    found = b.through_reshape(
        b.plain(x), lambda t: b.call(layers.RMSNormalization, t, **options), keeps=1
    )
    return b.result(found, x.dims)


@operator("InstanceNormalization")
def instance_normalization(b: Builder, node: Node) -> Value:
    """Normalization of each channel of each sample."""
    x = b.symbolic(node, 0)
    rank = len(x.dims)
    if rank < 3 or not isinstance(x.dims[1], int):
        raise ValueError(f"expected images. Received: shape={x.dims}.")
    epsilon = attributes.number(node, "epsilon", float(np.float32(1e-5)))
    weights = _vectors(b, node, 1, 2, x.dims[1])
    return group_layer(b, x, x.dims[1], epsilon, weights)


def group_layer(
    b: Builder, x: Symbolic, groups: int, epsilon: float, weights: list[np.ndarray]
) -> Symbolic:
    """Returns images with each group of channels normalized.

    Args:
        b: The builder.
        x: The images.
        groups: Count of groups.
        epsilon: What is added to variances.
        weights: Scale and shift of each channel.
    """
    found = b.call(
        layers.GroupNormalization,
        b.channels_last(x),
        groups=groups,
        axis=-1,
        epsilon=epsilon,
        weights=weights,
    )
    return b.result(found, x.dims, channels_last_axes(len(x.dims)))


@operator("GroupNormalization")
def group_normalization(b: Builder, node: Node) -> Value:
    """Normalization of groups of channels; before version 21 with a scale for each group."""
    attributes.refuse_others(node, stash_type=1)
    x = b.symbolic(node, 0)
    channels, groups = (
        x.dims[1] if len(x.dims) > 1 else 0,
        attributes.integer(node, "num_groups", 0),
    )
    if len(x.dims) < 3 or not isinstance(channels, int) or groups < 1 or channels % groups:
        raise ValueError(f"expected images of {groups} groups. Received: shape={x.dims}.")
    epsilon = attributes.number(node, "epsilon", float(np.float32(1e-5)))
    if b.opset >= 21:
        weights = _vectors(b, node, 1, 2, channels)
    else:
        weights = [np.repeat(w, channels // groups) for w in _vectors(b, node, 1, 2, groups)]
    return group_layer(b, x, groups, epsilon, weights)


@operator("LRN")
def local_response(b: Builder, node: Node) -> Value:
    """Division by a power of the squares of neighbouring channels."""
    alpha, beta = attributes.number(node, "alpha", 1e-4), attributes.number(node, "beta", 0.75)
    size, bias = attributes.integer(node, "size", 0), attributes.number(node, "bias", 1.0)
    x = b.symbolic(node, 0)
    if not 1 <= size <= 256 or len(x.dims) < 3 or not isinstance(x.dims[1], int):
        raise ValueError(f"expected images and a size from 1 to 256. Received: {x.dims}, {size}.")
    rank = len(x.dims)
    held = b.result(b.channels_last(x), x.dims, channels_last_axes(rank))
    squares = b.result(b.operation(ops.square, held.tensor, suffix="square"), x.dims, held.axes)
    sides = [(0, 0)] * rank
    sides[1] = ((size - 1) // 2, size - 1 - (size - 1) // 2)
    wide = padded(b, squares, sides).tensor
    total: Any = None
    for i in range(size):
        key = (*[slice(None)] * (rank - 1), slice(i, i + x.dims[1]))
        part = b.operation(ops.get_item, wide, key, suffix="shifted")
        total = part if total is None else b.operation(ops.add, total, part, suffix="sum")
    scaled = b.operation(ops.multiply, total, alpha / size, suffix="scaled")
    power = b.operation(ops.power, b.operation(ops.add, scaled, bias), beta, suffix="power")
    return b.result(b.operation(ops.divide, held.tensor, power), x.dims, held.axes)


@operator("LpNormalization")
def lp_normalization(b: Builder, node: Node) -> Value:
    """Division by the sum of magnitudes or the Euclidean length along an axis."""
    x = b.symbolic(node, 0)
    if None in x.axes:
        x = b.result(b.plain(x), x.dims)
    axis = x.axes[attributes.axis(node, len(x.dims), -1)]
    p = attributes.integer(node, "p", 2)
    if p not in (1, 2):
        raise ValueError(f"expected p 1 or 2. Received: {p}.")
    parts = b.operation(ops.abs if p == 1 else ops.square, x.tensor, suffix="parts")
    length = b.operation(ops.sum, parts, axis=axis, keepdims=True, suffix="sum")
    if p == 2:
        length = b.operation(ops.sqrt, length, suffix="length")
    return b.result(b.operation(ops.divide_no_nan, x.tensor, length), x.dims, x.axes)


@operator("MeanVarianceNormalization")
def mean_variance(b: Builder, node: Node) -> Value:
    """Mean 0 and variance 1 along axes."""
    x = b.symbolic(node, 0)
    if None in x.axes:
        x = b.result(b.plain(x), x.dims)
    given = attributes.integers(node, "axes") or [0, 2, 3]
    axes = tuple(sorted(int(x.axes[j]) for j in attributes.normalized_axes(given, len(x.dims))))  # type: ignore[arg-type]
    mean = b.operation(ops.mean, x.tensor, axis=axes, keepdims=True, suffix="mean")
    centered = b.operation(ops.subtract, x.tensor, mean, suffix="centered")
    squares = b.operation(ops.square, centered, suffix="squares")
    variance = b.operation(ops.mean, squares, axis=axes, keepdims=True, suffix="variance")
    deviation = b.operation(ops.sqrt, variance, suffix="deviation")
    deviation = b.operation(ops.add, deviation, 1e-9, suffix="divisor")
    return b.result(b.operation(ops.divide, centered, deviation), x.dims, x.axes)


@operator("Dropout")
def dropout(b: Builder, node: Node) -> list[Value | None]:
    """Zeros at random while the model is trained; else the input."""
    ratio = attributes.number(node, "ratio", 0.5)
    given = b.array(node, 1, "the ratio")
    if given is not None:
        ratio = float(given.reshape(-1)[0])
    if not 0 <= ratio < 1:
        raise ValueError(f"expected a ratio from 0 to 1. Received: {ratio}.")
    x = b.symbolic(node, 0)
    return [b.result(b.call(layers.Dropout, x.tensor, ratio), x.dims, x.axes)]
