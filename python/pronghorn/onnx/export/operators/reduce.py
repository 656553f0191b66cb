"""Reductions, positions of extrema, softmax."""

from __future__ import annotations

from pronghorn.onnx.export.table import Call, converter

_REDUCTIONS = {
    "reduce_sum": ("ReduceSum", ("float32", "int32", "int64")),
    "reduce_mean": ("ReduceMean", ("float32",)),
    "reduce_prod": ("ReduceProd", ("float32", "int32", "int64")),
}
_EXTREMA = {"reduce_max": "ReduceMax", "reduce_min": "ReduceMin"}


def _axes(call: Call) -> list[int]:
    return [a % call.rank() for a in call.attrs["axes"]]


def _reduced(call: Call, op: str, x: str) -> str:
    axes = _axes(call)
    if not axes:
        return x
    keepdims = int(call.attrs.get("keepdims", 0))
    return call.w.op(op, x, call.w.ints(axes), keepdims=keepdims)


@converter(*_REDUCTIONS)
def reduce(call: Call) -> str:
    op, dtypes = _REDUCTIONS[call.node.op]
    return call.within(dtypes, lambda x: _reduced(call, op, x))


@converter(*_EXTREMA, exact=True)
def extremum(call: Call) -> str:
    op = _EXTREMA[call.node.op]
    return call.within(("float32", "int32", "int64"), lambda x: _reduced(call, op, x))


@converter("reduce_any", "reduce_all")
def logical(call: Call) -> str:
    op = "ReduceMax" if call.node.op == "reduce_any" else "ReduceMin"
    w = call.w
    # The reduction of nothing: any() is False, all() is True.
    if any(0 in call.shape()[a] for a in _axes(call)):
        value = call.node.op == "reduce_all"
        return w.zeros(call.out.shape, "bool", value)
    return w.cast(_reduced(call, op, w.cast(call.x, "int32")), "bool")


@converter("argmax", "argmin")
def position(call: Call) -> str:
    op = "ArgMax" if call.node.op == "argmax" else "ArgMin"
    w = call.w
    x = call.x
    if call.dtype() not in ("float32", "int32"):
        x = w.cast(x, "int32" if call.dtype() != "int64" else "double")
    found = w.op(op, x, axis=call.axis(), keepdims=int(call.attrs.get("keepdims", 0)))
    return w.cast(found, "int32")


@converter("softmax", "log_softmax")
def softmax(call: Call) -> str:
    op = "Softmax" if call.node.op == "softmax" else "LogSoftmax"
    return call.w.op(op, call.x, axis=call.axis())


@converter("softmax_cross_entropy")
def softmax_cross_entropy(call: Call) -> str:
    w, (logits, target) = call.w, call.inputs
    product = w.op("Mul", target, w.op("LogSoftmax", logits, axis=-1))
    return w.op("Neg", w.op("ReduceSum", product, w.ints([-1]), keepdims=0))


@converter("sparse_softmax_cross_entropy")
def sparse_softmax_cross_entropy(call: Call) -> str:
    w, (logits, labels) = call.w, call.inputs
    labels = w.unsqueeze(w.cast(labels, "int64"), -1)
    found = w.op("GatherElements", w.op("LogSoftmax", logits, axis=-1), labels, axis=-1)
    return w.op("Neg", w.squeeze(found, -1))
