"""Builder: what the operators use to make layers and operations, and where the layout is kept.

A value stays in the order of axes in which it was computed, channels last after a convolution and
batch first after a recurrent layer, until an operator asks for another one. So a Transpose costs
nothing, and two that undo each other leave no trace.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pronghorn import layers, ops
from pronghorn.onnx.importing.emitter import Emitter, model_array, model_dtype
from pronghorn.onnx.importing.file import Node, OnnxGraph
from pronghorn.onnx.importing.stored import Values
from pronghorn.onnx.importing.values import (
    Constant,
    Dim,
    Filled,
    Size,
    Symbolic,
    Value,
    is_partly_known,
    pack,
)
from pronghorn.ops.keras_tensor import KerasTensor

#: Numbers of one sample of one tensor of the model (1 GiB of float32).
MAX_NUMBERS = 2**28
# Initializers of more numbers than this that no layer holds become the table of an Embedding.
_TABLE_FROM = 16
# Operators of one tensor behind which a reshape in front of it cannot be undone.
_MOVES_AXES = ("Transpose", "Slice", "Split", "Gather", "Squeeze", "Unsqueeze", "Flatten", "Expand")


class Builder(Emitter):
    """Values by name, and the model under construction.

    Args:
        graph: The graph of the file.
    """

    def __init__(self, graph: OnnxGraph) -> None:
        super().__init__(graph)
        self.opset = graph.opset
        self.values = Values(graph)
        #: Nodes that read a name, in order.
        self.readers: dict[str, list[Node]] = {}
        #: The node that makes a name.
        self.producers: dict[str, Node] = {}
        for node in graph.nodes:
            self.producers.update({name: node for name in node.outputs if name})
            for name in dict.fromkeys(node.inputs):
                self.readers.setdefault(name, []).append(node)
        #: Values of nodes that were computed together with an earlier one; None for those that
        #: only such nodes read.
        self.done: dict[Node, list[Value | None]] = {}
        self.constant_bytes = 0
        self._sizes: dict[str, tuple[Symbolic, int]] = {}
        self._tables: dict[tuple[str, tuple[int, ...]], KerasTensor] = {}
        self._fresh = 0
        #: Batch-wise tensor that constants can borrow a connection to the graph from.
        self.first_input: Symbolic | None = None

    # Values.

    def value(self, node: Node, index: int) -> Value | None:
        """Returns an input of a node; None where it is left out."""
        if index >= len(node.inputs) or not node.inputs[index]:
            return None
        return self.values[node.inputs[index]]

    def required(self, node: Node, index: int) -> Value:
        """Returns an input of a node.

        Raises:
            ValueError: If it is left out.
        """
        found = self.value(node, index)
        if found is None:
            raise ValueError(f"expected input {index}. Received: {len(node.inputs)} inputs.")
        return found

    def symbolic(self, node: Node, index: int) -> Symbolic:
        """Returns an input of a node as a tensor of the model."""
        return self.as_symbolic(self.required(node, index))

    def array(self, node: Node, index: int, what: str) -> np.ndarray | None:
        """Returns an input of a node that has to be known; None where it is left out.

        Raises:
            ValueError: If it is computed from the inputs of the model.
        """
        value = self.value(node, index)
        if value is None:
            return None
        if isinstance(value, Filled) and all(isinstance(d, int) for d in value.dims):
            value = Constant(self.filled_array(value))
        if not isinstance(value, Constant) or value.array.dtype == object:
            raise ValueError(
                f"expected {what} as a constant. Received: a tensor that depends on the inputs."
            )
        return value.array

    def sizes(self, node: Node, index: int, what: str) -> list[Size] | None:
        """Returns an input of integers, some of them `Dim`; None where it is left out."""
        value = self.value(node, index)
        if value is None:
            return None
        if not isinstance(value, Constant) or value.array.dtype.kind not in "iuO":
            raise ValueError(f"expected {what} as constant integers. Received: {_describe(value)}.")
        return [x if isinstance(x, Dim) else int(x) for x in value.array.reshape(-1)]

    def integers(self, node: Node, index: int, what: str) -> list[int] | None:
        """Returns an input of known integers as a list; None where it is left out."""
        found = self.array(node, index, what)
        if found is None:
            return None
        if found.dtype.kind not in "iu":
            raise ValueError(f"expected {what} as integers. Received: dtype {found.dtype}.")
        return [int(x) for x in found.reshape(-1)]

    def count_constant(self, count: int, item_size: int) -> None:
        """Counts the bytes of a constant, before they are taken.

        Raises:
            ValueError: If the constants of the graph grow beyond 5 times the file and 64 MiB.
        """
        self.constant_bytes += count * item_size
        if self.constant_bytes > 64 * 2**20 + 5 * self.graph.size:
            raise ValueError(
                f"is refused: its constant of {count} numbers makes those of the graph larger than "
                f"64 MiB and 5 times the file's {self.graph.size} bytes"
            )

    # Tensors.

    def result(
        self,
        tensor: KerasTensor,
        dims: Sequence[Size | None] | None = None,
        axes: Sequence[int | None] | None = None,
    ) -> Symbolic:
        """Returns a tensor of the model as a value.

        Args:
            tensor: The tensor.
            dims: Its shape in the file's order, with None where only the tensor knows.
            axes: For each axis of the file that of the tensor; by default the same.

        Raises:
            ValueError: If it is larger than `MAX_NUMBERS`.
        """
        places = tuple(range(len(tensor.shape))) if axes is None else tuple(axes)
        known = math.prod(d for d in tensor.shape[1:] if d is not None)
        if known > MAX_NUMBERS or (tensor.shape and (tensor.shape[0] or 0) > MAX_NUMBERS):
            raise ValueError(
                f"its output of shape {tensor.shape} has more than {MAX_NUMBERS} numbers a sample"
            )
        found: list[Size] = []
        for j, axis in enumerate(places):
            size: Size = 1 if axis is None else tensor.shape[axis]
            given = dims[j] if dims is not None else None
            if size is None:
                size = given if isinstance(given, Dim) else self.fresh_dim()
            found.append(size)
        value = Symbolic(tensor, tuple(found), places)
        value.forms[places] = tensor  # type: ignore[index]
        for axis, size in enumerate(found):
            if isinstance(size, Dim) and len(size.factors) == 1:
                self._sizes.setdefault(size.key, (value, axis))
        return value

    def fresh_dim(self) -> Dim:
        """Returns a size that equals no other one."""
        self._fresh += 1
        return Dim((f"unknown {self._fresh}",))

    def ordered(self, value: Symbolic, order: Sequence[int]) -> KerasTensor:
        """Returns a tensor whose axis `i` is the file's axis `order[i]`."""
        wanted = tuple(order)
        found = value.forms.get(wanted)
        if found is not None and len(found.shape) == len(wanted):
            return found
        tensor = value.tensor
        held = [j for j in wanted if value.axes[j] is not None]
        permutation = [int(value.axes[j]) for j in held]  # type: ignore[arg-type]
        tensor = self.permuted(tensor, permutation)
        missing = [i for i, j in enumerate(wanted) if value.axes[j] is None]
        if missing:
            tensor = self.operation(ops.expand_dims, tensor, missing, suffix="expand")
        value.forms[wanted] = tensor
        return tensor

    def permuted(self, tensor: KerasTensor, permutation: list[int]) -> KerasTensor:
        """Returns a tensor with its axes in another order: `permutation[i]` becomes axis i."""
        if permutation == sorted(permutation):
            return tensor
        if permutation[0] == 0:
            found = self.call(layers.Permute, tensor, tuple(permutation[1:]), suffix="permute")
        else:
            found = self.operation(ops.transpose, tensor, permutation, suffix="transpose")
        return found  # type: ignore[no-any-return]

    def plain(self, value: Value) -> KerasTensor:
        """Returns a tensor with the axes of the file."""
        found = self.as_symbolic(value)
        return self.ordered(found, range(len(found.dims)))

    def channels_last(self, value: Value) -> KerasTensor:
        """Returns a tensor of `(batch, channels, ...)` as `(batch, ..., channels)`."""
        found = self.as_symbolic(value)
        return self.ordered(found, channels_last_order(len(found.dims)))

    def as_symbolic(self, value: Value) -> Symbolic:
        """Returns a value as a tensor of the model, connected to its inputs.

        Raises:
            ValueError: If the model has no input that a constant can be joined to.
        """
        if isinstance(value, Symbolic):
            return value
        if isinstance(value, Filled):
            zeros = self.zeros_of(value.dims, str(value.value.dtype))
            if value.value == 0:
                return zeros
            tensor = self.operation(ops.add, zeros.tensor, value.value.item(), suffix="filled")
            return self.result(tensor, value.dims)
        if value.array.dtype == object:
            return self._sizes_tensor(value)
        seed = self.zeros_of((1,) * max(value.array.ndim, 1), model_dtype(value.array.dtype.name))
        tensor = self.operation(
            _sum_of(value.array), seed.tensor, self.operand(value), suffix="constant"
        )
        if not value.array.ndim:
            tensor = self.operation(ops.reshape, tensor, (), suffix="scalar")
        return self.result(tensor)

    def _sizes_tensor(self, value: Constant) -> Symbolic:
        """Returns sizes that are known when the model runs as a tensor of int64."""
        parts = []
        for size in value.array.reshape(-1):
            part: Any = None
            known = size if not isinstance(size, Dim) else size.coefficient
            offset = size.offset if isinstance(size, Dim) else 0
            for factor in size.factors if isinstance(size, Dim) else ():
                zeros = self.zeros_of((Dim((factor,)),), "int64")
                ones = self.operation(ops.add, zeros.tensor, 1, suffix="ones")
                count = self.operation(ops.sum, ones, suffix="size")
                part = count if part is None else self.operation(ops.multiply, part, count)
            if part is None:
                part = self.plain(Constant(np.array(known, np.int64)))
            elif known != 1:
                part = self.operation(ops.multiply, part, known, suffix="size")
            if offset:
                part = self.operation(ops.add, part, offset, suffix="size")
            parts.append(part)
        stacked = self.operation(ops.stack, parts, suffix="sizes")
        return self.result(self.operation(ops.reshape, stacked, value.array.shape))

    def size_tensor(self, size: Size, dtype: str = "int32") -> KerasTensor:
        """Returns a size that is known when the model runs, as a tensor without axes."""
        found = self._sizes_tensor(Constant(np.array(size, dtype=object))).tensor
        return self.operation(ops.cast, found, dtype, suffix="size")  # type: ignore[no-any-return]

    def zeros_of(self, dims: Sequence[Size], dtype: str) -> Symbolic:
        """Returns zeros of a shape, made of tensors of the model that have its open sizes.

        Raises:
            ValueError: If no tensor has an axis of such a size.
        """
        total: Any = None
        open_dims = [(i, d) for i, d in enumerate(dims) if isinstance(d, Dim)]
        holders = []
        for i, size in open_dims:
            if size.key not in self._sizes:
                self._make_holder(size)
            holders.append((i, *self._sizes[size.key]))
        if not holders:
            if self.first_input is None:
                raise ValueError("is computed of constants only, in a model without inputs")
            holders = [(0, self.first_input, -1)]
        for i, holder, axis in holders:
            total = self._add_zeros(total, len(dims), i, holder, axis, dtype)
        known = tuple(1 if isinstance(d, Dim) else d for d in dims)
        if math.prod(known) > MAX_NUMBERS:
            raise ValueError(f"its output of shape {tuple(dims)} is too large")
        if any(d != 1 for d in known):
            more = self.operation(ops.broadcast_to, self._one_zero(dtype), known, suffix="zeros")
            total = more if not open_dims else self.operation(ops.add, total, more, suffix="zeros")
        return self.result(total, dims)

    def _make_holder(self, size: Dim) -> None:
        """Makes a row of an open size out of those that tensors have."""
        factors = [Dim((f,)) for f in size.factors]
        if (len(factors) == 1 and size.coefficient == 1 and not size.offset) or any(
            f.key not in self._sizes for f in factors
        ):
            raise ValueError(
                f"needs a tensor of the open size '{size}', and no tensor has it: give the "
                "sizes of the inputs (input_shapes)"
            )
        if max(size.coefficient, abs(size.offset)) > MAX_NUMBERS:
            raise ValueError(f"needs a tensor of the open size '{size}', which is too large")
        block = self.zeros_of((*factors, size.coefficient), "int32").tensor
        row = self.operation(ops.reshape, block, (-1,), suffix="row")
        if size.offset < 0:
            key = (slice(None, size.offset),)
            row = self.operation(ops.get_item, row, key, suffix="row")
        elif size.offset:
            self.count_constant(size.offset, 4)
            row = self.operation(ops.pad, row, ((0, size.offset),), suffix="row")
        self._sizes[size.key] = (self.result(row, [size]), 0)

    def _one_zero(self, dtype: str) -> KerasTensor:
        assert self.first_input is not None
        return self._add_zeros(None, 0, 0, self.first_input, -1, dtype)  # type: ignore[no-any-return]

    def positions(self, size: Size, dtype: str = "int32") -> Any:
        """Returns 0, 1, 2, ... up to a size: an array, or a tensor if the size is open."""
        if isinstance(size, int):
            self.count_constant(size, 8)
            return np.arange(size, dtype=dtype)
        zeros = self.zeros_of((size,), dtype).tensor
        ones = self.operation(ops.add, zeros, 1, suffix="ones")
        count = self.operation(ops.cumsum, ones, suffix="count")
        return self.operation(ops.subtract, count, 1, suffix="positions")

    def through_reshape(
        self, tensor: KerasTensor, function: Callable[[KerasTensor], KerasTensor], keeps: int = 0
    ) -> KerasTensor:
        """Applies a function before a reshape that lies behind it, which may be undone next.

        Args:
            tensor: The tensor, perhaps a reshaped one.
            function: What is applied; it keeps the shape but for the last axis.
            keeps: How many last axes have to be the same before the reshape.
        """
        source, dims = self.source_of(tensor)
        if dims is None or tensor.shape.count(None) > 1 or not self._is_undone():
            return function(tensor)
        if keeps and (None in tensor.shape[-keeps:] or dims[-keeps:] != tensor.shape[-keeps:]):
            return function(tensor)
        found = function(source)
        last = tensor.shape[:-1] + found.shape[-1:] if keeps else tensor.shape
        if len(found.shape) != len(source.shape) or (last[0] is None and None in last[1:]):
            return function(tensor)
        if not keeps and found.shape != source.shape:
            return function(tensor)
        flat = self.operation(ops.reshape, found, tuple(-1 if d is None else d for d in last))
        self.remember_tensor(flat, found, (*dims[:-1], found.shape[-1]) if keeps else dims)
        return flat  # type: ignore[no-any-return]

    def _is_undone(self) -> bool:
        """Returns whether a Reshape follows the current node, behind functions of one number."""
        node = self.current
        for _ in range(8):
            if node is None or not node.outputs or node.outputs[0] in self.output_names:
                return False
            readers = self.readers.get(node.outputs[0], [])
            if len(readers) != 1:
                return False
            node = readers[0]
            if node.operator == "Reshape":
                return node.inputs[0] in self.producers
            others = [x for x in node.inputs if x in self.graph.stored]
            if len(node.inputs) - len(others) != 1 or node.operator in _MOVES_AXES:
                return False
        return False

    def _add_zeros(
        self, total: Any, rank: int, i: int, holder: Symbolic, axis: int, dtype: str
    ) -> Any:
        tensor = holder.tensor
        place = -1 if axis < 0 else holder.axes[axis]
        key = tuple(slice(None) if j == place else 0 for j in range(len(tensor.shape)))
        line = self.operation(ops.get_item, tensor, key, suffix="line") if key else tensor
        line = self.operation(ops.zeros_like, line, suffix="zeros")
        if line.dtype != dtype:
            line = self.operation(ops.cast, line, dtype, suffix="cast")
        shape = [1] * rank
        if axis >= 0 and rank:
            shape[i] = -1
        if tuple(shape) != (-1,):
            line = self.operation(ops.reshape, line, tuple(shape), suffix="zeros")
        return line if total is None else self.operation(ops.add, total, line, suffix="zeros")

    def filled_array(self, value: Filled) -> np.ndarray:
        """Returns one number in a known shape as an array."""
        self.count_constant(math.prod(value.dims), 8)
        return np.broadcast_to(np.asarray(value.value), value.dims)

    def operand(self, value: Constant) -> Any:
        """Returns a constant as an argument of an operation.

        Arrays of one number become Python numbers, which take the dtype of the other operand;
        stored weights become variables.
        """
        array = model_array(value.array)
        if array.ndim == 0:
            return array.item()
        if not value.stored or array.size <= _TABLE_FROM or array.dtype.kind != "f":
            return array
        if self.first_input is None or not np.isfinite(array).all():
            return array
        return self.table(value.name, array)

    def table(self, name: str, array: np.ndarray) -> KerasTensor:
        """Returns stored weights that no layer has a place for, as the table of an Embedding."""
        key = (name, array.shape)
        if key not in self._tables:
            rows = math.prod(array.shape[:-1])
            zeros = self.zeros_of((1,), "int32").tensor
            ids = self.operation(ops.add, zeros, np.arange(rows, dtype=np.int32), suffix="rows")
            flat = array.reshape(rows, array.shape[-1])
            found = self.call(
                layers.Embedding, ids, rows, array.shape[-1], weights=[flat], base=name
            )
            if array.ndim != 2:
                found = self.operation(ops.reshape, found, array.shape, suffix="table")
            self._tables[key] = found
        return self._tables[key]


def channels_last_order(rank: int) -> tuple[int, ...]:
    """Returns the axes of `(batch, channels, ...)` in the order `(batch, ..., channels)`."""
    return (0, *range(2, rank), 1)


def channels_last_axes(rank: int) -> tuple[int, ...]:
    """Returns for each axis of `(batch, channels, ...)` its place in `(batch, ..., channels)`."""
    return (0, rank - 1, *range(1, rank - 1))


def _sum_of(array: np.ndarray) -> Any:
    return ops.logical_or if array.dtype == bool else ops.add


def _describe(value: Value) -> str:
    if isinstance(value, Constant):
        return f"dtype {value.array.dtype}"
    return "a tensor that depends on the inputs"


__all__ = [
    "MAX_NUMBERS",
    "Builder",
    "channels_last_axes",
    "channels_last_order",
    "is_partly_known",
    "model_array",
    "model_dtype",
    "pack",
]
