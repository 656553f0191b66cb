"""Operators that are one in place of two, and those that nothing needs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn.onnx.export.writer import Operator, Writer

_WORTH_SHARING = 1 << 16  # bytes
_OPTIONAL_OUTPUTS = frozenset(["LSTM", "GRU", "RNN", "LayerNormalization"])


def _uses(w: Writer, outputs: list[str]) -> dict[str, int]:
    """How often each value is read."""
    uses: dict[str, int] = dict.fromkeys(outputs, 1)
    for operator in w.operators:
        for name in operator.inputs:
            uses[name] = uses.get(name, 0) + 1
    return uses


def merge_biases(w: Writer, outputs: list[str]) -> None:
    """Makes the constant that is added to a product or a convolution an operand of it.

    A product of matrices with a bias is a Gemm.
    """
    uses = _uses(w, outputs)
    makers = {o.outputs[0]: o for o in w.operators if o.op in ("MatMul", "Conv", "ConvTranspose")}
    merged: dict[int, Operator] = {}
    gone: set[int] = set()
    for operator in w.operators:
        if operator.op != "Add":
            continue
        for a, b in (operator.inputs, operator.inputs[::-1]):
            maker = makers.get(a)
            if maker is None or uses[a] != 1 or b not in w.constants or len(maker.inputs) != 2:
                continue
            bias = _bias(w, maker, b, a)
            if bias is not None:
                op = "Gemm" if maker.op == "MatMul" else maker.op
                merged[id(operator)] = Operator(
                    op, [*maker.inputs, bias], operator.outputs, maker.attrs, maker.scope
                )
                gone.add(id(maker))
                break
    w.operators = [merged.get(id(o), o) for o in w.operators if id(o) not in gone]


def _bias(w: Writer, maker: Operator, name: str, result: str) -> str | None:
    value: Any = w.constants[name]
    kernel: Any = w.constants.get(maker.inputs[1])
    if kernel is None:
        return None
    if maker.op == "MatMul":
        type_ = w.types.get(result)
        is_plain = kernel.ndim == 2 and type_ is not None and type_.rank == 2
        return name if is_plain and value.ndim == 1 else None
    groups = maker.attrs.get("group", 1)
    channels = kernel.shape[0] if maker.op == "Conv" else kernel.shape[1] * groups
    shape = (1, channels, *(1,) * (kernel.ndim - 2))
    if value.shape not in (shape, shape[1:]) or math.prod(value.shape) != channels:
        return None
    return w.constant(value.reshape(channels), w.labels[name])


def merge_pairs(w: Writer, outputs: list[str]) -> None:
    """Rewrites a maximum and a minimum to Clip, a factor and a shift by channel to one operator."""
    uses = _uses(w, outputs)
    makers = {o.outputs[0]: o for o in w.operators if o.op in ("Max", "Min", "Mul")}
    for operator in w.operators:
        for a, b in (operator.inputs, operator.inputs[::-1]) if len(operator.inputs) == 2 else ():
            maker = makers.get(a)
            if maker is None or uses[a] != 1 or b not in w.constants:
                continue
            if {operator.op, maker.op} == {"Max", "Min"}:
                _clip(w, operator, maker, b)
            elif (operator.op, maker.op) == ("Add", "Mul"):
                _normalization(w, operator, maker, b)


def _constant_first(w: Writer, operator: Operator) -> tuple[str, str] | None:
    """The constant operand and the other one."""
    a, b = operator.inputs
    found = [(x, y) for x, y in ((a, b), (b, a)) if x in w.constants and y not in w.constants]
    return found[0] if found else None


def _clip(w: Writer, operator: Operator, maker: Operator, last: str) -> None:
    found = _constant_first(w, maker)
    if found is None:
        return
    low, high = (found[0], last) if maker.op == "Max" else (last, found[0])
    bounds = w.constants[low], w.constants[high]
    if all(v.ndim == 0 and v.dtype == "float32" for v in bounds) and bounds[0] <= bounds[1]:
        operator.op, operator.inputs = "Clip", [found[1], low, high]


def _normalization(w: Writer, operator: Operator, maker: Operator, shift: str) -> None:
    """x * factor + shift, with vectors along dimension 1 of an image."""
    found = _constant_first(w, maker)
    if found is None:
        return
    factor, x = found
    values = w.constants[factor], w.constants[shift]
    channels = values[0].size
    shape = (1, channels, *(1,) * (values[0].ndim - 2))
    if channels < 2 or values[0].ndim < 3 or any(v.shape != shape for v in values):
        return
    if any(v.dtype != "float32" for v in values):
        return
    vectors = [
        w.constant(values[0].reshape(channels), w.labels[factor]),
        w.constant(values[1].reshape(channels), w.labels[shift]),
        w.constant(np.zeros(channels, "float32")),
        w.constant(np.ones(channels, "float32")),
    ]
    operator.op, operator.inputs = "BatchNormalization", [x, *vectors]
    operator.attrs = {"epsilon": 0.0}


def share_transposed(w: Writer) -> None:
    """Keeps a matrix once where it is used as it is and transposed: tied embeddings, say."""
    added = []
    for label in {w.labels[n] for n in w.constants} - {"constant"}:
        same = [n for n in w.constants if w.labels[n] == label and w.constants[n].ndim == 2]
        for i, a in enumerate(same):
            for b in same[:i]:
                if w.constants[b].nbytes < _WORTH_SHARING:
                    continue
                if np.array_equal(w.constants[a].T, w.constants[b]):
                    added.append(Operator("Transpose", [b], [a], {"perm": [1, 0]}))
                    break
    w.drop_constants({operator.outputs[0] for operator in added})
    w.operators = added + w.operators


def drop_unused(w: Writer, outputs: list[str]) -> None:
    """Removes operators that no output depends on, and outputs that nothing reads."""
    needed = set(outputs)
    kept = []
    for operator in reversed(w.operators):
        if needed.intersection(operator.outputs):
            if operator.op in _OPTIONAL_OUTPUTS:
                operator.outputs = [n if n in needed else "" for n in operator.outputs]
                while operator.outputs[-1] == "":
                    operator.outputs.pop()
            needed.update(n for n in operator.inputs if n)
            kept.append(operator)
    w.operators = kept[::-1]
    w.drop_constants(set(w.constants) - needed)
