"""Reading at indices. An index outside is an error of the file's reader; the core gives NaN."""

from __future__ import annotations

from pronghorn.onnx.export.table import Call, converter
from pronghorn.onnx.export.writer import Writer


def as_index(w: Writer, x: str, dtype: str) -> str:
    """Returns indices as int64, or as int32 where they are that."""
    return x if dtype in ("int32", "int64") else w.cast(x, "int64")


def _refuse_fill(call: Call) -> None:
    if call.attrs.get("zero_fill", 0):
        raise call.refuse("zeros for indices outside have no ONNX operator")


@converter("gather", exact=True)
def gather(call: Call) -> str:
    _refuse_fill(call)
    w = call.w
    return w.op("Gather", call.x, as_index(w, call.inputs[1], call.dtype(1)), axis=call.axis())


@converter("take_along_axis", exact=True)
def take_along_axis(call: Call) -> str:
    _refuse_fill(call)
    w = call.w
    indices = as_index(w, call.inputs[1], call.dtype(1))
    return w.op("GatherElements", call.x, indices, axis=call.axis())


@converter("gather_nd", exact=True)
def gather_nd(call: Call) -> str:
    _refuse_fill(call)
    w = call.w
    return w.op("GatherND", call.x, w.cast(call.inputs[1], "int64"))


@converter("one_hot")
def one_hot(call: Call) -> str:
    w = call.w
    depth = call.attrs["depth"]
    indices = w.unsqueeze(w.cast(call.x, "int64"), -1)
    found = w.op("Equal", indices, w.range(depth))
    dtype = call.out.dtype
    return w.cast(found, "float32" if "float" in dtype else dtype)


def _starts(call: Call, x: str, sizes: list[int]) -> str:
    """The starts of a box of these sizes, moved so that it fits."""
    w = call.w
    room = [tuple(n - s for n in size) for size, s in zip(call.shape(), sizes)]
    starts = w.op("Max", w.cast(x, "int64"), w.ints([0]))
    return w.op("Min", starts, w.vector(room))


@converter("dynamic_slice", exact=True)
def dynamic_slice(call: Call) -> str:
    w = call.w
    sizes = [call.known(s, "the size of the slice") for s in call.attrs["sizes"]]
    if not sizes:
        return call.x
    starts = _starts(call, call.inputs[1], sizes)
    ends = w.op("Add", starts, w.ints(sizes))
    return w.op("Slice", call.x, starts, ends, w.ints(range(len(sizes))))


@converter("dynamic_update_slice", exact=True)
def dynamic_update_slice(call: Call) -> str:
    w, (x, update, starts) = call.w, call.inputs
    sizes = [call.known(s, "the size of the update") for s in call.shape(1)]
    if not sizes:
        return update
    dtype = call.dtype()
    wide = dtype if dtype in ("float32", "int32", "int64") else "int32"
    wide = "int64" if dtype == "uint32" else wide
    x, update = (v if wide == dtype else w.cast(v, wide) for v in (x, update))
    starts = _starts(call, starts, sizes)
    after = w.op("Sub", w.op("Sub", w.vector(call.shape()), starts), w.ints(sizes))
    pads = w.op("Concat", starts, after, axis=0)
    zero = w.constant(0, dtype=wide)
    placed = w.op("Pad", update, pads, zero, mode="constant")
    ones = w.zeros(sizes, "int32", 1)
    inside = w.op("Pad", ones, pads, w.constant(0, dtype="int32"), mode="constant")
    y = w.op("Where", w.cast(inside, "bool"), placed, x)
    return y if wide == dtype else w.cast(y, dtype)
