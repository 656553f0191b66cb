"""GatherND, ScatterND and ScatterElements: numbers at places that other tensors name."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn import ops
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.registry import operator
from pronghorn.onnx.importing.values import Constant, Size, Value
from pronghorn.ops.keras_tensor import KerasTensor

_MOST = 2**31 - 1
# Products and extremes are taken one update after the other.
_MOST_IN_TURN = 1024
_REDUCTIONS = {"none": None, "add": "add", "mul": "mul", "max": "max", "min": "min"}


def _known(value: Value, what: str, first: int = 0) -> tuple[int, ...]:
    """Returns the sizes of a value from axis `first` on."""
    if not all(isinstance(d, int) for d in value.dims[first:]):
        raise ValueError(f"expected {what} of known size. Received: {value.dims}: give the sizes.")
    return tuple(value.dims[first:])


def _indices(b: Builder, value: Value) -> Any:
    """Returns indices as a tensor or an array of int64."""
    if isinstance(value, Constant) and value.array.dtype.kind in "iu":
        return value.array
    return b.plain(value)


def _flat_places(b: Builder, index: Any, sizes: tuple[int, ...]) -> Any:
    """Returns places `(n, k)`, each an index along every axis of `sizes`, as numbers in a row."""
    if math.prod(sizes) > _MOST:
        raise ValueError(f"in a tensor of {math.prod(sizes)} numbers is not taken")
    steps = [math.prod(sizes[i + 1 :]) for i in range(len(sizes))]
    if isinstance(index, np.ndarray):
        limit = np.array(sizes)
        if index.size and ((index < -limit) | (index >= limit)).any():
            raise ValueError(f"expected indices within {sizes}.")
        return ((index % limit) * np.array(steps)).sum(-1).astype(np.int32)
    limits = np.array(sizes, np.int64)
    below = b.operation(ops.less, index, 0, suffix="below")
    moved = b.operation(ops.add, index, limits, suffix="moved")
    index = b.operation(ops.where, below, moved, index, suffix="index")
    scaled = b.operation(ops.multiply, index, np.array(steps, np.int64), suffix="scaled")
    total = b.operation(ops.sum, scaled, axis=-1, suffix="place")
    return b.operation(ops.cast, total, "int32", suffix="places")


@operator("GatherND")
def gather_nd(b: Builder, node: Node) -> Value:
    """Slices at places along the first axes; behind `batch_dims`, of each sample by itself."""
    x, index = b.required(node, 0), b.required(node, 1)
    batch = attributes.integer(node, "batch_dims", 0)
    if batch not in (0, 1) or len(index.dims) <= batch:
        raise ValueError(f"attribute 'batch_dims': only 0 and 1 are taken. Received: {batch}.")
    count = index.dims[-1]
    if not isinstance(count, int) or not 1 <= count <= len(x.dims) - batch:
        raise ValueError(f"expected places along axes of {x.dims}. Received: {index.dims}.")
    behind = x.dims[batch + count :]
    if sum(not isinstance(d, int) for d in behind) > 1 - batch:
        raise ValueError(f"of the open sizes {behind}: give the sizes of the inputs (input_shapes)")
    dims = [*index.dims[:-1], *behind]
    if not batch:
        sizes = x.dims[:count]
        if not all(isinstance(d, int) for d in sizes):
            raise ValueError(f"of the open sizes {sizes}: give the sizes of the inputs")
        places = _flat_places(b, _indices(b, index), sizes)
        rest = [d if isinstance(d, int) else -1 for d in behind]
        flat = b.operation(ops.reshape, b.plain(x), (math.prod(sizes), *rest), suffix="flat")
        return b.result(b.operation(ops.take, flat, places, axis=0), dims)
    if count != 1 or x.dims[0] != index.dims[0]:
        raise ValueError("with batch_dims 1 along more than one axis is not taken")
    time = x.dims[1]
    length = time if isinstance(time, int) else b.size_tensor(time)
    places = b.operation(ops.squeeze, b.plain(index), -1, suffix="index")
    places = b.operation(ops.cast, places, "int32", suffix="index")
    below = b.operation(ops.less, places, 0, suffix="below")
    moved = b.operation(ops.add, places, length, suffix="moved")
    places = b.operation(ops.where, below, moved, places, suffix="index")
    samples: Any = b.positions(x.dims[0])
    shape = (-1, *[1] * (len(index.dims) - 2))
    if isinstance(samples, np.ndarray):
        samples = samples.reshape(shape)
    else:
        samples = b.operation(ops.reshape, samples, shape, suffix="samples")
    first = (
        b.operation(ops.multiply, length, samples, suffix="first")
        if isinstance(samples, KerasTensor) or isinstance(length, KerasTensor)
        else samples * length
    )
    places = b.operation(ops.add, places, first, suffix="places")
    flat = b.operation(ops.reshape, b.plain(x), (-1, *behind), suffix="flat")
    return b.result(b.operation(ops.take, flat, places, axis=0), dims)


@operator("ScatterND")
def scatter_nd(b: Builder, node: Node) -> Value:
    """The first input with slices at places replaced, or joined by a sum, product or extreme."""
    reduction = _reduction(node)
    x, index, updates = (b.required(node, i) for i in range(3))
    count = index.dims[-1] if index.dims else None
    rank = len(x.dims)
    if not isinstance(count, int) or not 1 <= count <= rank:
        raise ValueError(f"expected places along 1 to {rank} axes. Received: {index.dims}.")
    if tuple(updates.dims) != (*index.dims[:-1], *x.dims[count:]):
        raise ValueError(f"expected updates that fit. Received: {updates.dims}, {index.dims}.")
    row = math.prod(_known(x, "the tensor", first=count))
    if count == 1 and not isinstance(x.dims[0], int):
        rows, places = -1, _rows_from_the_end(b, index, x.dims[0])
    else:
        sizes = _known(x, "the tensor")[:count]
        rows, places = math.prod(sizes), _flat_places(b, _indices(b, index), sizes)
    number = [d if isinstance(d, int) else -1 for d in index.dims[:-1]]
    total = -1 if -1 in number else math.prod(number)
    places = _reshaped(b, places, (total, 1))
    flat = b.operation(ops.reshape, b.plain(x), (rows, row), suffix="rows")
    given = b.operation(ops.reshape, b.plain(updates), (total, row), suffix="updates")
    _check_turns(reduction, total)
    found = b.operation(ops.scatter_update, flat, places, given, reduction=reduction)
    shape = (rows if rows < 0 else x.dims[0], *x.dims[1:])
    return b.result(b.operation(ops.reshape, found, shape, suffix="result"), x.dims)


def _rows_from_the_end(b: Builder, index: Value, length: Size) -> Any:
    """Returns indices of rows of a tensor of `length` rows, those below 0 counted from its end."""
    places = b.plain(index)
    end = b.size_tensor(length, str(places.dtype))
    below = b.operation(ops.less, places, 0, suffix="below")
    moved = b.operation(ops.add, places, end, suffix="moved")
    return b.operation(ops.where, below, moved, places, suffix="index")


@operator("ScatterElements")
def scatter_elements(b: Builder, node: Node) -> Value:
    """The first input with numbers along an axis replaced, or joined as by ScatterND."""
    reduction = _reduction(node)
    x, index, updates = (b.required(node, i) for i in range(3))
    sizes, given = _known(x, "the tensor"), _known(index, "the indices")
    axis = attributes.axis(node, len(sizes))
    if len(given) != len(sizes) or tuple(updates.dims) != given:
        raise ValueError(f"expected updates that fit. Received: {updates.dims}, {given}.")
    if any(g > s for j, (g, s) in enumerate(zip(given, sizes)) if j != axis):
        raise ValueError(f"expected indices within shape {sizes}. Received: {given}.")
    b.count_constant(math.prod(given), 8 * len(sizes))
    step = math.prod(sizes[axis + 1 :])
    grid = np.indices(given, sparse=True)
    base: Any = np.zeros(given, np.int64)
    for j, part in enumerate(grid):
        if j != axis:
            base = base + part * math.prod(sizes[j + 1 :])
    raw = _indices(b, index)
    if isinstance(raw, np.ndarray):
        along = _flat_places(b, raw[..., None], sizes[axis : axis + 1])
        places = (along * step + base).astype(np.int32)
    else:
        wide = b.operation(ops.expand_dims, raw, -1, suffix="indices")
        along = _flat_places(b, wide, sizes[axis : axis + 1])
        along = b.operation(ops.multiply, along, step, suffix="along")
        places = b.operation(ops.add, along, base.astype(np.int32), suffix="grid")
    count = math.prod(given)
    places = _reshaped(b, places, (count, 1))
    flat = b.operation(ops.reshape, b.plain(x), (math.prod(sizes),), suffix="numbers")
    numbers = b.operation(ops.reshape, b.plain(updates), (count,), suffix="updates")
    _check_turns(reduction, count)
    found = b.operation(ops.scatter_update, flat, places, numbers, reduction=reduction)
    return b.result(b.operation(ops.reshape, found, sizes, suffix="result"), sizes)


def _reduction(node: Node) -> str | None:
    name = attributes.text(node, "reduction", "none")
    if name not in _REDUCTIONS:
        raise ValueError(f"attribute 'reduction': unknown. Received: {name!r:.100}.")
    return _REDUCTIONS[name]


def _check_turns(reduction: str | None, count: int) -> None:
    if reduction in ("mul", "max", "min") and not 0 <= count <= _MOST_IN_TURN:
        raise ValueError(
            f"with reduction {reduction!r} of {count} updates is not taken; {_MOST_IN_TURN} are"
        )


def _reshaped(b: Builder, places: Any, shape: tuple[int, ...]) -> Any:
    if isinstance(places, np.ndarray):
        return places.reshape(shape)
    return b.operation(ops.reshape, places, shape, suffix="column")
