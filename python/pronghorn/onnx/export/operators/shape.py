"""Shapes: reshape, transpose, broadcast, concatenate, slice, flip, pad."""

from __future__ import annotations

import numpy as np

from pronghorn.onnx.export.operators.rows import without_rows
from pronghorn.onnx.export.sizes import Size, fixed
from pronghorn.onnx.export.table import Call, converter

_LOWEST = np.iinfo(np.int64).min


@converter("reshape", exact=True)
def reshape(call: Call) -> str:
    unknown = sum(fixed(s) is None for s in call.out.shape)
    found = without_rows(call) if unknown > 1 else None
    if found is None:
        return call.w.reshape(call.x, call.out.shape, call.shape())
    x, shape = found
    return x if shape == call.out.shape else call.w.reshape(x, call.out.shape, shape)


@converter("transpose", exact=True)
def transpose(call: Call) -> str:
    rank = call.rank()
    return call.w.transpose(call.x, [a % rank for a in call.attrs["axes"]])


@converter("broadcast_to", exact=True)
def broadcast_to(call: Call) -> str:
    w, dtype = call.w, call.dtype()
    shape = w.vector(call.out.shape)
    if dtype in ("uint16", "uint32"):
        wide = w.cast(call.x, "int64")
        return w.cast(w.op("Expand", wide, shape), dtype)
    return w.op("Expand", call.x, shape)


@converter("concatenate", exact=True)
def concatenate(call: Call) -> str:
    return call.w.op("Concat", *call.inputs, axis=call.axis())


@converter("slice", exact=True)
def slice_(call: Call) -> str:
    w = call.w
    begins, ends, steps = (call.attrs[k] for k in ("begin", "end", "strides"))
    axes, starts, stops, strides = [], [], [], []
    for axis, (size, begin, end, step) in enumerate(zip(call.shape(), begins, ends, steps)):
        last = end == size or (isinstance(end, int) and fixed(size) == end)
        if begin == 0 and last and step == 1:
            continue
        axes.append(axis)
        starts.append(begin)
        stops.append(np.iinfo(np.int64).max if last else end)
        strides.append(step)
    if not axes:
        return call.x
    as_size: list[Size | int] = [int(s) if not isinstance(s, tuple) else s for s in stops]
    wide = w.cast(call.x, "int64") if call.dtype() in ("uint16", "uint32", "int16") else call.x
    found = w.op(
        "Slice", wide, w.vector(starts), w.vector(as_size), w.ints(axes), w.vector(strides)
    )
    return w.cast(found, call.dtype()) if wide != call.x else str(found)


@converter("flip", exact=True)
def flip(call: Call) -> str:
    axes = [a % call.rank() for a in call.attrs["axes"]]
    w = call.w
    return w.op(
            "Slice", call.x, w.ints([-1] * len(axes)), w.ints([_LOWEST] * len(axes)),
            w.ints(axes), w.ints([-1] * len(axes)),
        )  # fmt: skip


@converter("pad", exact=True)
def pad(call: Call) -> str:
    w, dtype = call.w, call.dtype()
    wide = dtype if dtype in ("float32", "int32", "int64") else "int32"
    wide = "int64" if dtype == "uint32" else wide
    x = call.x if wide == dtype else w.cast(call.x, wide)
    value = w.constant(call.attrs.get("value", 0), dtype=wide)
    low, high = call.attrs["low"], call.attrs["high"]
    sizes = list(call.shape())
    for axis, between in enumerate(call.attrs.get("interior", [])):
        if between == 0 or fixed(sizes[axis]) in (0, 1):
            continue
        x, sizes[axis] = _spread(call, x, sizes, axis, between, value)
    if any(n != 0 for n in (*low, *high)):
        x = w.op("Pad", x, w.vector([*low, *high]), value, mode="constant")
    return x if wide == dtype else w.cast(x, dtype)


def _spread(
    call: Call, x: str, sizes: list[Size], axis: int, between: int | Size, value: str
) -> tuple[str, Size]:
    """`between` elements of `value` between neighbours along an axis: after each, less the last."""
    w = call.w
    gap = call.known(between, "the space between elements")
    rank = len(sizes)
    x = w.unsqueeze(x, axis + 1)
    after = [0] * (2 * (rank + 1))
    after[rank + 1 + axis + 1] = gap
    x = w.op("Pad", x, w.ints(after), value, mode="constant")
    spread = tuple(n * (gap + 1) for n in sizes[axis])
    x = w.reshape(x, [*sizes[:axis], spread, *sizes[axis + 1 :]], sizes[: axis + 1])
    x = w.slice(x, axis, 0, -gap)
    return x, tuple(n - gap for n in spread)
