"""Sums, means and others along axes; the places of extremes; sorting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pronghorn import ops
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.operators.shapes import axes_of
from pronghorn.onnx.importing.registry import operator
from pronghorn.onnx.importing.values import Dim, Symbolic, Value

# Operator -> functions before, along the axes, and after.
_REDUCTIONS: dict[str, tuple[Any, Callable[..., Any], Any]] = {
    "ReduceL1": (ops.abs, ops.sum, None),
    "ReduceL2": (ops.square, ops.sum, ops.sqrt),
    "ReduceLogSum": (None, ops.sum, ops.log),
    "ReduceLogSumExp": (None, ops.logsumexp, None),
    "ReduceMax": (None, ops.max, None),
    "ReduceMean": (None, ops.mean, None),
    "ReduceMin": (None, ops.min, None),
    "ReduceProd": (None, ops.prod, None),
    "ReduceSum": (None, ops.sum, None),
    "ReduceSumSquare": (ops.square, ops.sum, None),
}


@operator(*_REDUCTIONS)
def reduce(b: Builder, node: Node) -> Value:
    """Reduces axes; all of them where none are named."""
    x = b.symbolic(node, 0)
    rank = len(x.dims)
    axes = axes_of(b, node)
    before, function, after = _REDUCTIONS[node.operator]
    if not axes and attributes.flag(node, "noop_with_empty_axes"):
        axes = []
    elif not axes:
        axes = list(range(rank))
    axes = attributes.normalized_axes(axes, rank)
    keep = attributes.flag(node, "keepdims", 1)
    tensor, dtype = x.tensor, x.tensor.dtype
    places = sorted(int(x.axes[j]) for j in axes if x.axes[j] is not None)  # type: ignore[arg-type]
    if before is not None:
        tensor = b.operation(before, tensor, suffix="numbers")
    if places:
        tensor = b.operation(function, tensor, axis=tuple(places), keepdims=keep)
    elif node.operator == "ReduceLogSumExp":
        raise ValueError("along no axis is not taken")
    if after is not None:
        tensor = b.operation(after, tensor, suffix="result")
    if tensor.dtype != dtype:
        tensor = b.operation(ops.cast, tensor, dtype, suffix="cast")
    return _reduced(b, x, tensor, axes, keep)


def _reduced(b: Builder, x: Symbolic, tensor: Any, axes: list[int], keep: bool) -> Symbolic:
    """Returns the value of a tensor that lacks axes of `x`, or has them with size 1."""
    if keep:
        return b.result(tensor, [1 if j in axes else d for j, d in enumerate(x.dims)], x.axes)
    gone = [int(x.axes[j]) for j in axes if x.axes[j] is not None]  # type: ignore[arg-type]
    kept = [j for j in range(len(x.dims)) if j not in axes]
    places = [x.axes[j] for j in kept]
    left = [None if a is None else a - sum(g < a for g in gone) for a in places]
    return b.result(tensor, [x.dims[j] for j in kept], left)


@operator("ArgMax", "ArgMin")
def arg_extreme(b: Builder, node: Node) -> Value:
    """The index of the largest or smallest number along an axis; of equal ones the first."""
    x = b.symbolic(node, 0)
    if None in x.axes:
        x = b.result(b.plain(x), x.dims)
    axis = attributes.axis(node, len(x.dims))
    keep = attributes.flag(node, "keepdims", 1)
    last = attributes.flag(node, "select_last_index")
    function = ops.argmax if node.operator == "ArgMax" else ops.argmin
    tensor = b.operation(ops.flip, x.tensor, x.axes[axis], suffix="flip") if last else x.tensor
    tensor = b.operation(function, tensor, axis=x.axes[axis], keepdims=keep)
    if last:
        if not isinstance(x.dims[axis], int):
            raise ValueError("with select_last_index along an open size is not taken")
        tensor = b.operation(ops.subtract, x.dims[axis] - 1, tensor, suffix="last")
    tensor = b.operation(ops.cast, tensor, "int64", suffix="int64")
    return _reduced(b, x, tensor, [axis], keep)


@operator("TopK")
def top_k(b: Builder, node: Node) -> list[Value | None]:
    """The largest or smallest numbers along an axis, in order, and their indices."""
    x = b.symbolic(node, 0)
    rank = len(x.dims)
    axis = attributes.axis(node, rank, -1)
    asked = b.sizes(node, 1, "the count")
    if asked and isinstance(asked[0], Dim):
        return _sorted(b, node, x, axis, asked[0])
    given = b.integers(node, 1, "the count")
    k = attributes.integer(node, "k", 0) if given is None else given[0]
    if not 1 <= k < 2**31 or (isinstance(x.dims[axis], int) and k > x.dims[axis]):
        raise ValueError(f"expected a count from 1 to {x.dims[axis]}. Received: {k}.")
    largest = attributes.flag(node, "largest", 1)
    order = [j for j in range(rank) if j != axis] + [axis]
    tensor = b.ordered(x, order)
    if not largest:
        tensor = b.operation(_reversed(tensor), tensor, suffix="reversed")
    values, places = b.operation(ops.top_k, tensor, k)
    if not largest:
        values = b.operation(_reversed(tensor), values, suffix="values")
    places = b.operation(ops.cast, places, "int64", suffix="indices")
    dims = [d if j != axis else k for j, d in enumerate(x.dims)]
    axes = [order.index(j) for j in range(rank)]
    return [b.result(values, dims, axes), b.result(places, dims, axes)]


def _reversed(tensor: Any) -> Any:
    """Returns the function that turns the order of numbers round; it is its own inverse."""
    if tensor.dtype.startswith(("float", "bfloat")):
        return ops.negative
    return ops.bitwise_not  # of integers: -1 - x, which has no overflow


def _sorted(b: Builder, node: Node, x: Symbolic, axis: int, count: Dim) -> list[Value | None]:
    """Returns all numbers in order and their indices."""
    if count != x.dims[axis]:
        raise ValueError(f"of '{count}' of '{x.dims[axis]}' numbers: give the sizes of the inputs")
    tensor = b.plain(x)
    keys = tensor
    if attributes.flag(node, "largest", 1):
        keys = b.operation(_reversed(tensor), tensor, suffix="reversed")
    places = b.operation(ops.argsort, keys, axis=axis, suffix="places")
    values = b.operation(ops.take_along_axis, tensor, places, axis=axis, suffix="values")
    places = b.operation(ops.cast, places, "int64", suffix="indices")
    return [b.result(values, x.dims), b.result(places, x.dims)]


@operator("CumSum")
def cumsum(b: Builder, node: Node) -> Value:
    """Sums of all numbers up to each, from the front or from the end, with it or without."""
    x = b.symbolic(node, 0)
    axis_input = b.integers(node, 1, "the axis")
    if axis_input is None or len(axis_input) != 1:
        raise ValueError(f"expected an axis. Received: {axis_input}.")
    if None in x.axes:
        x = b.result(b.plain(x), x.dims)
    axis = x.axes[attributes.normalized_axis(axis_input[0], len(x.dims))]
    exclusive, reverse = attributes.flag(node, "exclusive"), attributes.flag(node, "reverse")
    tensor = x.tensor
    if reverse:
        tensor = b.operation(ops.flip, tensor, axis, suffix="flip")
    found = b.operation(ops.cumsum, tensor, axis=axis)
    if exclusive:
        found = b.operation(ops.subtract, found, tensor, suffix="exclusive")
    if reverse:
        found = b.operation(ops.flip, found, axis, suffix="back")
    if found.dtype != x.tensor.dtype:
        found = b.operation(ops.cast, found, x.tensor.dtype, suffix="cast")
    return b.result(found, x.dims, x.axes)
