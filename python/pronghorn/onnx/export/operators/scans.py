"""Cumulative sums and products, linear recurrences."""

from __future__ import annotations

from pronghorn.onnx.export.table import Call, converter
from pronghorn.onnx.export.writer import Writer

_DTYPES = ("float32", "int32", "int64")


@converter("cumsum")
def cumsum(call: Call) -> str:
    w = call.w
    axis = w.constant(call.axis(), dtype="int64")
    flags = {k: int(call.attrs.get(k, 0)) for k in ("exclusive", "reverse")}
    return call.within(_DTYPES, lambda x: w.op("CumSum", x, axis, **flags))


def _shifted(w: Writer, x: str, axis: int, rank: int, by: int, fill: str, reverse: bool) -> str:
    """`x` moved by some places along an axis (towards the front with `reverse`)."""
    pads = [0] * (2 * rank)
    pads[rank + axis if reverse else axis] = by
    part = w.slice(x, axis, by, None) if reverse else w.slice(x, axis, 0, -by)
    return w.op("Pad", part, w.ints(pads), fill, mode="constant")


# Both combine neighbours at distances 1, 2, 4, ...: Hillis and Steele, "Data Parallel Algorithms",
# 1986.
@converter("cumprod")
def cumprod(call: Call) -> str:
    w, axis, rank = call.w, call.axis(), call.rank()
    n = call.known(call.shape()[axis], "the length of a cumulative product")
    reverse = bool(call.attrs.get("reverse", 0))
    dtype = call.dtype()

    def product(x: str) -> str:
        one = w.constant(1, dtype=dtype if dtype in _DTYPES else "int32")
        if call.attrs.get("exclusive", 0) and n:
            x = _shifted(w, x, axis, rank, 1, one, reverse)
        step = 1
        while step < n:
            x = w.op("Mul", x, _shifted(w, x, axis, rank, step, one, reverse))
            step *= 2
        return x

    return call.within(_DTYPES, product)


@converter("linear_recurrence")
def linear_recurrence(call: Call) -> str:
    w, axis, rank = call.w, call.axis(), call.rank()
    n = call.known(call.shape()[axis], "the length of a recurrence")
    reverse = bool(call.attrs.get("reverse", 0))
    a, b = call.inputs
    zero, one = w.constant(0, dtype="float32"), w.constant(1, dtype="float32")
    step = 1
    while step < n:
        before = _shifted(w, b, axis, rank, step, zero, reverse)
        b = w.op("Add", w.op("Mul", a, before), b)
        step *= 2
        if step < n:
            a = w.op("Mul", a, _shifted(w, a, axis, rank, step // 2, one, reverse))
    return b
