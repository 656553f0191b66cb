"""Rows by index, one-hot codes, triangles, ranges, padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import layers, ops
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.operators.elementwise import elementwise
from pronghorn.onnx.importing.operators.linear import weights_of
from pronghorn.onnx.importing.registry import operator
from pronghorn.onnx.importing.values import Constant, Dim, Symbolic, Value


@operator("Gather")
def gather(b: Builder, node: Node) -> Value:
    """Rows along an axis by index: an Embedding where the rows are weights."""
    x, index = b.required(node, 0), b.required(node, 1)
    rank = len(x.dims)
    axis = attributes.axis(node, rank)
    table = weights_of(x)
    if isinstance(index, Symbolic) and table is not None and table.ndim == 2 and axis == 0:
        if not {index.tensor.dtype} <= {"int32", "int64"}:
            raise ValueError(f"expected int32 or int64 indices. Received: {index.tensor.dtype}.")
        ids = b.plain(index)
        found = b.call(layers.Embedding, ids, *table.shape, weights=[table])
        return b.result(found, [*index.dims, None])
    if isinstance(index, Constant) and index.array.dtype != object:
        return _constant_rows(b, b.as_symbolic(x), index.array, axis)
    rows = b.plain(index)
    source = b.operand(x) if isinstance(x, Constant) and x.dims else b.plain(x)
    found = b.operation(ops.take, source, rows, axis=axis)
    return b.result(found, [*x.dims[:axis], *index.dims, *x.dims[axis + 1 :]])


def _constant_rows(b: Builder, x: Symbolic, index: np.ndarray, axis: int) -> Value:
    size = x.dims[axis]
    if index.dtype.kind not in "iu":
        raise ValueError(f"expected integer indices. Received: dtype {index.dtype}.")
    if isinstance(size, int) and index.size and not -size <= index.min() <= index.max() < size:
        raise ValueError(f"expected indices below {size}. Received: {index.reshape(-1)[:10]}.")
    if index.size and np.abs(index).max() >= 2**31:
        raise ValueError(f"expected indices below 2**31. Received: {index.reshape(-1)[:10]}.")
    if None in x.axes:
        x = b.result(b.plain(x), x.dims)
    place: Any = x.axes[axis]
    if not index.ndim:
        key = (*[slice(None)] * place, int(index))
        found = b.operation(ops.get_item, x.tensor, key)
        left = [j for j in range(len(x.dims)) if j != axis]
        axes = [int(x.axes[j]) - (x.axes[j] > place) for j in left]  # type: ignore[arg-type, operator]
        return b.result(found, [x.dims[j] for j in left], axes)
    if isinstance(size, int):
        index = index % size if size else index
    elif index.min() < 0:
        raise ValueError("counts from the end of an open size, which is not taken")
    if index.ndim == 1:
        found = b.operation(ops.take, x.tensor, index.astype(np.int32), axis=place)
        dims = [d if j != axis else len(index) for j, d in enumerate(x.dims)]
        return b.result(found, dims, x.axes)
    found = b.operation(ops.take, b.plain(x), index.astype(np.int32), axis=axis)
    return b.result(found, [*x.dims[:axis], *index.shape, *x.dims[axis + 1 :]])


@operator("GatherElements")
def gather_elements(b: Builder, node: Node) -> Value:
    """A number for each index, from the same place of the other axes."""
    x, index = b.required(node, 0), b.required(node, 1)
    axis = attributes.axis(node, len(x.dims))
    rows = index.array if isinstance(index, Constant) else b.plain(index)
    size = x.dims[axis]
    if isinstance(rows, np.ndarray):
        if not isinstance(size, int) or rows.dtype.kind not in "iu":
            raise ValueError("expected integer indices into an axis of known size.")
        if rows.size and not -size <= rows.min() <= rows.max() < size:
            raise ValueError(f"expected indices below {size}.")
        rows = (rows % size).astype(np.int32) if size else rows.astype(np.int32)
    for j, (d, e) in enumerate(zip(x.dims, index.dims)):
        if j != axis and d != e:
            raise ValueError(
                f"expected indices of the shape {x.dims} but for axis {axis}. "
                f"Received: {index.dims}."
            )
    source = b.operand(x) if isinstance(x, Constant) else b.plain(x)
    return b.result(b.operation(ops.take_along_axis, source, rows, axis=axis), index.dims)


@operator("OneHot")
def one_hot(b: Builder, node: Node) -> Value:
    """`on` at the index along a new axis, `off` elsewhere."""
    x = b.symbolic(node, 0)
    depth, values = b.array(node, 1, "the depth"), b.array(node, 2, "the values")
    if depth is None or values is None or values.size != 2 or depth.size != 1:
        raise ValueError("expected a depth and two values.")
    count = int(depth.reshape(-1)[0])
    if not 1 <= count < 2**24:
        raise ValueError(f"expected a depth from 1 to {2**24 - 1}. Received: {count}.")
    rank = len(x.dims)
    axis = attributes.axis(node, rank + 1, -1)
    places = Constant(np.arange(count, dtype=np.int64).reshape(-1, *(1,) * (rank - axis)))
    tensor = b.operation(ops.expand_dims, b.plain(x), axis, suffix="indices")
    dims = [*x.dims[:axis], 1, *x.dims[axis:]]
    index = b.result(tensor, dims)
    if index.tensor.dtype != "int64":
        index = b.result(b.operation(ops.cast, index.tensor, "int64", suffix="cast"), dims)
    below = elementwise(b, ops.less, [index, Constant(np.array(0, np.int64))])
    moved = elementwise(b, ops.add, [index, Constant(np.array(count, np.int64))])
    index = elementwise(b, ops.where, [below, moved, index])
    hit = elementwise(b, ops.equal, [index, places])
    off, on = values.reshape(-1)
    dtype = values.dtype.name if values.dtype != np.float64 else "float32"
    ones = b.result(b.operation(ops.cast, hit.tensor, dtype, suffix="hits"), hit.dims)
    if (off, on) == (0, 1):
        return ones
    scaled = elementwise(b, ops.multiply, [ones, Constant(np.array(on - off))])
    return elementwise(b, ops.add, [scaled, Constant(np.array(off))])


@operator("Trilu")
def trilu(b: Builder, node: Node) -> Value:
    """The upper or lower triangle of matrices, 0 elsewhere."""
    x = b.symbolic(node, 0)
    given = b.integers(node, 1, "the diagonal")
    k = given[0] if given else 0
    if abs(k) >= 2**31:
        raise ValueError(f"expected a diagonal below 2**31. Received: {k}.")
    function = ops.triu if attributes.flag(node, "upper", 1) else ops.tril
    return b.result(b.operation(function, b.plain(x), k), x.dims)


@operator("Range")
def range_(b: Builder, node: Node) -> Value:
    """0, 1, 2, ... as many as an open size, which exporters count positions with."""
    numbers = [b.sizes(node, i, "start, limit and step") for i in range(3)]
    start, limit, step = (n[0] if n else None for n in numbers)
    if isinstance(start, Dim) or step != 1 or not isinstance(limit, Dim):
        raise ValueError(
            f"from {start} to {limit} by {step}: give the sizes of the inputs (input_shapes)"
        )
    if start:
        raise ValueError(f"from {start} to the open size '{limit}' is not taken")
    found = b.positions(limit, "int64")
    if found.dtype != "int64":
        found = b.operation(ops.cast, found, "int64", suffix="cast")
    return b.result(found, [limit])


@operator("Pad")
def pad(b: Builder, node: Node) -> Value:
    """Numbers added to, or with negative counts cut from, the ends of axes."""
    x = b.symbolic(node, 0)
    rank = len(x.dims)
    mode = attributes.text(node, "mode", "constant")
    counts = attributes.integers(node, "pads") or b.integers(node, 1, "the counts")
    named = b.integers(node, 3, "the axes")
    axes = attributes.normalized_axes(list(range(rank)) if named is None else named, rank)
    if counts is None or len(counts) != 2 * len(axes) or any(abs(c) >= 2**31 for c in counts):
        raise ValueError(f"expected {2 * len(axes)} counts. Received: {counts}.")
    value: float | int | bool = attributes.number(node, "value", 0.0)
    given = b.array(node, 2, "the value") if len(node.inputs) > 2 else None
    if given is not None and given.size:
        value = given.reshape(-1)[0].item()
    pads = [(0, 0)] * rank
    for i, axis in enumerate(axes):
        pads[axis] = (counts[i], counts[i + len(axes)])
    return padded(b, x, pads, mode, value)


def padded(
    b: Builder, x: Symbolic, pads: list[tuple[int, int]], mode: str = "constant", value: Any = 0
) -> Symbolic:
    """Returns a tensor with its axes made longer or shorter at both ends."""
    if None in x.axes:
        x = b.result(b.plain(x), x.dims)
    tensor = x.tensor
    rank = len(x.dims)
    if mode not in ("constant", "reflect", "edge", "wrap"):
        raise ValueError(f"expected mode constant, reflect, edge or wrap. Received: {mode!r:.100}.")
    widths = [(0, 0)] * rank
    for j in range(rank):
        widths[int(x.axes[j])] = pads[j]  # type: ignore[arg-type]
    if any(w < 0 for pair in widths for w in pair):
        key = tuple(slice(max(0, -f), min(0, e) or None) for f, e in widths)
        tensor = b.operation(ops.get_item, tensor, key, suffix="cut")
        widths = [(max(0, f), max(0, e)) for f, e in widths]
    if mode == "constant":
        if any(w for pair in widths for w in pair):
            tensor = _padded_with(b, tensor, widths, value)
    else:
        for axis, (front, end) in enumerate(widths):
            if front or end:
                tensor = _taken(b, tensor, axis, front, end, mode)
    dims = [d if pads[j] == (0, 0) else None for j, d in enumerate(x.dims)]
    return b.result(tensor, dims, x.axes)


_ZERO_PADDING = {
    3: layers.ZeroPadding1D,
    4: layers.ZeroPadding2D,
    5: layers.ZeroPadding3D,
}


def _padded_with(b: Builder, tensor: Any, widths: list[tuple[int, int]], value: Any) -> Any:
    rank = len(tensor.shape)
    inner = not (any(widths[0]) or any(widths[-1]))
    if value == 0 and inner and rank in _ZERO_PADDING and tensor.dtype.startswith("float"):
        sides = tuple(widths[1:-1])
        kwargs: Any = {} if rank == 3 else {"data_format": "channels_last"}
        given: Any = sides[0] if rank == 3 else sides
        return b.call(_ZERO_PADDING[rank], tensor, given, suffix="pad", **kwargs)
    number = value if tensor.dtype.startswith(("float", "bfloat")) else int(value)
    number = bool(value) if tensor.dtype == "bool" else number
    return b.operation(
        ops.pad, tensor, tuple(widths), mode="constant", constant_values=number, suffix="pad"
    )


def _taken(b: Builder, tensor: Any, axis: int, front: int, end: int, mode: str) -> Any:
    size = tensor.shape[axis]
    if size is None and mode == "reflect":
        widths = [(0, 0)] * len(tensor.shape)
        widths[axis] = (front, end)
        return b.operation(ops.pad, tensor, tuple(widths), mode=mode, suffix=mode)
    if size is None:
        raise ValueError(f"with mode {mode} along an open size: give the sizes of the inputs")
    most = {"reflect": size - 1, "edge": 2**24, "wrap": size}[mode]
    if max(front, end) > most or not size:
        raise ValueError(f"with mode {mode} adds {front} and {end} to an axis of {size}.")
    index = np.arange(-front, size + end)
    if mode == "edge":
        index = np.clip(index, 0, size - 1)
    elif mode == "wrap":
        index = index % size
    else:
        index = np.abs(index)
        index = np.where(index >= size, 2 * (size - 1) - index, index)
    return b.operation(ops.take, tensor, index.astype(np.int32), axis=axis, suffix=mode)
