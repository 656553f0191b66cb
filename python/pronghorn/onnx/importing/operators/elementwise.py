"""Operators that work on every number by itself, with broadcasting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pronghorn import ops
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder, model_dtype
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.registry import operator
from pronghorn.onnx.importing.tensors import dtype_name
from pronghorn.onnx.importing.values import Constant, Dim, Filled, Size, Symbolic, Value


def broadcast_dims(shapes: Sequence[tuple[Size, ...]]) -> tuple[Size | None, ...]:
    """Returns the shape that shapes broadcast to, with None where only the tensors know.

    Raises:
        ValueError: If they do not fit.
    """
    rank = max(len(s) for s in shapes)
    found: list[Size | None] = []
    for sizes in zip(*[(1,) * (rank - len(s)) + tuple(s) for s in shapes]):
        known = {d for d in sizes if not isinstance(d, Dim) and d != 1}
        unknown = {d for d in sizes if isinstance(d, Dim)}
        if len(known) > 1:
            raise ValueError(f"expected shapes that broadcast. Received: {list(shapes)}.")
        if known:
            found.append(known.pop())
        elif len(unknown) > 1:
            found.append(None)
        else:
            found.append(unknown.pop() if unknown else 1)
    return tuple(found)


def elementwise(b: Builder, function: Callable[..., Any], values: Sequence[Value]) -> Symbolic:
    """Applies a function of numbers to tensors and constants, in the layout of the tensors.

    Args:
        b: The builder.
        function: A function of `ops`.
        values: Its arguments.
    """
    dtypes = _dtypes_beside_sizes(values) - {"bool"}
    values = [_tensor_of_sizes(b, v, dtypes) for v in values]
    dims = broadcast_dims([v.dims for v in values])
    if not any(isinstance(v, Symbolic) for v in values):
        values = [b.as_symbolic(values[0]), *values[1:]]
    # A number in a shape is a number where the other operands have that shape.
    if any(isinstance(v, Filled) for v in values):
        rest = broadcast_dims([v.dims for v in values if not isinstance(v, Filled)])
        values = [
            (Constant(np.asarray(v.value)) if rest == dims else b.as_symbolic(v))
            if isinstance(v, Filled)
            else v
            for v in values
        ]
    axes = _common_axes(values, len(dims))
    arguments = [_argument(b, v, axes) for v in values]
    tensor = b.operation(function, *arguments)
    return b.result(tensor, dims, axes)


def _is_sizes(value: Value) -> bool:
    return isinstance(value, Constant) and value.array.dtype == object


def _dtypes_beside_sizes(values: Sequence[Value]) -> set[str]:
    return {dtype_of(v) for v in values if not _is_sizes(v)}


def _tensor_of_sizes(b: Builder, value: Value, dtypes: set[str]) -> Value:
    """Returns sizes as a tensor: of int64, or of int32 as what they are combined with."""
    if not _is_sizes(value):
        return value
    found = b.as_symbolic(value)
    return cast_to(b, found, "int32") if dtypes == {"int32"} else found


def _common_axes(values: Sequence[Value], rank: int) -> tuple[int | None, ...]:
    """Returns the layout to compute in: that of the tensors, channels last before plain."""
    plain = tuple(range(rank))
    symbolic = [v for v in values if isinstance(v, Symbolic)]
    if any(len(v.dims) != rank for v in values if v.dims and not isinstance(v, Constant)):
        return plain
    layouts = {v.axes for v in symbolic if v.dims}
    constants = [v for v in values if isinstance(v, Constant)]
    if len(layouts) == 1:
        axes = next(iter(layouts))
        missing = [j for j, axis in enumerate(axes) if axis is None]
        if all(len(v.dims) <= rank for v in constants) and not any(
            _size_at(v.dims, j, rank) != 1 for v in constants for j in missing
        ):
            return axes
    full = [v.axes for v in symbolic if v.dims and None not in v.axes and not v.is_plain]
    return full[0] if full and all(len(v.dims) <= rank for v in constants) else plain


def _size_at(dims: tuple[Size, ...], axis: int, rank: int) -> Size:
    place = axis - (rank - len(dims))
    return dims[place] if place >= 0 else 1


def _argument(b: Builder, value: Value, axes: tuple[int | None, ...]) -> Any:
    if isinstance(value, Symbolic):
        if not value.dims or value.axes == axes:
            return value.tensor
        if len(value.dims) != len(axes):
            return b.plain(value)
        return b.ordered(value, order_of(axes))
    assert isinstance(value, Constant)
    held = order_of(axes)
    if value.array.ndim == 0 or list(held) == list(range(len(axes))):
        return b.operand(value)
    array = value.array
    if array.size > 1:
        array = array.reshape((1,) * (len(axes) - array.ndim) + array.shape)
        array = array.transpose(*held, *[j for j, a in enumerate(axes) if a is None])
        array = array.reshape(array.shape[: len(held)])
    else:
        array = array.reshape(())
    # Leading axes of 1 are as good as none.
    leading = next((i for i, d in enumerate(array.shape[:-1]) if d != 1), max(0, array.ndim - 1))
    array = array.reshape(array.shape[leading:])
    return b.operand(Constant(np.ascontiguousarray(array), value.name, value.stored))


def order_of(axes: tuple[int | None, ...]) -> tuple[int, ...]:
    """Returns the file's axes in the order in which a tensor has them."""
    held = [j for j, axis in enumerate(axes) if axis is not None]
    return tuple(sorted(held, key=lambda j: axes[j]))  # type: ignore[arg-type, return-value]


def unary(b: Builder, node: Node, function: Callable[..., Any], **kwargs: Any) -> Symbolic:
    """Applies a function of `ops` to the first input, in whatever layout it has."""
    x = b.symbolic(node, 0)
    tensor = b.through_reshape(x.tensor, lambda t: b.operation(function, t, **kwargs))
    return b.result(tensor, x.dims, x.axes)


_UNARY = {
    "Abs": ops.abs,
    "Acos": ops.arccos,
    "Acosh": ops.arccosh,
    "Asin": ops.arcsin,
    "Asinh": ops.arcsinh,
    "Atan": ops.arctan,
    "Atanh": ops.arctanh,
    "BitwiseNot": ops.bitwise_not,
    "Ceil": ops.ceil,
    "Cos": ops.cos,
    "Cosh": ops.cosh,
    "Erf": ops.erf,
    "Exp": ops.exp,
    "Floor": ops.floor,
    "IsNaN": ops.isnan,
    "Log": ops.log,
    "Neg": ops.negative,
    "Not": ops.logical_not,
    "Reciprocal": ops.reciprocal,
    "Round": ops.round,
    "Sign": ops.sign,
    "Sin": ops.sin,
    "Sinh": ops.sinh,
    "Sqrt": ops.sqrt,
    "Tan": ops.tan,
}


@operator(*_UNARY)
def unary_operator(b: Builder, node: Node) -> Value:
    """A function of one number."""
    return unary(b, node, _UNARY[node.operator])


@operator("IsInf")
def is_inf(b: Builder, node: Node) -> Value:
    """Whether numbers are infinite, of one sign or both."""
    negative = attributes.flag(node, "detect_negative", 1)
    positive = attributes.flag(node, "detect_positive", 1)
    if negative and positive:
        return unary(b, node, ops.isinf)
    if not negative and not positive:
        raise ValueError("expected detect_negative or detect_positive.")
    return unary(b, node, ops.isposinf if positive else ops.isneginf)


@operator("Identity")
def identity(b: Builder, node: Node) -> Value:
    """The input."""
    return b.required(node, 0)


_BINARY = {
    "Add": ops.add,
    "Sub": ops.subtract,
    "Mul": ops.multiply,
    "Equal": ops.equal,
    "Greater": ops.greater,
    "GreaterOrEqual": ops.greater_equal,
    "Less": ops.less,
    "LessOrEqual": ops.less_equal,
    "And": ops.logical_and,
    "Or": ops.logical_or,
    "Xor": ops.logical_xor,
    "BitwiseAnd": ops.bitwise_and,
    "BitwiseOr": ops.bitwise_or,
    "BitwiseXor": ops.bitwise_xor,
}


@operator(*_BINARY)
def binary_operator(b: Builder, node: Node) -> Value:
    """A function of two numbers."""
    values = [b.required(node, 0), b.required(node, 1)]
    if node.operator in ("Equal", "Add", "Sub", "Mul"):
        _check_dtypes(values)
    if node.operator == "Mul":
        from pronghorn.onnx.importing.operators.patterns import gated

        found = gated(b, node)
        if found is not None:
            return found
    return elementwise(b, _BINARY[node.operator], values)


def _check_dtypes(values: Sequence[Value]) -> None:
    dtypes = {dtype_of(v) for v in values}
    if _dtypes_beside_sizes(values) == {"int32"}:  # sizes that the file has cast
        return
    if len(dtypes) > 1:
        raise ValueError(f"expected inputs of one dtype. Received: {sorted(dtypes)}.")


def dtype_of(value: Value) -> str:
    """Returns the dtype in which the model has a value."""
    if isinstance(value, Symbolic):
        return str(value.tensor.dtype)
    if isinstance(value, Filled):
        return model_dtype(str(value.value.dtype))
    return "int64" if value.array.dtype == object else model_dtype(value.array.dtype.name)


@operator("Div")
def div(b: Builder, node: Node) -> Value:
    """The quotient; of integers, rounded towards zero."""
    values = [b.required(node, 0), b.required(node, 1)]
    _check_dtypes(values)
    from pronghorn.onnx.importing.operators.patterns import layer_normalization

    found = layer_normalization(b, node)
    if found is not None:
        return found
    if "int" in dtype_of(values[0]):
        if dtype_of(values[0]).startswith("u"):
            return elementwise(b, ops.floor_divide, values)
        quotient = elementwise(b, ops.floor_divide, values)
        product = elementwise(b, ops.multiply, [quotient, values[1]])
        inexact = elementwise(b, ops.not_equal, [product, values[0]])
        below = elementwise(b, ops.less, [quotient, Constant(np.array(0, np.int64))])
        both = elementwise(b, ops.logical_and, [inexact, below])
        step = b.result(
            b.operation(ops.cast, both.tensor, dtype_of(values[0])), both.dims, both.axes
        )
        return elementwise(b, ops.add, [quotient, step])
    return elementwise(b, ops.divide, values)


@operator("Mod")
def mod(b: Builder, node: Node) -> Value:
    """The rest of a division: of the divisor's sign, or with `fmod` of the dividend's."""
    values = [b.required(node, 0), b.required(node, 1)]
    _check_dtypes(values)
    fmod = attributes.flag(node, "fmod")
    if not fmod and "float" in dtype_of(values[0]):
        raise ValueError("expected fmod=1 for floating numbers.")
    return elementwise(b, ops.fmod if fmod else ops.mod, values)


@operator("Pow")
def power(b: Builder, node: Node) -> Value:
    """The first input to the power of the second, in the first one's dtype."""
    x, y = b.required(node, 0), b.required(node, 1)
    if isinstance(y, Constant) and y.array.size == 1 and y.array.dtype != object:
        exponent = float(y.array.reshape(-1)[0])
        if y.array.ndim <= len(x.dims):
            if exponent == 2:
                return unary(b, node, ops.square)
            if exponent == 0.5 and dtype_of(x).startswith("float"):
                return unary(b, node, ops.sqrt)
        if exponent == int(exponent) or dtype_of(x).startswith(("float", "bfloat")):
            kind = np.float32 if dtype_of(x).startswith(("float", "bfloat")) else np.int64
            y = Constant(y.array.astype(kind))
    found = elementwise(b, ops.power, [x, y])
    if found.tensor.dtype == dtype_of(x):
        return found
    tensor = b.operation(ops.cast, found.tensor, dtype_of(x), suffix="cast")
    return b.result(tensor, found.dims, found.axes)


@operator("BitShift")
def bit_shift(b: Builder, node: Node) -> Value:
    """Bits moved to the left or right."""
    functions = {"LEFT": ops.left_shift, "RIGHT": ops.right_shift}
    direction = attributes.text(node, "direction", "")
    if direction not in functions:
        raise ValueError(f"expected direction LEFT or RIGHT. Received: {direction!r:.100}.")
    return elementwise(b, functions[direction], [b.required(node, 0), b.required(node, 1)])


_VARIADIC = {"Sum": ops.add, "Max": ops.maximum, "Min": ops.minimum, "Mean": ops.add}


@operator(*_VARIADIC)
def variadic(b: Builder, node: Node) -> Value:
    """The sum, mean, largest or smallest of several tensors."""
    values = [b.required(node, i) for i in range(len(node.inputs))]
    _check_dtypes(values)
    if not values:
        raise ValueError("expected an input.")
    total: Value = values[0]
    for value in values[1:]:
        total = elementwise(b, _VARIADIC[node.operator], [total, value])
    if node.operator == "Mean":
        return elementwise(
            b, ops.multiply, [total, Constant(np.array(1 / len(values), np.float32))]
        )
    return total


@operator("Where")
def where(b: Builder, node: Node) -> Value:
    """The second input where the first is true, the third elsewhere."""
    values = [b.required(node, i) for i in range(3)]
    _check_dtypes(values[1:])
    # Two Python numbers would lose their dtype: one is kept as an array.
    if not any(isinstance(v, Symbolic) for v in values[1:]):
        values[1] = b.as_symbolic(values[1])
    return elementwise(b, ops.where, values)


@operator("Clip")
def clip(b: Builder, node: Node) -> Value:
    """Numbers limited from below and above."""
    bounds = []
    for i, name in enumerate(("min", "max"), 1):
        given = b.value(node, i)
        if name in node.attributes:
            given = Constant(np.array(attributes.number(node, name, 0.0), np.float32))
        bounds.append(given)
    low, high = bounds
    found: Value = b.symbolic(node, 0)
    floats = dtype_of(found).startswith(("float", "bfloat"))
    if (
        isinstance(low, Constant)
        and isinstance(high, Constant)
        and low.array.size == 1 == high.array.size
    ):
        first, last = (x.array.reshape(-1)[0].item() for x in (low, high))
        if first == 0 and last == 6 and floats:
            return unary(b, node, ops.relu6)
        if first <= last:
            return unary(b, node, ops.clip, x_min=first, x_max=last)
    if low is not None:
        if isinstance(low, Constant) and low.array.size == 1:
            low = Constant(low.array.reshape(()))
        found = elementwise(b, ops.maximum, [found, low])
    if high is not None:
        if isinstance(high, Constant) and high.array.size == 1:
            high = Constant(high.array.reshape(()))
        found = elementwise(b, ops.minimum, [found, high])
    return found


@operator("Cast")
def cast(b: Builder, node: Node) -> Value:
    """Numbers in another dtype."""
    name = dtype_name(attributes.integer(node, "to", 0), "its attribute 'to'")
    return cast_to(b, b.symbolic(node, 0), name)


@operator("CastLike")
def cast_like(b: Builder, node: Node) -> Value:
    """Numbers in the dtype of the second input."""
    return cast_to(b, b.symbolic(node, 0), dtype_of(b.required(node, 1)))


def cast_to(b: Builder, x: Symbolic, name: str) -> Symbolic:
    """Returns a tensor in the dtype `name` of the file."""
    dtype = model_dtype(name)
    if x.tensor.dtype == dtype:
        return x
    return b.result(b.operation(ops.cast, x.tensor, dtype), x.dims, x.axes)
