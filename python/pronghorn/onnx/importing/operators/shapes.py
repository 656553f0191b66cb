"""Operators that change the shape or the order of axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn import layers, ops
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.operators import patterns
from pronghorn.onnx.importing.operators.elementwise import (
    broadcast_dims,
    dtype_of,
    elementwise,
    order_of,
)
from pronghorn.onnx.importing.registry import operator
from pronghorn.onnx.importing.values import Constant, Dim, Filled, Size, Symbolic, Value


@operator("Reshape")
def reshape(b: Builder, node: Node) -> Value:
    """The numbers in another shape; 0 keeps a size, -1 is what is left."""
    x = b.required(node, 0)
    target = b.sizes(node, 1, "the shape")
    if target is None:
        raise ValueError("expected a shape.")
    allow_zero = attributes.flag(node, "allowzero")
    dims = target_dims(x.dims, target, allow_zero)
    if isinstance(x, Filled):
        return Filled(x.value, dims)
    x = b.as_symbolic(x)
    found = patterns.group_normalization(b, node, x, dims)
    return reshaped(b, x, dims) if found is None else found


def target_dims(source: tuple[Size, ...], target: list[Size], allow_zero: bool) -> tuple[Size, ...]:
    """Returns the shape that a Reshape gives."""
    if len(target) > 16:
        raise ValueError(f"expected at most 16 axes. Received: {len(target)}.")
    dims: list[Size] = []
    for i, size in enumerate(target):
        if not isinstance(size, Dim) and size == 0 and not allow_zero:
            if i >= len(source):
                raise ValueError(f"copies size {i} of shape {source}.")
            size = source[i]
        if not isinstance(size, Dim) and size < -1:
            raise ValueError(f"expected sizes of -1 or more. Received: shape={target}.")
        dims.append(size)
    missing = [i for i, d in enumerate(dims) if not isinstance(d, Dim) and d == -1]
    if len(missing) > 1:
        raise ValueError(f"expected at most one -1. Received: shape={target}.")
    total = _product(source)
    if missing:
        rest = _product([d for i, d in enumerate(dims) if i != missing[0]])
        dims[missing[0]] = total // rest if not _is_zero(rest) else 0
    elif all(isinstance(d, int) for d in (total, *dims)) and total != math.prod(dims):
        raise ValueError(f"cannot make shape {tuple(dims)} of {source}.")
    return tuple(dims)


def _is_zero(size: Size) -> bool:
    return not isinstance(size, Dim) and size == 0


def _product(sizes: Any) -> Size:
    total: Any = 1
    for size in sizes:
        total = total * size
    return total


def reshaped(b: Builder, x: Symbolic, dims: tuple[Size, ...]) -> Symbolic:
    """Returns a tensor in another shape, of which at most one axis behind the first is open."""
    if dims == x.dims:
        return x
    kept = _kept_in_front(x, dims)
    if kept:
        # The axes in front stay where they are, so the layout does too.
        order = list(range(len(dims)))
        order[:kept] = [int(a) for a in x.axes[:kept]]  # type: ignore[arg-type]
        held = [dims[order.index(i)] for i in range(kept)]
        return b.result(_tensor(b, x, x.tensor, (*held, *dims[kept:])), dims, order)
    # Axes of size 1 may lie anywhere in memory: images of one pixel need no Transpose.
    tensor = x.tensor if _is_same_order(x) else b.plain(x)
    return b.result(_tensor(b, x, tensor, dims), dims)


def _kept_in_front(x: Symbolic, dims: tuple[Size, ...]) -> int:
    """Returns how many axes in front keep their sizes, if only they are out of order."""
    rank = len(x.dims)
    moved = [j for j, axis in enumerate(x.axes) if axis != j]
    if not moved or None in x.axes or len(dims) <= moved[-1]:
        return 0
    count = moved[-1] + 1
    same = x.dims[:count] == dims[:count] and sorted(x.axes[:count]) == list(range(count))  # type: ignore[type-var]
    return count if same and count < rank else 0


def _tensor(b: Builder, x: Symbolic, tensor: Any, dims: tuple[Size, ...]) -> Any:
    """Reshapes a tensor. `dims` are those of the result in its own order of axes."""
    source, source_dims = b.source_of(tensor)
    if source_dims == dims:
        return source
    first = x.dims[x.axes.index(0)] if 0 in x.axes else None
    target = [d if isinstance(d, int) else -1 for d in dims]
    if dims and tensor.shape and dims[0] == first and target[1:].count(-1) <= 1:
        if len(dims) == 2 and len(tensor.shape) > 2:
            found = b.call(layers.Flatten, tensor)
        else:
            found = b.call(layers.Reshape, tensor, tuple(target[1:]))
    elif target.count(-1) > 1:
        found = _unflattened(b, tensor, x.dims, dims)
    else:
        found = b.operation(ops.reshape, tensor, tuple(target))
    if len(tensor.shape) == len(x.dims) and None not in x.axes:
        held = [x.dims[x.axes.index(i)] for i in range(len(x.dims))]
        b.remember_tensor(found, tensor, held)
    return found


def _unflattened(b: Builder, tensor: Any, source: tuple[Size, ...], dims: tuple[Size, ...]) -> Any:
    """Returns rows as several axes of open size: they are taken by their numbers."""
    count = max(i for i, d in enumerate(dims) if isinstance(d, Dim)) + 1
    known = [d for d in dims[count:] if isinstance(d, int)]
    if _product(dims[:count]) * math.prod(known) != _product(source):
        raise ValueError(
            f"makes shape {dims} of {source}, with more than one open size: give the sizes of the "
            "inputs (input_shapes)"
        )
    rows = b.operation(ops.reshape, tensor, (-1, *known), suffix="rows")
    place: Any = None
    for i, size in enumerate(dims[:count]):
        part = b.positions(size)
        shape = [1] * count
        shape[i] = -1
        if isinstance(part, np.ndarray):
            part = part.reshape(shape)
        else:
            part = b.operation(ops.reshape, part, tuple(shape), suffix="place")
        if place is None:
            place = part
            continue
        length = size if isinstance(size, int) else b.size_tensor(size)
        place = b.operation(ops.multiply, place, length, suffix="place")
        place = b.operation(ops.add, place, part, suffix="place")
    return b.operation(ops.take, rows, place, axis=0)


def _is_same_order(x: Symbolic) -> bool:
    """Returns whether the numbers lie in memory as the file has them."""
    order = [j for j in order_of(x.axes) if x.dims[j] != 1]
    return order == sorted(order)


@operator("Flatten")
def flatten(b: Builder, node: Node) -> Value:
    """A matrix: the axes before `axis`, and those from it on."""
    x = b.symbolic(node, 0)
    rank = len(x.dims)
    axis = attributes.integer(node, "axis", 1)
    axis = rank if axis == rank else attributes.normalized_axis(axis, rank)
    return reshaped(b, x, (_product(x.dims[:axis]), _product(x.dims[axis:])))


def axes_of(b: Builder, node: Node, what: str = "the axes") -> list[int] | None:
    """Returns axes that are an input or, in older versions, an attribute."""
    given = b.integers(node, 1, what)
    return given if given is not None else attributes.integers(node, "axes")


@operator("Squeeze")
def squeeze(b: Builder, node: Node) -> Value:
    """Without axes of size 1."""
    x = b.required(node, 0)
    rank = len(x.dims)
    axes = axes_of(b, node)
    if axes is None:
        if any(isinstance(d, Dim) for d in x.dims):
            raise ValueError(f"without axes, of the open shape {x.dims}, is not taken")
        dropped = [i for i, d in enumerate(x.dims) if d == 1]
    else:
        dropped = attributes.normalized_axes(axes, rank)
    if any(isinstance(x.dims[j], int) and x.dims[j] != 1 for j in dropped):
        raise ValueError(f"expected axes of size 1. Received: axes={axes}, shape={x.dims}.")
    if isinstance(x, Filled):
        return Filled(x.value, tuple(d for j, d in enumerate(x.dims) if j not in dropped))
    x = b.as_symbolic(x)
    gone = sorted(int(x.axes[j]) for j in dropped if x.axes[j] is not None)  # type: ignore[arg-type]
    tensor = x.tensor
    if gone:
        tensor = b.operation(ops.squeeze, tensor, tuple(gone))
    kept = [j for j in range(rank) if j not in dropped]
    places = [x.axes[j] for j in kept]
    axes_left = [None if a is None else a - sum(g < a for g in gone) for a in places]
    return b.result(tensor, [x.dims[j] for j in kept], axes_left)


@operator("Unsqueeze")
def unsqueeze(b: Builder, node: Node) -> Value:
    """With more axes of size 1."""
    x = b.required(node, 0)
    axes = axes_of(b, node)
    if axes is None or len(axes) + len(x.dims) > 16:
        raise ValueError(f"expected axes. Received: {axes}.")
    rank = len(x.dims) + len(axes)
    added = attributes.normalized_axes(axes, rank)
    if isinstance(x, Filled):
        sizes = iter(x.dims)
        return Filled(x.value, tuple(1 if j in added else next(sizes) for j in range(rank)))
    x = b.as_symbolic(x)
    places, dims = iter(x.axes), iter(x.dims)
    return b.result(
        x.tensor,
        [1 if j in added else next(dims) for j in range(rank)],
        [None if j in added else next(places) for j in range(rank)],
    )


@operator("Transpose")
def transpose(b: Builder, node: Node) -> Value:
    """The axes in another order; nothing is moved before an operator needs it."""
    x = b.required(node, 0)
    rank = len(x.dims)
    order = attributes.integers(node, "perm")
    order = list(range(rank))[::-1] if order is None else order
    if sorted(order) != list(range(rank)):
        raise ValueError(f"expected an order of {rank} axes. Received: perm={order}.")
    if isinstance(x, Filled):
        return Filled(x.value, tuple(x.dims[j] for j in order))
    x = b.as_symbolic(x)
    return b.result(x.tensor, [x.dims[j] for j in order], [x.axes[j] for j in order])


@operator("Concat")
def concat(b: Builder, node: Node) -> Value:
    """Tensors behind each other along an axis."""
    values = [b.required(node, i) for i in range(len(node.inputs))]
    rank = len(values[0].dims)
    if any(len(v.dims) != rank for v in values):
        raise ValueError(f"expected tensors of one rank. Received: {[v.dims for v in values]}.")
    axis = attributes.axis(node, rank)
    tensors = [v for v in values if isinstance(v, Symbolic)]
    layouts = {v.axes for v in tensors if None not in v.axes}
    axes: tuple[int | None, ...] = tuple(range(rank))
    if len(tensors) == len(values) and layouts:
        other = [a for a in layouts if a != axes]
        axes = other[0] if other else axes
    order = order_of(axes)
    parts = [_part(b, v, order) for v in values]
    place = axes[axis]
    if len(parts) == 1:
        return b.result(parts[0], values[0].dims, axes)
    tensor = (
        b.call(layers.Concatenate, parts, axis=place)
        if len(tensors) == len(values) and rank > 1 and place != 0
        else b.operation(ops.concatenate, parts, axis=place)
    )
    dims: list[Size | None] = []
    for j in range(rank):
        if j == axis:
            total: Any = 0
            for v in values:
                total = v.dims[j] + total
            dims.append(total)
        else:
            dims.append(next((v.dims[j] for v in values), None))
    return b.result(tensor, dims, axes)


def _part(b: Builder, value: Value, order: tuple[int, ...]) -> Any:
    if isinstance(value, Constant) and value.array.dtype != object and value.array.ndim:
        return b.operand(Constant(value.array.transpose(order), value.name, value.stored))
    return b.ordered(b.as_symbolic(value), order)


@operator("Expand")
def expand(b: Builder, node: Node) -> Value:
    """The tensor repeated along axes of size 1."""
    x = b.required(node, 0)
    shape = b.sizes(node, 1, "the shape")
    if shape is None:
        raise ValueError("expected a shape.")
    dims = broadcast_dims([x.dims, tuple(shape)])
    if None in dims:
        raise ValueError(f"to the open shape {tuple(shape)}: give the sizes of the inputs")
    if isinstance(x, Filled):
        return Filled(x.value, dims)
    if dims == x.dims and isinstance(x, Symbolic):
        return x
    if all(isinstance(d, int) for d in dims) and isinstance(x, Symbolic):
        found = b.operation(ops.broadcast_to, b.plain(x), dims)
        return b.result(found, dims)
    # Joined to zeros of the shape, the tensor takes it.
    added = [d if d != s else 1 for d, s in zip(dims, (1,) * (len(dims) - len(x.dims)) + x.dims)]
    zeros = b.zeros_of(added, dtype_of(x))
    return elementwise(b, ops.logical_or if dtype_of(x) == "bool" else ops.add, [x, zeros])


@operator("Tile")
def tile(b: Builder, node: Node) -> Value:
    """The tensor repeated along its axes."""
    x = b.symbolic(node, 0)
    repeats = b.sizes(node, 1, "the repeats")
    if repeats is None or len(repeats) != len(x.dims):
        raise ValueError(f"expected {len(x.dims)} repeats. Received: {repeats}.")
    if any(isinstance(r, Dim) for r in repeats):
        if any(r != 1 and d != 1 for r, d in zip(repeats, x.dims)):
            raise ValueError(f"by the open sizes {repeats}: give the sizes of the inputs")
        zeros = b.zeros_of(repeats, x.tensor.dtype)
        return elementwise(b, ops.add, [x, zeros])
    if any(not 0 <= r < 2**31 for r in repeats):
        raise ValueError(f"expected repeats of 0 or more. Received: {repeats}.")
    if all(r == 1 for r in repeats):
        return x
    found = b.operation(ops.tile, b.plain(x), tuple(repeats))
    return b.result(found, [d if r == 1 else d * r for d, r in zip(x.dims, repeats)])


@operator("DepthToSpace", "SpaceToDepth")
def depth_to_space(b: Builder, node: Node) -> Value:
    """Blocks of channels as blocks of pixels, or back."""
    x = b.symbolic(node, 0)
    block = attributes.integer(node, "blocksize", 0)
    if len(x.dims) != 4 or not 1 <= block <= 2**15:
        raise ValueError(f"expected images and a blocksize. Received: {x.dims}, {block}.")
    tensor = b.channels_last(x)
    channels = tensor.shape[3]
    if channels is None:
        raise ValueError("of an open count of channels is not taken")
    order = (0, 3, 1, 2)
    if node.operator == "SpaceToDepth":
        found = b.operation(ops.space_to_depth, tensor, block, data_format="channels_last")
        return b.result(found, [x.dims[0], None, None, None], order)
    mode = attributes.text(node, "mode", "DCR")
    if mode not in ("DCR", "CRD") or channels % block**2:
        raise ValueError(f"expected mode DCR or CRD. Received: {mode!r:.100}, {channels} channels.")
    if mode == "CRD":  # the block's place is the last part of the channel, not the first
        each = channels // block**2
        index = np.arange(channels).reshape(each, block**2).T.reshape(-1)
        tensor = b.operation(ops.take, tensor, index.astype(np.int32), axis=3, suffix="channels")
    found = b.operation(ops.depth_to_space, tensor, block, data_format="channels_last")
    return b.result(found, [x.dims[0], None, None, None], order)
