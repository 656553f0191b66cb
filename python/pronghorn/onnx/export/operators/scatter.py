"""Writing and adding at indices; updates at indices outside are dropped, as in the core."""

from __future__ import annotations

from pronghorn.onnx.export.sizes import Size, product
from pronghorn.onnx.export.table import Call, converter
from pronghorn.onnx.export.writer import Writer

_SUMS = ("float32", "int32", "int64")


def _row(w: Writer, indices: str, size: Size | int, wraps: bool = True) -> str:
    """Indices as int64 from 0 to `size`: those outside are `size`, a row that is dropped."""
    indices = w.cast(indices, "int64")
    end = w.size(size)
    if wraps:
        below = w.op("Less", indices, w.constant(0, dtype="int64"))
        indices = w.op("Where", below, w.op("Add", indices, end), indices)
    inside = w.op(
        "And",
        w.op("GreaterOrEqual", indices, w.constant(0, dtype="int64")),
        w.op("Less", indices, end),
    )
    return w.op("Where", inside, indices, end)


def _with_row(w: Writer, x: str, rank: int, dtype: str, axis: int = 0) -> str:
    pads = [0] * (2 * rank)
    pads[rank + axis] = 1
    return w.op("Pad", x, w.ints(pads), w.constant(0, dtype=dtype), mode="constant")


def _wide(call: Call, i: int = 0) -> str:
    dtype = call.dtype(i)
    return dtype if dtype in _SUMS else "int64" if dtype == "uint32" else "int32"


@converter("scatter_add")
def scatter_add(call: Call) -> str:
    w, (x, indices, updates) = call.w, call.inputs
    dtype, axis, rank = _wide(call), call.axis(), call.rank()
    x, updates = (v if dtype == call.dtype() else w.cast(v, dtype) for v in (x, updates))
    added = call.rank(1)
    first = [axis, *(i for i in range(rank) if i != axis)]
    x = w.transpose(x, first)
    places = range(axis, axis + added)
    updates = w.transpose(
        updates, [*places, *(i for i in range(rank - 1 + added) if i not in places)]
    )
    y = _scatter_rows(w, x, rank, dtype, indices, updates, call.shape()[axis])
    y = w.transpose(y, [first.index(i) for i in range(rank)])
    return y if dtype == call.dtype() else w.cast(y, call.dtype())


def _scatter_rows(
    w: Writer, x: str, rank: int, dtype: str, indices: str, updates: str, size: Size | int
) -> str:
    rows = w.unsqueeze(_row(w, indices, size), -1)
    y = w.op("ScatterND", _with_row(w, x, rank, dtype), rows, updates, reduction="add")
    return w.slice(y, 0, 0, -1)


@converter("scatter_sum")
def scatter_sum(call: Call) -> str:
    w, (indices, updates) = call.w, call.inputs
    zeros = w.zeros(call.out.shape, "float32")
    rank, size = call.out.rank, call.attrs["size"]
    return _scatter_rows(w, zeros, rank, "float32", indices, updates, size)


@converter("scatter_add_along_axis")
def scatter_add_along_axis(call: Call) -> str:
    w, (x, indices, updates) = call.w, call.inputs
    dtype, axis = _wide(call), call.axis()
    x, updates = (v if dtype == call.dtype() else w.cast(v, dtype) for v in (x, updates))
    rows = _row(w, indices, call.shape()[axis])
    x = _with_row(w, x, call.rank(), dtype, axis)
    y = w.slice(w.op("ScatterElements", x, rows, updates, axis=axis, reduction="add"), axis, 0, -1)
    return y if dtype == call.dtype() else w.cast(y, call.dtype())


@converter("scatter_nd_add", "scatter_nd_update")
def scatter_nd(call: Call) -> str:
    # Rows of indices become numbers of rows of x, whose indexed dimensions become one.
    w, (x, indices, updates) = call.w, call.inputs
    depth = call.known(call.shape(1)[-1], "the last dimension of the indices")
    dtype = _wide(call)
    x, updates = (v if dtype == call.dtype() else w.cast(v, dtype) for v in (x, updates))
    shape = call.shape()
    count: Size = (1,)
    rows, outside = [], []
    for i in range(depth):
        part = w.squeeze(w.slice(indices, call.rank(1) - 1, i, i + 1), -1)
        rows.append(_row(w, part, shape[i]))
        outside.append(w.op("Equal", rows[i], w.size(shape[i])))
        count = product([count, shape[i]])
    if not rows:
        raise call.refuse("its indices have no columns")
    row, is_outside = rows[0], outside[0]
    for i in range(1, depth):
        row = w.op("Add", w.op("Mul", row, w.size(shape[i])), rows[i])
        is_outside = w.op("Or", is_outside, outside[i])
    row = w.op("Where", is_outside, w.size(count), row)
    flat = w.reshape(x, [count, *shape[depth:]])
    rank = 1 + len(shape) - depth
    reduction = "add" if call.node.op == "scatter_nd_add" else "none"
    y = w.op(
        "ScatterND", _with_row(w, flat, rank, dtype), w.unsqueeze(row, -1), updates,
        reduction=reduction,
    )  # fmt: skip
    y = w.reshape(w.slice(y, 0, 0, -1), shape)
    return y if dtype == call.dtype() else w.cast(y, call.dtype())
