"""Matrices whose rows are the last dimensions of an operand, and what is computed of them by rows.

The core multiplies and normalizes all steps of all sequences as the rows of one matrix. Where batch
and steps are of unknown size, making it and undoing it would need their product; ONNX operators
take the operand as it is.
"""

from __future__ import annotations

import dataclasses

from pronghorn.onnx.export.graph import Node, Ref, Type
from pronghorn.onnx.export.sizes import Size, product
from pronghorn.onnx.export.table import CONVERTERS, EXACT, Call
from pronghorn.onnx.export.writer import HALF, Writer

_NORMALIZATIONS = ("layer_norm", "rms_norm")
_OF_ELEMENTS = frozenset(
    [
        "add", "subtract", "multiply", "divide", "maximum", "minimum", "relu", "gelu", "gelu_tanh",
        "silu", "sigmoid", "tanh", "softplus", "erf", "exp", "negative", "square", "cast",
    ]
)  # fmt: skip
_DEEPEST = 16

_Found = tuple[str, tuple[Size, ...]]


def without_rows(call: Call) -> _Found | None:
    """For a reshape of rows that makes the leading dimensions again: the value, and its shape."""
    found = _leading(call.w, call.node.inputs[0], _DEEPEST)
    if found is None or call.out.shape[: len(found)] != found:
        return None
    ref = call.node.inputs[0]
    return _lifted(call.w, ref, found), (*found, call.w.type_of(ref).shape[-1])


def _leading(w: Writer, ref: Ref, depth: int) -> tuple[Size, ...] | None:
    """The dimensions that were made rows, if a matrix was computed by rows of such an operand."""
    node = w.node_of(ref)
    if depth == 0 or ref[1] != 0 or w.type_of(ref).rank != 2:
        return None
    if node.op == "reshape":
        shape = w.type_of(node.inputs[0]).shape
        for split in range(len(shape) - 1, 1, -1):
            if product(shape[split:]) == w.type_of(ref).shape[-1]:
                return shape[:split]
        return None
    return _leading(w, node.inputs[0], depth - 1) if _is_by_rows(w, node) else None


def _is_by_rows(w: Writer, node: Node) -> bool:
    if node.op == "matmul":
        return not node.attrs.get("transpose_a", 0) and w.type_of(node.inputs[1]).rank == 2
    if node.op in _OF_ELEMENTS:
        same = w.type_of(node.inputs[0]).shape == node.outputs[0].shape
        return same and all(w.type_of(r).rank < 2 for r in node.inputs[1:])
    return node.op in _NORMALIZATIONS


def _lifted(w: Writer, ref: Ref, leading: tuple[Size, ...]) -> str:
    """The value whose rows a matrix has."""
    node = w.node_of(ref)
    if ref in w.lifted:
        return w.lifted[ref]
    if node.op == "reshape":
        x, before = w.values[node.inputs[0]], w.type_of(node.inputs[0]).shape
        shape = (*leading, node.outputs[0].shape[-1])
        w.lifted[ref] = x if before == shape else w.reshape(x, shape, before)
        return w.lifted[ref]
    first = _lifted(w, node.inputs[0], leading)
    type_ = Type((*leading, node.outputs[0].shape[-1]), node.outputs[0].dtype)
    size = w.type_of(node.inputs[0]).shape[-1]
    call = Call(w, dataclasses.replace(node, outputs=[type_]))
    call.inputs[0] = first
    call.types[0] = Type((*leading, size), w.type_of(node.inputs[0]).dtype)
    result = CONVERTERS[node.op](call)
    name = result if isinstance(result, str) else result[0]
    if type_.dtype in HALF and node.op not in EXACT:
        name = w.round(name, type_.dtype)
    w.lifted[ref] = name
    return name
