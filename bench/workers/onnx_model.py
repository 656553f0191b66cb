"""A workload as an ONNX model with random weights, channels first, for inference runtimes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bench.workloads import CLASSES, WORKLOADS

OPSET = 17


class Nodes:
    """Collects nodes and weights; keeps track of the current value and its shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.random = np.random.default_rng(0)
        self.current = "x"
        self.features = shape[-1]
        self.sizes = list(shape[:-1]) if len(shape) == 3 else []

    def constant(self, values: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def normal(self, fan_in: int, *shape: int) -> str:
        values = self.random.standard_normal(shape, np.float32)
        return self.constant(values / np.float32(np.sqrt(fan_in)))

    def add(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> list[str]:
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, **attributes))
        self.current = names[0]
        return names

    def through(self, described: list[Any]) -> None:
        for kind, *a in described:
            self.layer(kind, a)
            if kind in ("dense", "conv", "depthwise") and a[-1] == "relu":
                self.add("Relu", self.current)

    def layer(self, kind: str, a: list[Any]) -> None:
        x, before = self.current, self.features
        if kind in ("conv", "depthwise"):
            size, stride, padding, _ = a[-4:]
            pad = (size - 1) // 2 if padding == "same" else 0
            self.features = a[0] if kind == "conv" else before
            self.sizes = [(n + 2 * pad - size) // stride + 1 for n in self.sizes]
            groups = 1 if kind == "conv" else before
            shape = (self.features, before // groups, size, size)
            kernel = self.normal(size * size * before // groups, *shape)
            bias = self.constant(np.zeros(self.features, np.float32))
            self.add(
                "Conv", x, kernel, bias, kernel_shape=[size, size], strides=[stride, stride],
                pads=[pad] * 4, group=groups,
            )  # fmt: skip
        elif kind == "dense":
            self.features = a[0]
            self.add("MatMul", x, self.normal(before, before, a[0]))
            self.add("Add", self.current, self.constant(np.zeros(a[0], np.float32)))
        elif kind == "maxpool":
            self.sizes = [n // a[0] for n in self.sizes]
            self.add("MaxPool", x, kernel_shape=[a[0], a[0]], strides=[a[0], a[0]])
        elif kind == "flatten":
            self.features *= self.sizes[0] * self.sizes[1]
            self.add("Flatten", x)
        elif kind == "average":
            self.add("GlobalAveragePool", x)
            self.add("Flatten", self.current)
        elif kind == "batchnorm":
            ones, zeros = np.ones(before, np.float32), np.zeros(before, np.float32)
            values = [self.constant(v) for v in (ones, zeros, zeros, ones)]
            self.add("BatchNormalization", x, *values, epsilon=1e-3)
        elif kind == "relu":
            self.add("Relu", x)
        elif kind == "embedding":
            self.features = a[1]
            self.add("Gather", self.normal(1, *a), x)
        elif kind == "mean":
            self.add("ReduceMean", x, axes=[1], keepdims=0)
        elif kind == "transformer":
            self.transformer(*a)
        elif kind == "residual":
            self.through(a[0])
            self.add("Add", x, self.current)
            self.add("Relu", self.current)
        else:
            self.lstm(*a)

    def dense(self, x: str, before: int, units: int) -> str:
        self.add("MatMul", x, self.normal(before, before, units))
        return self.add("Add", self.current, self.constant(np.zeros(units, np.float32)))[0]

    def norm(self, x: str) -> str:
        ones, zeros = np.ones(self.features, np.float32), np.zeros(self.features, np.float32)
        values = [self.constant(v) for v in (ones, zeros)]
        return self.add("LayerNormalization", x, *values, axis=-1, epsilon=1e-3)[0]

    def transformer(self, heads: int, hidden: int) -> None:
        n, x = self.features, self.current
        split = self.constant(np.array([0, 0, heads, n // heads], np.int64))
        parts = []
        for order in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]):
            self.add("Reshape", self.dense(x, n, n), split)
            parts += self.add("Transpose", self.current, perm=order)
        scale = self.constant(np.float32((n // heads) ** -0.5))
        self.add("Mul", self.add("MatMul", *parts[:2])[0], scale)
        self.add("Softmax", self.current, axis=-1)
        self.add("MatMul", self.current, parts[2])
        self.add("Transpose", self.current, perm=[0, 2, 1, 3])
        self.add("Reshape", self.current, self.constant(np.array([0, 0, n], np.int64)))
        x = self.norm(self.add("Add", x, self.dense(self.current, n, n))[0])
        self.add("Relu", self.dense(x, n, hidden))
        self.norm(self.add("Add", x, self.dense(self.current, hidden, n))[0])

    def lstm(self, units: int, sequences: bool) -> None:
        before, self.features = self.features, units
        self.add("Transpose", self.current, perm=[1, 0, 2])
        weights = [
            self.normal(before, 1, 4 * units, before),
            self.normal(units, 1, 4 * units, units),
            self.constant(np.zeros((1, 8 * units), np.float32)),
        ]
        steps, last, _ = self.add("LSTM", self.current, *weights, outputs=3, hidden_size=units)
        if sequences:  # (time, 1, batch, units)
            self.add("Squeeze", steps, self.constant(np.array([1], np.int64)))
            self.add("Transpose", self.current, perm=[1, 0, 2])
        else:
            self.add("Squeeze", last, self.constant(np.array([0], np.int64)))


def input_array(x: np.ndarray) -> np.ndarray:
    """Samples as the model takes them."""
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if x.ndim == 4 else x


def model_bytes(name: str) -> bytes:
    """The model, serialized; its batch is free."""
    workload = WORKLOADS[name]
    shape = workload["x"]
    nodes = Nodes(shape)
    nodes.through(workload["layers"])
    sample = [shape[2], *shape[:2]] if len(shape) == 3 else list(shape)
    element = TensorProto.INT32 if "vocabulary" in workload else TensorProto.FLOAT
    rows = ["batch", shape[0]] if workload.get("labels") == "step" else ["batch"]
    graph = helper.make_graph(
        nodes.nodes,
        name,
        [helper.make_tensor_value_info("x", element, ["batch", *sample])],
        [helper.make_tensor_value_info(nodes.current, TensorProto.FLOAT, [*rows, CLASSES])],
        nodes.weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
