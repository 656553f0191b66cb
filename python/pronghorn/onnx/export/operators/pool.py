"""Pooling."""

from __future__ import annotations

from pronghorn.onnx.export.operators.windows import padding, to_first, to_last
from pronghorn.onnx.export.table import Call, converter


def _pool(call: Call, op: str, **attrs: int) -> str:
    w, rank = call.w, call.rank()
    window = list(call.attrs["window"])
    x = call.x if call.dtype() == "float32" else w.cast(call.x, "double")
    y = w.op(
        op, to_first(call, x, rank), kernel_shape=window, strides=list(call.attrs["strides"]),
        **padding(call, window), **attrs,
    )  # fmt: skip
    y = to_last(call, y, rank)
    return y if call.dtype() == "float32" else w.cast(y, call.dtype())


@converter("max_pool", exact=True)
def max_pool(call: Call) -> list[str]:
    return [_pool(call, "MaxPool")]


@converter("average_pool")
def average_pool(call: Call) -> str:
    return _pool(call, "AveragePool", count_include_pad=0)
