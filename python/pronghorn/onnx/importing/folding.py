"""Constants of a graph: what depends on no input is computed with NumPy while the model is built.

Sizes that the file leaves open (`Dim`) go through the operators that exporters compute shapes with.
The size of a result is worked out, and counted, before it is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.operators.slices import slice_bounds
from pronghorn.onnx.importing.tensors import DTYPES, dtype_name
from pronghorn.onnx.importing.values import Constant, Dim, Filled, Symbolic, Value, pack, tidy

Fold = Callable[[Builder, Node, "list[np.ndarray]"], Any]

_FOLDS: dict[str, Fold] = {}
# Operators whose arithmetic is defined for sizes that are not known.
_SIZES = (
    "Add",
    "Cast",
    "Concat",
    "Div",
    "Equal",
    "Flatten",
    "Gather",
    "Identity",
    "Mul",
    "ReduceProd",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Sub",
    "Transpose",
    "Unsqueeze",
    "Where",
)


def fold(builder: Builder, node: Node) -> list[Value | None] | None:
    """Returns the outputs of a node if they are constants, else None."""
    values = [builder.values[x] if x else None for x in node.inputs]
    special = _SPECIAL.get(node.operator)
    if special is not None:
        found = special(builder, node, values)
        if found is not None:
            return [found]
    if node.operator not in _FOLDS:
        return None
    arrays = []
    for value in values:
        if isinstance(value, Filled) and all(isinstance(d, int) for d in value.dims):
            value = Constant(builder.filled_array(value))
        if isinstance(value, (Symbolic, Filled)):
            return None
        arrays.append(value.array if value is not None else None)
    if any(a is not None and a.dtype == object for a in arrays) and node.operator not in _SIZES:
        return None
    if node.operator == "Cast" and any(a is not None and a.dtype == object for a in arrays[:1]):
        return None if node.attributes.get("to") not in (6, 7) else [values[0]]
    if node.operator == "Slice" and any(a is not None and a.dtype == object for a in arrays[1:]):
        return None
    with np.errstate(all="ignore"):
        outputs = _FOLDS[node.operator](builder, node, arrays)  # type: ignore[arg-type]
    if not isinstance(outputs, list):
        outputs = [outputs]
    # A weight in another shape is still one.
    source = values[0] if values else None
    stored = isinstance(source, Constant) and source.stored and node.operator in _KEEP
    name = source.name if isinstance(source, Constant) and stored else ""
    if node.operator == "Slice" and stored:
        name = node.outputs[0]
    return [Constant(tidy(np.asarray(x)), name, stored) for x in outputs]


_KEEP = ("Identity", "Slice", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten")


def _enter(*names: str) -> Callable[[Fold], Fold]:
    def enter(function: Fold) -> Fold:
        for name in names:
            _FOLDS[name] = function
        return function

    return enter


def _checked(builder: Builder, shape: Any, dtype: Any = np.int64) -> tuple[int, ...]:
    """Counts an array before it is made; returns its shape as integers."""
    sizes = tuple(int(d) for d in shape)
    if any(d < 0 for d in sizes):
        raise ValueError(f"expected sizes of 0 or more. Received: shape={sizes}.")
    builder.count_constant(math.prod(sizes), np.dtype(dtype).itemsize)
    return sizes


def _like(builder: Builder, *arrays: np.ndarray) -> None:
    _checked(builder, np.broadcast_shapes(*[a.shape for a in arrays]), np.int64)


# Arithmetic.


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.dtype == object or b.dtype == object:
        return np.asarray(np.floor_divide(a, b))
    if a.dtype.kind in "iu":
        if (b == 0).any():
            raise ValueError("expected divisors other than 0.")
        return np.asarray(np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))).astype(a.dtype)
    return np.asarray(a / b)


def _equal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.dtype != object and b.dtype != object:
        return np.asarray(np.equal(a, b))
    left, right = np.broadcast_arrays(a, b)
    found = [_same_size(x, y) for x, y in zip(left.flat, right.flat)]
    return np.array(found, bool).reshape(left.shape)


def _same_size(a: Any, b: Any) -> bool:
    if isinstance(a, Dim) != isinstance(b, Dim):
        known = b if isinstance(a, Dim) else a
        if known < 0:
            return False  # a size is none of the marks -1
        raise ValueError(
            f"compares the open size '{a if isinstance(a, Dim) else b}' with {known}: give the "
            "sizes of the inputs (input_shapes)"
        )
    return bool(a == b)


_BINARY: dict[str, Callable[..., Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": _divide,
    "Equal": _equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "And": np.logical_and,
    "Or": np.logical_or,
    "Xor": np.logical_xor,
    "Min": np.minimum,
    "Max": np.maximum,
    "Sum": np.add,
}
_UNARY: dict[str, Callable[..., Any]] = {
    "Abs": np.abs,
    "Neg": np.negative,
    "Sqrt": np.sqrt,
    "Exp": np.exp,
    "Log": np.log,
    "Floor": np.floor,
    "Ceil": np.ceil,
    "Round": np.round,
    "Sin": np.sin,
    "Cos": np.cos,
    "Tanh": np.tanh,
    "Reciprocal": lambda x: (1 / x).astype(x.dtype),
    "Sigmoid": lambda x: (1 / (1 + np.exp(-x))).astype(x.dtype),
    "Relu": lambda x: np.maximum(x, 0).astype(x.dtype),
    "Sign": np.sign,
    "Not": np.logical_not,
    "IsNaN": np.isnan,
    "Identity": lambda x: x,
}


@_enter(*_BINARY)
def _binary(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    total = arrays[0]
    for other in arrays[1:]:
        _like(builder, total, other)
        total = _BINARY[node.operator](total, other)
    return total


@_enter(*_UNARY)
def _unary(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    if node.operator != "Identity":
        _like(builder, arrays[0])
    found: np.ndarray = _UNARY[node.operator](arrays[0])
    return found


@_enter("Pow")
def _pow(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    _like(builder, *arrays[:2])
    return np.asarray(np.power(arrays[0], arrays[1].astype(arrays[0].dtype)))


@_enter("Mod")
def _mod(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    _like(builder, *arrays[:2])
    function = np.fmod if attributes.flag(node, "fmod") else np.mod
    return np.asarray(function(arrays[0], arrays[1]))


@_enter("Where")
def _where(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    _like(builder, *arrays[:3])
    return np.where(arrays[0], arrays[1], arrays[2])


@_enter("Cast")
def _cast(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    name = dtype_name(attributes.integer(node, "to", 0), "its attribute 'to'")
    x = arrays[0]
    if x.dtype == object:
        return x
    _like(builder, x)
    return x.astype(np.dtype(name))


@_enter("Clip")
def _clip(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    _like(builder, arrays[0])
    low = node.attributes.get("min", arrays[1] if len(arrays) > 1 else None)
    high = node.attributes.get("max", arrays[2] if len(arrays) > 2 else None)
    found = arrays[0]
    found = found if low is None else np.maximum(found, low)
    return found if high is None else np.minimum(found, high)


@_enter("MatMul")
def _matmul(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    a, b = arrays[:2]
    if a.ndim == 2 and b.ndim == 2:
        _checked(builder, (a.shape[0], b.shape[1]))
        if a.shape[0] * a.shape[1] * b.shape[1] > 2**30:
            raise ValueError("is a product of constants that is too large to compute here")
        return np.asarray(a @ b)
    raise ValueError("is a product of constants of rank other than 2")


# Shapes.


@_enter("Reshape")
def _reshape(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    x = arrays[0]
    shape = [int(d) if not isinstance(d, Dim) else d for d in arrays[1].reshape(-1)]
    if any(isinstance(d, Dim) for d in shape):
        raise ValueError("gives a constant an open size, which is not taken")
    if not attributes.flag(node, "allowzero"):
        shape = [x.shape[i] if d == 0 else d for i, d in enumerate(shape)]
    return x.reshape(shape)


@_enter("Flatten")
def _flatten(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    x = arrays[0]
    axis = attributes.integer(node, "axis", 1)
    axis = axis if axis == x.ndim else attributes.normalized_axis(axis, x.ndim)
    return x.reshape(math.prod(x.shape[:axis]), -1 if x.size else math.prod(x.shape[axis:]))


def _axes(node: Node, arrays: list[np.ndarray]) -> list[int] | None:
    if len(arrays) > 1 and arrays[1] is not None:
        return [int(a) for a in arrays[1].reshape(-1)]
    return attributes.integers(node, "axes")


@_enter("Squeeze")
def _squeeze(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    axes = _axes(node, arrays)
    return np.squeeze(arrays[0], None if axes is None else tuple(axes))


@_enter("Unsqueeze")
def _unsqueeze(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    axes = _axes(node, arrays) or []
    if len(axes) + arrays[0].ndim > 16:
        raise ValueError("makes a tensor of more than 16 axes")
    return np.expand_dims(arrays[0], tuple(axes))


@_enter("Transpose")
def _transpose(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    return np.transpose(arrays[0], attributes.integers(node, "perm"))


@_enter("Concat")
def _concat(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    _checked(builder, (sum(a.size for a in arrays),))
    return np.concatenate(arrays, attributes.axis(node, arrays[0].ndim))


@_enter("Split")
def _split(builder: Builder, node: Node, arrays: list[np.ndarray]) -> list[np.ndarray]:
    from pronghorn.onnx.importing.operators.slices import split_sizes

    axis = attributes.axis(node, arrays[0].ndim)
    given = [int(x) for x in arrays[1]] if len(arrays) > 1 else attributes.integers(node, "split")
    sizes = split_sizes(node, arrays[0].shape[axis], given)
    return np.split(arrays[0], np.cumsum(sizes)[:-1], axis)


@_enter("Gather")
def _gather(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    x, index = arrays[:2]
    axis = attributes.axis(node, x.ndim)
    _checked(builder, (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]))
    return np.take(x, index.astype(np.int64), axis)


@_enter("GatherElements")
def _gather_elements(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    _checked(builder, arrays[1].shape)
    return np.take_along_axis(arrays[0], arrays[1], attributes.axis(node, arrays[0].ndim))


@_enter("Slice")
def _slice(builder: Builder, node: Node, arrays: list[np.ndarray]) -> Any:
    numbers = [None if a is None else [int(x) for x in a.reshape(-1)] for a in arrays[1:]]
    bounds = slice_bounds(node, arrays[0].shape, numbers)
    return arrays[0][tuple(slice(*b) for b in bounds)]


@_enter("Expand")
def _expand(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    shape = np.broadcast_shapes(arrays[0].shape, tuple(int(d) for d in arrays[1]))
    _checked(builder, shape)
    return np.broadcast_to(arrays[0], shape)


@_enter("Tile")
def _tile(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    repeats = [int(r) for r in arrays[1]]
    if len(repeats) != arrays[0].ndim:
        raise ValueError(f"expected {arrays[0].ndim} repeats. Received: {repeats}.")
    _checked(builder, [d * r for d, r in zip(arrays[0].shape, repeats)])
    return np.tile(arrays[0], repeats)


@_enter("Range")
def _range(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    start, limit, delta = (a.reshape(-1)[0].item() for a in arrays[:3])
    if not delta:
        raise ValueError("expected a step other than 0.")
    _checked(builder, (max(0, math.ceil((limit - start) / delta)),))
    return np.arange(start, limit, delta).astype(arrays[0].dtype)


@_enter("ConstantOfShape")
def _constant_of_shape(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    value = attributes.array(node, "value")
    value = np.zeros(1, np.float32) if value is None else value
    return np.full(_checked(builder, arrays[0], value.dtype), value.reshape(-1)[0])


@_enter("Trilu")
def _trilu(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    _like(builder, arrays[0])
    k = int(arrays[1].reshape(-1)[0]) if len(arrays) > 1 else 0
    return (np.triu if attributes.flag(node, "upper", 1) else np.tril)(arrays[0], k)


@_enter("CumSum")
def _cumsum(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    attributes.refuse_others(node, exclusive=0, reverse=0)
    _like(builder, arrays[0])
    return np.cumsum(arrays[0], int(arrays[1].reshape(-1)[0])).astype(arrays[0].dtype)


_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "ReduceProd": np.prod,
    "ReduceSum": np.sum,
    "ReduceMax": np.max,
    "ReduceMin": np.min,
    "ReduceMean": np.mean,
}


@_enter(*_REDUCTIONS)
def _reduce(builder: Builder, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    axes = _axes(node, arrays)
    if not axes and attributes.flag(node, "noop_with_empty_axes"):
        return arrays[0]
    keep = attributes.flag(node, "keepdims", 1)
    found = _REDUCTIONS[node.operator](arrays[0], axis=tuple(axes) if axes else None, keepdims=keep)
    found = np.asarray(found)
    return found if found.dtype == object else found.astype(arrays[0].dtype)


# Operators that may be constants though an input is none.


def _shape(builder: Builder, node: Node, values: list[Value | None]) -> Value | None:
    value = values[0]
    assert value is not None
    dims = value.dims if not isinstance(value, Constant) else value.array.shape
    start = attributes.integer(node, "start", 0)
    end = attributes.integer(node, "end", len(dims))
    return Constant(pack(dims[slice(start, end)]).reshape(-1))


def _size(builder: Builder, node: Node, values: list[Value | None]) -> Value | None:
    assert values[0] is not None
    total: Any = 1
    for d in values[0].dims:
        total = total * d
    return Constant(pack(total))


def _constant(builder: Builder, node: Node, values: list[Value | None]) -> Value | None:
    kinds = ("value", "value_float", "value_floats", "value_int", "value_ints")
    found = [k for k in kinds if k in node.attributes]
    if len(found) != 1 or len(node.attributes) != 1:
        raise ValueError(f"expected one of {', '.join(kinds)}. Received: {[*node.attributes]}.")
    value = node.attributes[found[0]]
    dtypes = {"value_float": np.float32, "value_floats": np.float32}
    dtype = dtypes.get(found[0], np.int64)
    array = value if isinstance(value, np.ndarray) else np.array(value, dtype)
    # tf2onnx and others store weights in such nodes.
    weights = array.dtype.kind == "f" and array.size > 1
    return Constant(array, node.name or node.outputs[0], stored=weights)


def _filled(builder: Builder, node: Node, values: list[Value | None]) -> Value | None:
    """ConstantOfShape and Expand of one number: a number in a shape."""
    index = 0 if node.operator == "ConstantOfShape" else 1
    shape = values[index] if index < len(values) else None
    if not isinstance(shape, Constant) or shape.array.dtype.kind not in "iO":
        return None
    dims = tuple(d if isinstance(d, Dim) else int(d) for d in shape.array.reshape(-1))
    if all(isinstance(d, int) for d in dims):
        return None
    if any(isinstance(d, int) and d < 0 for d in dims):
        raise ValueError(f"expected sizes of 0 or more. Received: shape={dims}.")
    if index == 0:
        value = attributes.array(node, "value")
        return Filled((np.zeros(1, np.float32) if value is None else value).reshape(-1)[0], dims)
    source = values[0]
    if isinstance(source, Constant) and source.array.size == 1 and source.array.dtype != object:
        extra = (1,) * max(0, source.array.ndim - len(dims))
        return Filled(source.array.reshape(-1)[0], extra + dims)
    if isinstance(source, Filled) and len(source.dims) <= len(dims):
        return Filled(source.value, dims) if _fits(source.dims, dims) else None
    return None


def _fits(source: tuple[Any, ...], dims: tuple[Any, ...]) -> bool:
    return all(a == 1 or a == b for a, b in zip(source[::-1], dims[::-1]))


def _filled_cast(builder: Builder, node: Node, values: list[Value | None]) -> Value | None:
    if not isinstance(values[0], Filled):
        return None
    name = DTYPES.get(attributes.integer(node, "to", 0), "")
    if not name or name == "bfloat16":
        return None
    return Filled(values[0].value.astype(name), values[0].dims)


_SPECIAL: dict[str, Callable[[Builder, Node, list[Value | None]], Value | None]] = {
    "Shape": _shape,
    "Size": _size,
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Expand": _filled,
    "Cast": _filled_cast,
}

#: Operators that are computed here; some are taken only where they are constants.
CONSTANT_OPERATORS = frozenset((*_FOLDS, *_SPECIAL))
