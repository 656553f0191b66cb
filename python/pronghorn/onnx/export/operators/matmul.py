"""Matrix products."""

from __future__ import annotations

from pronghorn.onnx.export.table import Call, converter


@converter("matmul")
def matmul(call: Call) -> str:
    operands = []
    for i, name in enumerate(("transpose_a", "transpose_b")):
        x, rank = call.inputs[i], call.rank(i)
        if call.attrs.get(name, 0):
            x = call.w.transpose(x, [*range(rank - 2), rank - 1, rank - 2])
        operands.append(x)
    return call.w.op("MatMul", *operands)
