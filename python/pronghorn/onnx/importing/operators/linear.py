"""Products of matrices: Gemm, MatMul, Einsum."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import layers, ops
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.operators.elementwise import elementwise
from pronghorn.onnx.importing.registry import operator
from pronghorn.onnx.importing.values import Constant, Symbolic, Value


def weights_of(value: Value | None) -> np.ndarray | None:
    """Returns the numbers of an input that can be a weight of a layer, else None."""
    if isinstance(value, Constant) and value.array.dtype.kind == "f":
        return value.array
    return None


def following_bias(b: Builder, node: Node, shape: tuple[int, ...]) -> np.ndarray | None:
    """Returns the constant that only the next node adds, if it has one number a unit.

    The output of that Add is then the output of the layer: call `take_bias` with it.

    Args:
        b: The builder.
        node: The node before.
        shape: Shape of a bias that fits, axes of the units and behind them.
    """
    after = next_reader(b, node, "Add")
    if after is None:
        return None
    other = [x for x in after.inputs if x != node.outputs[0]]
    if len(other) != 1 or len(after.inputs) != 2 or other[0] not in b.values:
        return None
    found = weights_of(b.values[other[0]])
    if found is None or found.size != shape[0]:
        return None
    while found.ndim > len(shape) and found.shape[0] == 1:
        found = found[0]
    return found.reshape(-1) if found.shape == shape else None


def next_reader(b: Builder, node: Node, operator_name: str) -> Node | None:
    """Returns the node that alone reads the first output of `node`, if it is such an operator."""
    name = node.outputs[0]
    readers = b.readers.get(name, [])
    if name in b.output_names or len(readers) != 1 or readers[0].operator != operator_name:
        return None
    return readers[0]


def take_bias(b: Builder, node: Node, value: Value) -> None:
    """Makes `value` the output of the Add behind `node`."""
    after = next_reader(b, node, "Add")
    assert after is not None
    b.done[after] = [value]


def dense(b: Builder, x: Symbolic, kernel: np.ndarray, bias: np.ndarray | None) -> Symbolic:
    """Returns `x @ kernel + bias` as a Dense layer on the last axis."""
    tensor = b.plain(x)
    if tensor.shape[-1] != kernel.shape[0]:
        raise ValueError(
            f"expected {kernel.shape[0]} numbers along the last axis. "
            f"Received: shape={tensor.shape}."
        )
    weights = [kernel] if bias is None else [kernel, bias]
    options: dict[str, Any] = {"use_bias": bias is not None, "weights": weights}
    found = b.through_reshape(
        tensor, lambda t: b.call(layers.Dense, t, kernel.shape[1], **options), keeps=1
    )
    return b.result(found, [*x.dims[:-1], None])


@operator("Gemm")
def gemm(b: Builder, node: Node) -> Value:
    """`alpha A B + beta C`, A and B transposed or not."""
    alpha, beta = attributes.number(node, "alpha", 1.0), attributes.number(node, "beta", 1.0)
    first, second, third = b.required(node, 0), b.required(node, 1), b.value(node, 2)
    if len(first.dims) != 2 or len(second.dims) != 2:
        raise ValueError(f"expected matrices. Received: {first.dims}, {second.dims}.")
    first = _transposed(b, first) if attributes.flag(node, "transA") else first
    second = _transposed(b, second) if attributes.flag(node, "transB") else second
    kernel = weights_of(second)
    if kernel is not None and isinstance(first, Symbolic):
        units = kernel.shape[1]
        bias = weights_of(third)
        if third is None or (bias is not None and bias.size in (1, units) and beta):
            if bias is not None and bias.ndim == 2 and bias.shape[0] != 1:
                bias = None
            elif bias is not None:
                bias = np.broadcast_to(bias.reshape(-1) * np.float32(beta), (units,))
            if third is None or bias is not None:
                return dense(b, first, kernel if alpha == 1 else kernel * np.float32(alpha), bias)
    left, right = _operand(b, first), _operand(b, second)
    found: Value = b.result(b.operation(ops.matmul, left, right))
    found = b.result(found.tensor, (first.dims[0], second.dims[1]))  # type: ignore[union-attr]
    if alpha != 1:
        found = elementwise(b, ops.multiply, [found, Constant(np.array(alpha, np.float32))])
    if third is None or not beta:
        return found
    if beta != 1:
        if isinstance(third, Constant):
            third = Constant(third.array * np.float32(beta), third.name, third.stored)
        else:
            third = elementwise(b, ops.multiply, [third, Constant(np.array(beta, np.float32))])
    return elementwise(b, ops.add, [found, third])


def _transposed(b: Builder, value: Value) -> Value:
    if isinstance(value, Constant):
        return Constant(value.array.T, value.name, value.stored)
    value = b.as_symbolic(value)
    return Symbolic(value.tensor, value.dims[::-1], value.axes[::-1])


def _operand(b: Builder, value: Value) -> Any:
    return b.operand(value) if isinstance(value, Constant) else b.plain(value)


@operator("MatMul")
def matmul(b: Builder, node: Node) -> Value:
    """The product of matrices along the last two axes."""
    first, second = b.required(node, 0), b.required(node, 1)
    if not first.dims or not second.dims:
        raise ValueError("expected tensors of rank 1 or more.")
    kernel = weights_of(second)
    if kernel is not None and kernel.ndim == 2 and len(first.dims) >= 2:
        x = b.as_symbolic(first)
        bias = following_bias(b, node, (kernel.shape[1],))
        found = dense(b, x, kernel, bias)
        if bias is not None:
            take_bias(b, node, found)
        return found
    tensor = b.operation(ops.matmul, _operand(b, first), _operand(b, second))
    return b.result(tensor, _matmul_dims(first.dims, second.dims))


def _matmul_dims(a: tuple[Any, ...], c: tuple[Any, ...]) -> list[Any]:
    from pronghorn.onnx.importing.operators.elementwise import broadcast_dims

    batch = list(broadcast_dims([a[:-2], c[:-2]])) if len(a) > 2 or len(c) > 2 else []
    rows = [a[-2]] if len(a) > 1 else []
    columns = [c[-1]] if len(c) > 1 else []
    return [*batch, *rows, *columns]


@operator("Einsum")
def einsum(b: Builder, node: Node) -> Value:
    """A sum of products in Einstein's notation."""
    equation = attributes.text(node, "equation", "").replace(" ", "")
    if not equation or len(equation) > 200:
        raise ValueError(f"expected an equation. Received: {equation!r:.100}.")
    values = [b.required(node, i) for i in range(len(node.inputs))]
    tensor = b.operation(ops.einsum, equation, *[_operand(b, v) for v in values])
    return b.result(tensor, _einsum_dims(equation, values, len(tensor.shape)))


def _einsum_dims(equation: str, values: list[Value], rank: int) -> list[Any] | None:
    left, arrow, right = equation.partition("->")
    if not arrow or "." in equation or len(right) != rank:
        return None
    sizes: dict[str, Any] = {}
    for term, value in zip(left.split(","), values):
        for letter, size in zip(term, value.dims):
            if sizes.get(letter, 1) == 1:
                sizes[letter] = size
    return [sizes.get(letter) for letter in right]
