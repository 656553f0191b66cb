"""Operators of the domain `ai.onnx.ml` that exporters of scikit-learn put around networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import layers, ops
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.operators.elementwise import cast_to, elementwise
from pronghorn.onnx.importing.operators.linear import dense
from pronghorn.onnx.importing.registry import operator
from pronghorn.onnx.importing.values import Constant, Symbolic, Value

_ACTIVATIONS = {"NONE": None, "LOGISTIC": "sigmoid", "SOFTMAX": "softmax"}


def _matrix(b: Builder, node: Node) -> Symbolic:
    x = cast_to(b, b.symbolic(node, 0), "float32")
    if len(x.dims) != 2 or not isinstance(x.dims[1], int):
        raise ValueError(f"expected rows of known length. Received: shape={x.dims}.")
    return x


def _vector(node: Node, name: str, sizes: tuple[int, ...]) -> np.ndarray:
    found = attributes.numbers(node, name)
    if len(found) not in sizes:
        raise ValueError(f"attribute '{name}': expected {sizes} floats. Received: {len(found)}.")
    return np.array(found, np.float32)


@operator("ai.onnx.ml.Scaler")
def scaler(b: Builder, node: Node) -> Value:
    """`(x - offset) * scale`."""
    x = _matrix(b, node)
    for function, name in ((ops.subtract, "offset"), (ops.multiply, "scale")):
        numbers = _vector(node, name, (1, x.dims[1]))
        x = elementwise(b, function, [x, Constant(numbers)])
    return x


@operator("ai.onnx.ml.Normalizer")
def normalizer(b: Builder, node: Node) -> Value:
    """Rows divided by their largest magnitude, the sum of magnitudes, or the Euclidean length."""
    x = _matrix(b, node)
    norm = attributes.text(node, "norm", "MAX")
    tensor = b.plain(x)
    if norm not in ("MAX", "L1", "L2"):
        raise ValueError(f"attribute 'norm': unknown. Received: {norm!r:.100}.")
    sizes = b.operation(ops.square if norm == "L2" else ops.abs, tensor, suffix="sizes")
    if norm == "MAX":  # as ONNX Runtime: the largest number, with its sign
        sizes = tensor
    reduce = ops.max if norm == "MAX" else ops.sum
    length = b.operation(reduce, sizes, axis=1, keepdims=True, suffix="total")
    if norm == "L2":
        length = b.operation(ops.sqrt, length, suffix="length")
    zero = b.operation(ops.equal, length, 0.0, suffix="zero")
    length = b.operation(ops.where, zero, 1.0, length, suffix="divisor")
    return b.result(b.operation(ops.divide, tensor, length), x.dims)


@operator("ai.onnx.ml.ArrayFeatureExtractor")
def extract(b: Builder, node: Node) -> Value:
    """Columns by index."""
    x, index = b.required(node, 0), b.required(node, 1)
    if isinstance(x, Constant) and isinstance(index, Symbolic) and x.dims[:-1] in ((), (1,)):
        rows = b.operation(ops.reshape, b.plain(index), (1, -1), suffix="index")
        numbers = x.array.reshape(-1)
        return b.result(b.operation(ops.take, numbers, rows, axis=0), None)
    columns = b.integers(node, 1, "the columns")
    held = b.as_symbolic(x)
    if columns is None or not held.dims or not all(0 <= c < 2**31 for c in columns):
        raise ValueError(f"expected columns. Received: {columns}.")
    if isinstance(held.dims[-1], int) and max(columns, default=0) >= held.dims[-1]:
        raise ValueError(f"expected columns below {held.dims[-1]}. Received: {columns}.")
    found = b.operation(ops.take, b.plain(held), np.array(columns, np.int32), axis=-1)
    return b.result(found, [*held.dims[:-1], len(columns)])


def _linear(b: Builder, node: Node, x: Symbolic, units: int) -> Symbolic:
    if not 1 <= units <= 2**20:
        raise ValueError(f"expected 1 output or more. Received: {units}.")
    kernel = _vector(node, "coefficients", (units * x.dims[1],)).reshape(units, x.dims[1]).T
    bias = _vector(node, "intercepts", (0, units))
    kind = attributes.text(node, "post_transform", "NONE")
    if kind not in _ACTIVATIONS:
        raise ValueError(f"attribute 'post_transform': {kind!r:.100} is not taken.")
    return dense(b, x, kernel, bias if bias.size else None)


def _activated(b: Builder, node: Node, x: Symbolic) -> Symbolic:
    name = _ACTIVATIONS[attributes.text(node, "post_transform", "NONE")]
    if name is None:
        return x
    return b.result(b.call(layers.Activation, x.tensor, name, suffix="activation"), x.dims)


@operator("ai.onnx.ml.LinearRegressor")
def linear_regressor(b: Builder, node: Node) -> Value:
    """A Dense layer."""
    x = _matrix(b, node)
    return _activated(b, node, _linear(b, node, x, attributes.integer(node, "targets", 1)))


@operator("ai.onnx.ml.LinearClassifier")
def linear_classifier(b: Builder, node: Node) -> list[Value | None]:
    """A Dense layer, and the label of the largest output."""
    x = _matrix(b, node)
    labels = attributes.integers(node, "classlabels_ints")
    if not labels or len(labels) < 2:
        raise ValueError("expected two labels or more that are integers.")
    coefficients = attributes.numbers(node, "coefficients")
    if len(coefficients) != len(labels) * x.dims[1]:
        raise ValueError(f"expected coefficients for {len(labels)} classes of {x.dims[1]} columns.")
    scores = _linear(b, node, x, len(labels))
    place: Any = b.operation(ops.argmax, scores.tensor, axis=-1, suffix="argmax")
    table = np.array(labels, np.int64)
    label = b.operation(ops.take, table, place, axis=0, suffix="label")
    return [b.result(label, x.dims[:1]), _activated(b, node, scores)]
