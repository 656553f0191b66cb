"""Convert: from a traced graph to ONNX operators, node by node."""

from __future__ import annotations

from typing import Any

import numpy as np

import pronghorn.onnx.export.operators  # noqa: F401  fills the table
from pronghorn.onnx.export.graph import Graph, Node, Type, value_of
from pronghorn.onnx.export.sizes import BATCH, Size
from pronghorn.onnx.export.table import CONVERTERS, EXACT, REFUSED, Call, describe
from pronghorn.onnx.export.writer import HALF, Writer, stored


def convert(graph: Graph, input_names: list[str], opset: int) -> Writer:
    """Returns a writer with the operators of a graph.

    Args:
        graph: The graph.
        input_names: Names of its inputs.
        opset: Version of the operators.

    Raises:
        ValueError: An op cannot be exported; the error names it and its layer.
    """
    lengths = [size for name, size in graph.sample.items() if name != BATCH]
    w = Writer(opset, only_multiples=all(n % 32 == 0 for size in lengths for n in size))
    w.nodes = graph.nodes
    for ref, name in zip(graph.inputs, input_names):
        type_ = w.type_of(ref)
        w.set_type(name, type_)
        w.values[ref] = w.cast(name, "float32") if type_.dtype == "float16" else name
    for number, node in enumerate(graph.nodes):
        if node.op == "input":
            continue
        w.scope = node.scope
        try:
            names = _convert_node(w, node)
        except ValueError as e:
            if "cannot be exported" in str(e):
                raise
            raise ValueError(f"{describe(node)} cannot be exported: {e}.") from e
        for index, name in enumerate(names):
            if not name:
                continue
            if node.outputs[index].dtype in HALF and node.op not in EXACT:
                name = w.round(name, node.outputs[index].dtype)
            w.values[number, index] = name
            if name not in w.types:
                w.set_type(name, node.outputs[index])
        for index in range(len(node.outputs)):
            w.values.setdefault((number, index), "")
    return w


def _convert_node(w: Writer, node: Node) -> list[str]:
    if node.op == "variable":
        assert node.variable is not None
        return [w.constant(value_of(node.tensors[0]), node.variable.path)]
    if node.op == "constant":
        return [_constant(w, node)]
    if node.op not in CONVERTERS:
        reason = REFUSED.get(node.op, "it has no converter")
        raise ValueError(f"{describe(node)} cannot be exported: {reason}.")
    result: Any = CONVERTERS[node.op](Call(w, node))
    return [result] if isinstance(result, str) else list(result)


def _constant(w: Writer, node: Node) -> str:
    values = [value_of(t) for t in node.tensors]
    first = values[0]
    type_ = node.outputs[0]
    if all(
        v.shape == first.shape and np.array_equal(v, first, equal_nan=_is_float(v)) for v in values
    ):
        return w.constant(first)
    if all(v.size and np.all(v == v.reshape(-1)[0]) for v in values):
        fill = _number(w, tuple(v.reshape(-1)[0] for v in values), stored(type_.dtype))
        if fill is not None:
            shape = w.vector(type_.shape)
            return fill if type_.rank == 0 else w.op("Expand", fill, shape)
    if (
        type_.rank >= 2
        and len(kinds := np.unique(np.concatenate([np.unique(v) for v in values]))) == 2
    ):
        found = _band(w, [v == kinds[1] for v in values], type_)
        if found is not None and type_.dtype != "bool":
            dtype = stored(type_.dtype)
            no, yes = (w.constant(k, dtype=dtype) for k in kinds)
            found = w.op("Where", found, yes, no)
    else:
        found = _range(w, values, type_) or _small(w, values, type_) or _runs(w, values, type_)
    if found is None:
        raise ValueError(
            "a constant depends on the size of an unknown dimension. Pass an `input_signature` "
            "whose shapes have sizes there"
        )
    return found


def _is_float(x: Any) -> bool:
    return bool(x.dtype.kind == "f")


def _number(w: Writer, values: tuple[Any, ...], dtype: str) -> str | None:
    """A scalar that is a number, a size, or one over a size."""
    if len(set(values)) == 1:
        return w.constant(values[0], dtype=dtype)
    whole = tuple(int(v) for v in values) if all(np.isfinite(values)) else ()
    if whole and all(n == v for n, v in zip(whole, values)):
        return w.cast(w.squeeze(w.size(whole), 0), dtype)
    if dtype == "float32" and all(np.isfinite(v) and v != 0 for v in values):
        sizes: Size = tuple(round(1 / float(v)) for v in values)
        if all(n and np.float32(1) / np.float32(n) == v for n, v in zip(sizes, values)):
            return w.op("Reciprocal", w.cast(w.squeeze(w.size(sizes), 0), "float32"))
    return None


def _range(w: Writer, values: list[Any], type_: Type) -> str | None:
    """Places: a + b i + c j + ... at the indices (i, j, ...), whole numbers or sizes."""
    if type_.rank == 0 or any(v.size == 0 or not np.all(np.isfinite(v)) for v in values):
        return None
    found = w.size(tuple(int(v.reshape(-1)[0]) for v in values))
    for axis in range(type_.rank):
        if values[0].shape[axis] == 1:
            continue
        steps = tuple(int(v.take(1, axis).reshape(-1)[0] - v.reshape(-1)[0]) for v in values)
        places = w.op("Mul", w.range(type_.shape[axis]), w.size(steps))
        behind = range(1, type_.rank - axis)
        found = w.op("Add", found, w.unsqueeze(places, *behind) if behind else places)
    for v in values:
        grid = np.indices(v.shape)
        first = v.reshape(-1)[0]
        exact = first + sum(
            (v.take(1, axis).reshape(-1)[0] - first) * grid[axis]
            for axis in range(v.ndim)
            if v.shape[axis] > 1
        )
        if not np.array_equal(v, exact):
            return None
    shape = w.vector(type_.shape)
    found = w.op("Reshape", found, shape) if type_.rank > 1 else found
    return w.cast(found, stored(type_.dtype)) if stored(type_.dtype) != "int64" else found


_MOST_RUNS = 5


def _runs(w: Writer, values: list[Any], type_: Type) -> str | None:
    """A vector of integers that is a few ranges one after the other: places of a reflection."""
    if type_.rank != 1 or values[0].dtype.kind not in "iu":
        return None
    found = [_ranges_of(v) for v in values]
    if len({len(ranges) for ranges in found}) != 1 or len(found[0]) > _MOST_RUNS:
        return None
    parts = []
    for versions in zip(*found):
        starts, steps, counts = (tuple(column) for column in zip(*versions))
        places = w.op("Mul", w.range(counts), w.size(steps))
        parts.append(w.op("Add", places, w.size(starts)))
    joined = w.op("Concat", *parts, axis=0)
    return w.cast(joined, type_.dtype) if type_.dtype != "int64" else joined


def _ranges_of(vector: Any) -> list[tuple[int, int, int]]:
    """Start, step and length of the longest ranges, taken from the front."""
    found, at, size = [], 0, vector.size
    steps = np.diff(vector.astype(np.int64))
    while at < size:
        step = int(steps[at]) if at < size - 1 else 1
        other = np.flatnonzero(steps[at:] != step)
        count = int(other[0]) + 1 if other.size else size - at
        found.append((int(vector[at]), step, count))
        at += count
        if len(found) > _MOST_RUNS:
            break
    return found


def _band(w: Writer, values: list[Any], type_: Type) -> str | None:
    """A mask of places (..., i, j) that is true where low <= j - i <= high."""
    if any(v.size != v.shape[-1] * v.shape[-2] for v in values):
        return None
    bounds = [_bounds(v.reshape(v.shape[-2:])) for v in values]
    if bounds[0] is None or any(b != bounds[0] for b in bounds):
        return None
    low, high = bounds[0]
    i, j = w.unsqueeze(w.range(type_.shape[-2]), 1), w.unsqueeze(w.range(type_.shape[-1]), 0)
    distance = w.op("Sub", j, i)
    found = w.op("Equal", distance, distance)
    if low is not None:
        found = w.op("GreaterOrEqual", distance, w.constant(low, dtype="int64"))
    if high is not None:
        below = w.op("LessOrEqual", distance, w.constant(high, dtype="int64"))
        found = w.op("And", found, below) if low is not None else below
    return w.unsqueeze(found, *range(type_.rank - 2)) if type_.rank > 2 else found


def _bounds(matrix: Any) -> tuple[int | None, int | None] | None:
    """Between which distances j - i a matrix of bools is true; None: up to its edge."""
    rows, columns = matrix.shape
    distance = np.arange(columns) - np.arange(rows)[:, None]
    if not matrix.any():
        return None
    low, high = int(distance[matrix].min()), int(distance[matrix].max())
    if not np.array_equal(matrix, (low <= distance) & (distance <= high)):
        return None
    return (None if low == 1 - rows else low), (None if high == columns - 1 else high)


def _small(w: Writer, values: list[Any], type_: Type) -> str | None:
    """A short vector of which each element is a number or a size."""
    shape = values[0].shape
    if len(shape) != 1 or any(v.shape != shape for v in values) or shape[0] > 16:
        return None
    parts = []
    for column in zip(*values):
        part = _number(w, tuple(column), stored(type_.dtype))
        if part is None:
            return None
        parts.append(w.unsqueeze(part, 0))
    return w.op("Concat", *parts, axis=0)
