"""Sorting and the largest elements; ONNX takes equal ones in the order of their positions, too."""

from __future__ import annotations

from pronghorn.onnx.export.table import Call, converter

_DTYPES = ("float32", "int32", "int64")


def _sorted(call: Call, axis: int, k: str, largest: int) -> tuple[str, str]:
    w, dtype = call.w, call.dtype()
    x = call.x
    if dtype not in _DTYPES:
        x = w.cast(x, "int64" if dtype == "uint32" else "int32")
    elif dtype == "int32":
        x = w.cast(x, "int64")
    values, indices = w.ops("TopK", x, k, outputs=2, axis=axis, largest=largest, sorted=1)
    return values if dtype in ("float32", "int64") else w.cast(values, dtype), w.cast(
        indices, "int32"
    )


@converter("sort", exact=True)
def sort(call: Call) -> str:
    axis = call.axis()
    return _sorted(call, axis, call.w.size(call.shape()[axis]), 0)[0]


@converter("argsort")
def argsort(call: Call) -> str:
    axis = call.axis()
    return _sorted(call, axis, call.w.size(call.shape()[axis]), 0)[1]


@converter("top_k", exact=True)
def top_k(call: Call) -> list[str]:
    k = call.attrs["k"]
    return list(_sorted(call, call.rank() - 1, call.w.size(k), 1))
