"""Guards against rewrites of ONNX Runtime that change numbers."""

from __future__ import annotations

import numpy as np

from pronghorn.onnx.export.writer import Operator, Writer

_NOT_NEGATIVE = frozenset(["Relu", "Sigmoid", "Softmax", "Exp", "Abs", "Sqrt", "Softplus"])
_PASSED_ON = frozenset(["Transpose", "MaxPool", "Reshape", "Slice"])


def guard_padding(w: Writer) -> None:
    """Puts a maximum with the lowest number between a pad with zeros and a max pooling.

    ONNX Runtime (PadFusion, seen in 1.31) makes the zeros part of the pooling's own padding, which
    counts as minus infinity. Where no operand is negative that changes nothing, and the guard is
    left out.
    """
    makers = {name: operator for operator in w.operators for name in operator.outputs}
    guarded: list[Operator] = []
    names: dict[str, str] = {}
    for operator in w.operators:
        if operator.op == "MaxPool":
            x = operator.inputs[0]
            pad = makers.get(x)
            while pad is not None and pad.op == "Transpose":
                pad = makers.get(pad.inputs[0])
            if pad is not None and pad.op == "Pad" and not _not_negative(pad.inputs[0], makers):
                if x not in names:
                    names[x] = f"{x}/guard"
                    lowest = w.constant(np.finfo(np.float32).min, dtype="float32")
                    guarded.append(Operator("Max", [x, lowest], [names[x]], {}, operator.scope))
                operator.inputs = [names[x]]
        guarded.append(operator)
    w.operators = guarded


def _not_negative(name: str, makers: dict[str, Operator]) -> bool:
    operator = makers.get(name)
    while operator is not None and operator.op in _PASSED_ON:
        operator = makers.get(operator.inputs[0])
    return operator is not None and operator.op in _NOT_NEGATIVE
