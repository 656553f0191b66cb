"""Normalizations over the last axis, and over all others."""

from __future__ import annotations

from pronghorn.onnx.export.operators.elementwise import number
from pronghorn.onnx.export.table import Call, converter


@converter("layer_norm")
def layer_norm(call: Call) -> list[str]:
    w = call.w
    y, mean, rstd = w.ops(
        "LayerNormalization", *call.inputs, outputs=3, axis=-1, epsilon=call.attrs["epsilon"]
    )
    return [y, w.squeeze(mean, -1), w.squeeze(rstd, -1)]


@converter("rms_norm")
def rms_norm(call: Call) -> list[str]:
    w, (x, gamma) = call.w, call.inputs
    mean = w.op("ReduceMean", w.op("Mul", x, x), w.ints([-1]), keepdims=1)
    rstd = w.op("Reciprocal", w.op("Sqrt", w.op("Add", mean, number(w, call.attrs["epsilon"]))))
    if w.opset >= 23:
        y = w.op("RMSNormalization", x, gamma, axis=-1, epsilon=call.attrs["epsilon"])
    else:
        y = w.op("Mul", w.op("Mul", x, rstd), gamma)
    return [y, w.squeeze(rstd, -1)]


@converter("batch_norm")
def batch_norm(call: Call) -> list[str]:
    w, (x, gamma, beta) = call.w, call.inputs
    axes = w.ints(range(call.rank() - 1))
    mean = w.op("ReduceMean", x, axes, keepdims=0)
    centred = w.op("Sub", x, mean)
    variance = w.op("ReduceMean", w.op("Mul", centred, centred), axes, keepdims=0)
    root = w.op("Sqrt", w.op("Add", variance, number(w, call.attrs["epsilon"])))
    y = w.op("Add", w.op("Mul", w.op("Div", centred, root), gamma), beta)
    return [y, mean, variance]
