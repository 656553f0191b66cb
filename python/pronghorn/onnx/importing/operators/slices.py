"""Slice and Split: bounds and sizes along axes."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.registry import operator
from pronghorn.onnx.importing.values import Constant, Dim, Filled, Size, Symbolic, Value

_FAR = 2**31 - 1


def slice_bounds(
    node: Node, shape: tuple[Size, ...], numbers: list[Any]
) -> list[tuple[Any, Any, Any]]:
    """Returns `(start, stop, step)` for each axis, as Python's slices take them.

    Args:
        node: The node.
        shape: Shape of what is cut.
        numbers: Starts, ends, axes and steps where they are inputs; else empty.
    """
    if "starts" in node.attributes:
        numbers = [attributes.integers(node, k) for k in ("starts", "ends", "axes")]
    numbers = [*numbers, None, None, None, None][:4]
    starts, ends, axes, steps = numbers
    if starts is None or ends is None:
        raise ValueError("expected starts and ends.")
    axes = attributes.normalized_axes(
        list(range(len(starts))) if axes is None else axes, len(shape)
    )
    steps = [1] * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise ValueError("expected as many starts, ends, axes and steps.")
    bounds: list[tuple[Any, Any, Any]] = [(None, None, None)] * len(shape)
    for start, end, axis, step in zip(starts, ends, axes, steps):
        if not step:
            raise ValueError("expected steps other than 0.")
        bounds[axis] = _bounds(start, end, step, shape[axis])
    return bounds


def _bounds(start: Any, end: Any, step: int, size: Size) -> tuple[Any, Any, Any]:
    # Sizes near that of the axis are counted from its end.
    if isinstance(end, Dim) and isinstance(left := end - size, int):
        end = left if left < 0 else _FAR
    if isinstance(start, Dim) and isinstance(left := start - size, int) and left < 0:
        start = left
    if isinstance(start, Dim) or isinstance(end, Dim):
        return start, end, step
    if isinstance(size, int):
        start, stop, step = slice(start, end, step).indices(size)
        return start, (None if stop < 0 else stop), step
    # The ends of an axis of open size: what lies beyond any size is the end.
    first = None if (start >= _FAR if step < 0 else start == 0 or start <= -_FAR) else start
    last = None if (end <= -_FAR if step < 0 else end >= _FAR) else end
    return first, last, step


@operator("Slice")
def slice_(b: Builder, node: Node) -> Value:
    """A part of a tensor: `x[start:end:step]` along some axes."""
    x = b.required(node, 0)
    numbers = [b.sizes(node, i, "starts, ends, axes and steps") for i in range(1, len(node.inputs))]
    bounds = slice_bounds(node, x.dims, numbers)
    if isinstance(x, (Constant, Filled)) or any(
        isinstance(e, Dim) for bound in bounds for e in bound
    ):
        return _open_slice(b, x, bounds)
    if all(_is_whole(bound, size) for bound, size in zip(bounds, x.dims)):
        return x
    if any(axis is None for axis in x.axes):
        x = b.result(b.plain(x), x.dims)
    key: list[Any] = [slice(None)] * len(x.dims)
    for j, bound in enumerate(bounds):
        if bound != (None, None, None):
            key[x.axes[j]] = slice(*bound)  # type: ignore[index]
    tensor = b.operation(ops.get_item, x.tensor, tuple(key))
    dims = [d if bound == (None, None, None) else None for d, bound in zip(x.dims, bounds)]
    return b.result(tensor, dims, x.axes)


def _is_whole(bound: tuple[Any, Any, Any], size: Size) -> bool:
    start, stop, step = bound
    return not start and step in (None, 1) and (stop is None or stop == size)


def _open_slice(b: Builder, x: Value, bounds: list[tuple[Any, Any, Any]]) -> Value:
    """Cuts at open sizes: the first rows, as many as another tensor has."""
    for j, (start, stop, step) in enumerate(bounds):
        if (start, stop, step) == (None, None, None):
            continue
        if isinstance(x, Filled):
            x = Filled(x.value, (*x.dims[:j], _length(bounds[j], x.dims[j]), *x.dims[j + 1 :]))
            continue
        if start not in (0, None) or step not in (1, None) or not isinstance(stop, Dim):
            if isinstance(x, Symbolic) and not isinstance(start, Dim) and not isinstance(stop, Dim):
                key = (*[slice(None)] * j, slice(start, stop, step))
                tensor = b.operation(ops.get_item, b.plain(x), key, suffix="part")
                x = b.result(tensor, [d if i != j else None for i, d in enumerate(x.dims)])
                continue
            raise ValueError(
                f"cuts from {start} to the open size '{stop}': give the sizes of the inputs "
                "(input_shapes)"
            )
        rows = b.positions(stop)
        source = b.operand(x) if isinstance(x, Constant) else b.plain(x)
        tensor = b.operation(ops.take, source, rows, axis=j, suffix="part")
        x = b.result(tensor, [d if i != j else stop for i, d in enumerate(x.dims)])
    return x


def _length(bound: tuple[Any, Any, Any], size: Size) -> Size:
    """Returns how many rows of an axis of `size` a slice takes."""
    if isinstance(bound[1], Dim) and bound[0] in (0, None) and bound[2] in (1, None):
        return bound[1]
    if any(isinstance(x, Dim) for x in (*bound, size)):
        raise ValueError(f"cuts the open size '{size}': give the sizes of the inputs")
    return len(range(*slice(*bound).indices(size)))


def split_sizes(node: Node, size: Size, given: list[int] | None) -> list[int]:
    """Returns the sizes of the parts of a Split along an axis of `size`."""
    count = len(node.outputs)
    if given is not None:
        if len(given) != count or min(given) < 0 or (isinstance(size, int) and sum(given) != size):
            raise ValueError(f"expected {count} sizes that add up to {size}. Received: {given}.")
        return given
    if not isinstance(size, int):
        raise ValueError(f"splits the open size '{size}': give the sizes of the inputs")
    part = -(-size // count)
    last = size - part * (count - 1)
    if last < 0 or (last != part and "num_outputs" not in node.attributes):
        raise ValueError(f"expected an axis that {count} parts share. Received: size {size}.")
    return [part] * (count - 1) + [last]


@operator("Split")
def split(b: Builder, node: Node) -> list[Value | None]:
    """The parts of a tensor along an axis."""
    x = b.symbolic(node, 0)
    axis = attributes.axis(node, len(x.dims))
    if attributes.integer(node, "num_outputs", len(node.outputs)) != len(node.outputs):
        raise ValueError(f"expected num_outputs={len(node.outputs)}.")
    given = attributes.integers(node, "split") or b.integers(node, 1, "the sizes of the parts")
    sizes = split_sizes(node, x.dims[axis], given)
    if x.axes[axis] is None:
        x = b.result(b.plain(x), x.dims)
    if len(sizes) == 1:
        return [x]
    places = [sum(sizes[: i + 1]) for i in range(len(sizes) - 1)]
    parts = b.operation(ops.split, x.tensor, places, axis=x.axes[axis])
    dims = [d if j != axis else None for j, d in enumerate(x.dims)]
    return [b.result(part, dims, x.axes) for part in parts]
