"""Operators that are one in place of two, and those that nothing needs."""

from __future__ import annotations

import math
from typing import Any

from pronghorn.onnx.export.writer import Operator, Writer


def merge_biases(w: Writer, outputs: list[str]) -> None:
    """Makes the constant that is added to a product or a convolution an operand of it.

    A product of matrices with a bias is a Gemm.
    """
    uses: dict[str, int] = dict.fromkeys(outputs, 1)
    for operator in w.operators:
        for name in operator.inputs:
            uses[name] = uses.get(name, 0) + 1
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


def drop_unused(w: Writer, outputs: list[str]) -> None:
    """Removes operators that no output depends on."""
    needed = set(outputs)
    kept = []
    for operator in reversed(w.operators):
        if needed.intersection(operator.outputs):
            needed.update(operator.inputs)
            kept.append(operator)
    w.operators = kept[::-1]
    w.constants = {n: v for n, v in w.constants.items() if n in needed}
