"""Activation functions: layers where the library has one, functions of `ops` else."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import layers, ops
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.operators.elementwise import elementwise, order_of, unary
from pronghorn.onnx.importing.registry import operator
from pronghorn.onnx.importing.values import Constant, Symbolic, Value

_NAMES = {
    "HardSwish": "hard_silu",
    "Mish": "mish",
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Tanh": "tanh",
}
_SELU = {"alpha": 1.67326319217681884765625, "gamma": 1.05070102214813232421875}


def _layer(b: Builder, x: Symbolic, cls: Any, *args: Any, **kwargs: Any) -> Symbolic:
    if cls is layers.PReLU:
        return b.result(b.call(cls, x.tensor, *args, **kwargs), x.dims, x.axes)
    tensor = b.through_reshape(x.tensor, lambda t: b.call(cls, t, *args, **kwargs))
    return b.result(tensor, x.dims, x.axes)


@operator(*_NAMES)
def activation(b: Builder, node: Node) -> Value:
    """A function without options."""
    x = b.symbolic(node, 0)
    if "int" in x.tensor.dtype:  # layers take floats
        return unary(b, node, ops.relu)
    return _layer(b, x, layers.Activation, _NAMES[node.operator])


@operator("Elu")
def elu(b: Builder, node: Node) -> Value:
    """`x` above 0, `alpha (exp(x) - 1)` below."""
    return _layer(b, b.symbolic(node, 0), layers.ELU, attributes.number(node, "alpha", 1.0))


@operator("LeakyRelu")
def leaky_relu(b: Builder, node: Node) -> Value:
    """`x` above 0, `alpha x` below."""
    alpha = attributes.number(node, "alpha", float(np.float32(0.01)))
    if alpha < 0:
        return _sloped(b, b.symbolic(node, 0), Constant(np.array(alpha, np.float32)))
    return _layer(b, b.symbolic(node, 0), layers.LeakyReLU, alpha)


@operator("PRelu")
def prelu(b: Builder, node: Node) -> Value:
    """`x` above 0, `slope x` below, with a slope for each of some axes."""
    x, slope = b.symbolic(node, 0), b.required(node, 1)
    rank = len(x.dims)
    if not isinstance(slope, Constant) or len(slope.dims) > rank or rank < 2:
        return _sloped(b, x, slope)
    sizes = (1,) * (rank - slope.array.ndim) + slope.array.shape
    fits = sizes[0] == 1 and all(s in (1, d) for s, d in zip(sizes[1:], x.dims[1:]))
    if not fits or x.axes[0] != 0 or None in x.axes:
        return _sloped(b, x, slope)
    order = order_of(x.axes)
    array = slope.array.reshape(sizes).transpose(order)[0]
    shared = [i + 1 for i, s in enumerate(array.shape) if s == 1]
    return _layer(b, x, layers.PReLU, weights=[array], shared_axes=shared or None)


def _sloped(b: Builder, x: Symbolic, slope: Value) -> Symbolic:
    zero = Constant(np.array(0.0, np.float32))
    above = elementwise(b, ops.maximum, [x, zero])
    below = elementwise(b, ops.minimum, [x, zero])
    return elementwise(b, ops.add, [above, elementwise(b, ops.multiply, [below, slope])])


@operator("Selu")
def selu(b: Builder, node: Node) -> Value:
    """`gamma x` above 0, `gamma alpha (exp(x) - 1)` below."""
    alpha = attributes.number(node, "alpha", _SELU["alpha"])
    gamma = attributes.number(node, "gamma", _SELU["gamma"])
    x = b.symbolic(node, 0)
    if abs(alpha - _SELU["alpha"]) < 1e-6 and abs(gamma - _SELU["gamma"]) < 1e-6:
        return _layer(b, x, layers.Activation, "selu")
    found = unary(b, node, ops.elu, alpha=alpha)
    return elementwise(b, ops.multiply, [found, Constant(np.array(gamma, np.float32))])


@operator("Celu")
def celu(b: Builder, node: Node) -> Value:
    """`x` above 0, `alpha (exp(x / alpha) - 1)` below."""
    return unary(b, node, ops.celu, alpha=attributes.number(node, "alpha", 1.0))


@operator("Gelu")
def gelu(b: Builder, node: Node) -> Value:
    """The normal distribution function times x, or its approximation by tanh."""
    kind = attributes.text(node, "approximate", "none")
    if kind not in ("none", "tanh"):
        raise ValueError(f"expected approximate 'none' or 'tanh'. Received: {kind!r:.100}.")
    if kind == "none":
        return _layer(b, b.symbolic(node, 0), layers.Activation, "gelu")
    return unary(b, node, ops.gelu, approximate=True)


@operator("HardSigmoid")
def hard_sigmoid(b: Builder, node: Node) -> Value:
    """`alpha x + beta`, limited to 0 to 1."""
    alpha = attributes.number(node, "alpha", float(np.float32(0.2)))
    beta = attributes.number(node, "beta", 0.5)
    x = b.symbolic(node, 0)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return _layer(b, x, layers.Activation, "hard_sigmoid")
    line = elementwise(b, ops.multiply, [x, Constant(np.array(alpha, np.float32))])
    line = elementwise(b, ops.add, [line, Constant(np.array(beta, np.float32))])
    return b.result(b.operation(ops.clip, line.tensor, 0.0, 1.0), line.dims, line.axes)


@operator("ThresholdedRelu")
def thresholded_relu(b: Builder, node: Node) -> Value:
    """`x` where it is larger than `alpha`, else 0."""
    alpha = attributes.number(node, "alpha", 1.0)
    return unary(b, node, ops.threshold, threshold=alpha, default_value=0.0)


@operator("Shrink")
def shrink(b: Builder, node: Node) -> Value:
    """`x + bias` below `-lambd`, `x - bias` above `lambd`, else 0."""
    bias, lambd = attributes.number(node, "bias", 0.0), attributes.number(node, "lambd", 0.5)
    x = b.symbolic(node, 0)

    def side(compare: Any, bound: float, shift: float) -> Symbolic:
        outside = elementwise(b, compare, [x, Constant(np.array(bound, np.float32))])
        moved = elementwise(b, ops.add, [x, Constant(np.array(shift, np.float32))])
        zeros = elementwise(b, ops.multiply, [x, Constant(np.array(0.0, np.float32))])
        return elementwise(b, ops.where, [outside, moved, zeros])

    return elementwise(b, ops.add, [side(ops.less, -lambd, bias), side(ops.greater, lambd, -bias)])


@operator("Swish")
def swish(b: Builder, node: Node) -> Value:
    """`x sigmoid(alpha x)`."""
    alpha = attributes.number(node, "alpha", 1.0)
    x = b.symbolic(node, 0)
    if alpha == 1:
        return _layer(b, x, layers.Activation, "silu")
    scaled = elementwise(b, ops.multiply, [x, Constant(np.array(alpha, np.float32))])
    gate = b.result(b.operation(ops.sigmoid, scaled.tensor), scaled.dims, scaled.axes)
    return elementwise(b, ops.multiply, [x, gate])


@operator("Softmax", "LogSoftmax", "Hardmax")
def softmax(b: Builder, node: Node) -> Value:
    """Along an axis; before version 13, along all axes from it on."""
    x = b.symbolic(node, 0)
    rank = len(x.dims)
    axis = attributes.axis(node, rank, -1 if b.opset >= 13 else 1)
    if b.opset < 13 and any(d != 1 for d in x.dims[axis + 1 :]):
        return _flat_softmax(b, node, x, axis)
    if b.opset < 13 and x.dims[axis] == 1:
        axis = rank - 1
    if x.axes[axis] is None:
        x = b.result(b.plain(x), x.dims)
    tensor = _softmax(b, node, x.tensor, x.axes[axis])
    return b.result(tensor, x.dims, x.axes)


def _softmax(b: Builder, node: Node, tensor: Any, axis: Any) -> Any:
    rank = len(tensor.shape)
    axis = -1 if axis == rank - 1 else axis
    if node.operator == "Softmax":
        return b.call(layers.Softmax, tensor, axis)
    if node.operator == "LogSoftmax":
        return b.operation(ops.log_softmax, tensor, axis=axis)
    if tensor.shape[axis] is None:
        raise ValueError("along an open size: give the sizes of the inputs")
    place = b.operation(ops.argmax, tensor, axis=axis, suffix="argmax")
    return b.operation(ops.one_hot, place, tensor.shape[axis], axis=axis, dtype=tensor.dtype)


def _flat_softmax(b: Builder, node: Node, x: Symbolic, axis: int) -> Value:
    if not all(isinstance(d, int) for d in x.dims[1:]) or axis != 1:
        raise ValueError(
            f"of version {b.opset} along the axes from {axis} on of shape {x.dims} is not taken"
        )
    flat = b.call(layers.Flatten, b.plain(x), suffix="flatten")
    found = _softmax(b, node, flat, 1)
    return b.result(b.call(layers.Reshape, found, x.dims[1:], suffix="reshape"), x.dims)
