"""Functions of elements: arithmetic, comparisons, logic, casts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn.onnx.export.table import Call, converter
from pronghorn.onnx.export.writer import HALF, Writer, stored

_ARITHMETIC = ("float32", "int32", "int64")

_SAME = {
    "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "reciprocal": "Reciprocal", "sin": "Sin",
    "cos": "Cos", "tan": "Tan", "arcsin": "Asin", "arccos": "Acos", "arctan": "Atan",
    "sinh": "Sinh", "cosh": "Cosh", "tanh": "Tanh", "arcsinh": "Asinh", "arccosh": "Acosh",
    "arctanh": "Atanh", "erf": "Erf", "sigmoid": "Sigmoid", "softplus": "Softplus",
    "logical_not": "Not", "divide": "Div", "logical_and": "And", "logical_or": "Or",
    "logical_xor": "Xor",
}  # fmt: skip


@converter(*_SAME)
def same(call: Call) -> str:
    return call.w.op(_SAME[call.node.op], *call.inputs)


_NUMBERS = {"add": "Add", "subtract": "Sub", "multiply": "Mul", "power": "Pow"}


@converter(*_NUMBERS)
def arithmetic(call: Call) -> str:
    return call.within(_ARITHMETIC, lambda *x: call.w.op(_NUMBERS[call.node.op], *x))


_EXTREMA = {"maximum": "Max", "minimum": "Min"}


@converter(*_EXTREMA, exact=True)
def extremum(call: Call) -> str:
    return call.within(_ARITHMETIC, lambda *x: call.w.op(_EXTREMA[call.node.op], *x))


_COMPARED = {
    "equal": "Equal", "less": "Less", "less_equal": "LessOrEqual", "greater": "Greater",
    "greater_equal": "GreaterOrEqual", "not_equal": "Equal",
}  # fmt: skip


@converter(*_COMPARED)
def compare(call: Call) -> str:
    w, dtype = call.w, call.dtype()
    inputs = call.inputs
    takes_bool = _COMPARED[call.node.op] == "Equal"
    if dtype not in _ARITHMETIC and not (takes_bool and dtype == "bool"):
        inputs = [w.cast(x, "int64" if dtype == "uint32" else "int32") for x in inputs]
    found = w.op(_COMPARED[call.node.op], *inputs)
    return w.op("Not", found) if call.node.op == "not_equal" else found


_KEPT = {"negative": "Neg", "abs": "Abs"}


@converter(*_KEPT, exact=True)
def sign_changed(call: Call) -> str:
    return call.within(_ARITHMETIC, lambda x: call.w.op(_KEPT[call.node.op], x))


@converter("sign", exact=True)
def sign(call: Call) -> str:
    return call.within(_ARITHMETIC, lambda x: call.w.op("Sign", x))


_WHOLE = {"floor": "Floor", "ceil": "Ceil", "round": "Round"}


@converter(*_WHOLE)
def whole(call: Call) -> str:
    return call.w.op(_WHOLE[call.node.op], call.x) if call.dtype() == "float32" else call.x


@converter("trunc")
def trunc(call: Call) -> str:
    if call.dtype() != "float32":
        return call.x
    w = call.w
    return w.op("Mul", w.op("Sign", call.x), w.op("Floor", w.op("Abs", call.x)))


@converter("relu", exact=True)
def relu(call: Call) -> str:
    w = call.w
    if call.dtype() == "float32":
        return w.op("Relu", call.x)
    if call.dtype() == "bool":
        return call.x
    zero = "int64" if call.dtype() in ("uint32", "int64") else "int32"
    return call.within(("int32", "int64"), lambda x: w.op("Max", x, w.constant(0, dtype=zero)))


@converter("square")
def square(call: Call) -> str:
    return call.within(_ARITHMETIC, lambda x: call.w.op("Mul", x, x))


def number(w: Writer, value: float) -> str:
    """Returns a float32 scalar."""
    return w.constant(value, dtype="float32")


def polynomial(w: Writer, x: str, coefficients: list[float]) -> str:
    """Returns c0 + x (c1 + x (c2 + ...))."""
    y = number(w, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        y = w.op("Add", w.op("Mul", x, y), number(w, c))
    return y


@converter("exp2")
def exp2(call: Call) -> str:
    return call.w.op("Pow", number(call.w, 2.0), call.x)


@converter("expm1")
def expm1(call: Call) -> str:
    # 2 t / (1 - t) with t = tanh(x / 2) near 0, where exp(x) - 1 would lose digits.
    w, x = call.w, call.x
    t = w.op("Tanh", w.op("Mul", x, number(w, 0.5)))
    near = w.op("Div", w.op("Mul", t, number(w, 2.0)), w.op("Sub", number(w, 1.0), t))
    far = w.op("Sub", w.op("Exp", x), number(w, 1.0))
    return w.op("Where", w.op("Less", w.op("Abs", x), number(w, 0.5)), near, far)


@converter("log1p")
def log1p(call: Call) -> str:
    # 2 artanh(x / (x + 2)) near 0.
    w, x = call.w, call.x
    ratio = w.op("Div", x, w.op("Add", x, number(w, 2.0)))
    near = w.op("Mul", w.op("Atanh", ratio), number(w, 2.0))
    far = w.op("Log", w.op("Add", x, number(w, 1.0)))
    return w.op("Where", w.op("Less", w.op("Abs", x), number(w, 0.5)), near, far)


@converter("log2", "log10")
def log_of_base(call: Call) -> str:
    base = 2.0 if call.node.op == "log2" else 10.0
    return call.w.op("Mul", call.w.op("Log", call.x), number(call.w, 1 / math.log(base)))


@converter("rsqrt")
def rsqrt(call: Call) -> str:
    return call.w.op("Reciprocal", call.w.op("Sqrt", call.x))


@converter("cbrt")
def cbrt(call: Call) -> str:
    w = call.w
    root = w.op("Pow", w.op("Abs", call.x), number(w, 1 / 3))
    return w.op("Mul", w.op("Sign", call.x), root)


@converter("silu")
def silu(call: Call) -> str:
    return call.w.op("Mul", call.x, call.w.op("Sigmoid", call.x))


@converter("gelu")
def gelu(call: Call) -> str:
    w, x = call.w, call.x
    if w.opset >= 20:
        return w.op("Gelu", x)
    erf = w.op("Erf", w.op("Mul", x, number(w, math.sqrt(0.5))))
    half = w.op("Mul", x, number(w, 0.5))
    return w.op("Mul", half, w.op("Add", erf, number(w, 1.0)))


@converter("gelu_tanh")
def gelu_tanh(call: Call) -> str:
    w, x = call.w, call.x
    if w.opset >= 20:
        return w.op("Gelu", x, approximate="tanh")
    cube = w.op("Mul", w.op("Mul", x, x), x)
    inner = w.op("Add", x, w.op("Mul", cube, number(w, 0.044715)))
    tanh = w.op("Tanh", w.op("Mul", inner, number(w, math.sqrt(2 / math.pi))))
    half = w.op("Mul", x, number(w, 0.5))
    return w.op("Mul", half, w.op("Add", tanh, number(w, 1.0)))


# Giles, "Approximating the erfinv function", 2010, table 5: in w - 2.5 and sqrt(w) - 3.
_CENTRE = [
    1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.000218580870, -4.39150654e-06,
    -3.5233877e-06, 3.43273939e-07, 2.81022636e-08,
]  # fmt: skip
_TAIL = [
    2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773, -0.00367342844,
    0.00134934322, 0.000100950558, -0.000200214257,
]  # fmt: skip


@converter("erfinv")
def erfinv(call: Call) -> str:
    w, x = call.w, call.x
    one = number(w, 1.0)
    product = w.op("Mul", w.op("Sub", one, x), w.op("Add", one, x))
    d = w.op("Neg", w.op("Log", product))
    centre = polynomial(w, w.op("Sub", d, number(w, 2.5)), _CENTRE)
    tail = polynomial(w, w.op("Sub", w.op("Sqrt", w.op("Abs", d)), number(w, 3.0)), _TAIL)
    factor = w.op("Where", w.op("Less", d, number(w, 5.0)), centre, tail)
    edge = w.op("Div", x, number(w, 0.0))
    inside = w.op("Less", w.op("Abs", x), one)
    at_edge = w.op("Equal", w.op("Abs", x), one)
    nan = number(w, math.nan)
    return w.op("Where", inside, w.op("Mul", factor, x), w.op("Where", at_edge, edge, nan))


@converter("arctan2")
def arctan2(call: Call) -> str:
    # 2 arctan(y / (sqrt(x^2 + y^2) + x)) for x >= 0, with the other form for x < 0.
    w, (y, x) = call.w, call.inputs
    zero, pi = number(w, 0.0), number(w, math.pi)
    largest = w.op("Max", w.op("Abs", x), w.op("Abs", y))
    scale = w.op("Where", w.op("Equal", largest, zero), number(w, 1.0), largest)
    x, y = w.op("Div", x, scale), w.op("Div", y, scale)
    steep = w.op("Greater", w.op("Abs", y), w.op("Abs", x))
    # arctan(y / x), or pi / 2 - arctan(x / y) where |y| > |x|
    top = w.op("Where", steep, x, y)
    bottom = w.op("Where", steep, y, x)
    bottom = w.op("Where", w.op("Equal", bottom, zero), number(w, 1.0), bottom)
    angle = w.op("Atan", w.op("Div", top, bottom))
    half = w.op("Where", w.op("Less", y, zero), number(w, -math.pi / 2), number(w, math.pi / 2))
    flat = w.op("Where", w.op("Less", y, zero), w.op("Neg", pi), pi)
    turned = w.op("Where", w.op("Less", x, zero), w.op("Add", angle, flat), angle)
    return w.op("Where", steep, w.op("Sub", half, angle), turned)


@converter("isnan", "isinf", "isfinite")
def tests(call: Call) -> str:
    w, x = call.w, call.x
    if call.dtype() != "float32":
        found = w.op("Equal", w.cast(x, "int64"), w.cast(x, "int64"))
        return found if call.node.op == "isfinite" else w.op("Not", found)
    if call.node.op == "isnan":
        return w.op("IsNaN", x)
    if call.node.op == "isinf":
        return w.op("IsInf", x)
    return w.op("Not", w.op("Or", w.op("IsNaN", x), w.op("IsInf", x)))


def floor_mod(w: Writer, a: str, b: str) -> str:
    """Returns the remainder of int32 or int64 with the sign of the divisor, 0 for a divisor 0."""
    dtype = _dtype_hint(w, a, b)
    zero = w.constant(0, dtype=dtype)
    none = w.op("Equal", b, zero)
    safe = w.op("Where", none, w.constant(1, dtype=dtype), b)
    return w.op("Where", none, zero, w.op("Mod", a, safe))


def floor_quotient(w: Writer, a: str, b: str) -> str:
    """Returns the quotient of int32 or int64, rounded down, 0 for a divisor 0."""
    dtype = _dtype_hint(w, a, b)
    zero = w.constant(0, dtype=dtype)
    none = w.op("Equal", b, zero)
    safe = w.op("Where", none, w.constant(1, dtype=dtype), b)
    rest = w.op("Mod", a, safe)
    return w.op("Where", none, zero, w.op("Div", w.op("Sub", a, rest), safe))


def _dtype_hint(w: Writer, *names: str) -> str:
    for name in names:
        if name in w.constants:
            return str(w.constants[name].dtype)
        if name in w.types:
            return stored(w.types[name].dtype)
        for operator in reversed(w.operators):
            if name in operator.outputs and operator.op == "Cast":
                return str(operator.attrs["to"])
    return "int32"


@converter("floor_divide")
def floor_divide(call: Call) -> str:
    w = call.w
    if call.dtype() == "float32":
        return w.op("Floor", w.op("Div", *call.inputs))
    return call.within(("int32", "int64"), lambda a, b: floor_quotient(w, a, b))


@converter("mod")
def mod(call: Call) -> str:
    w = call.w
    if call.dtype() != "float32":
        return call.within(("int32", "int64"), lambda a, b: floor_mod(w, a, b))
    a, b = call.inputs
    zero = number(w, 0.0)
    rest = w.op("Mod", a, b, fmod=1)
    differs = w.op("Xor", w.op("Less", rest, zero), w.op("Less", b, zero))
    moved = w.op("And", differs, w.op("Not", w.op("Equal", rest, zero)))
    return w.op("Where", moved, w.op("Add", rest, b), rest)


_BITS = {"bitwise_and": "And", "bitwise_or": "Or", "bitwise_xor": "Xor", "bitwise_not": "Not"}


@converter(*_BITS)
def bits(call: Call) -> str:
    name = _BITS[call.node.op]
    if call.dtype() == "bool":
        return call.w.op(name, *call.inputs)
    return call.w.op(f"Bitwise{name}", *call.inputs)


@converter("left_shift", "right_shift")
def shift(call: Call) -> str:
    # By a power of two: ONNX shifts unsigned integers only.
    w = call.w
    a, b = (w.cast(x, "int64") for x in call.inputs)
    power = w.op("Pow", w.constant(2, dtype="int64"), b)
    left = call.node.op == "left_shift"
    return w.cast(w.op("Mul", a, power) if left else floor_quotient(w, a, power), call.dtype())


@converter("where", exact=True)
def where(call: Call) -> str:
    condition, a, b = call.inputs
    w, dtype = call.w, call.dtype(1)
    if dtype in ("float32", "int32", "int64"):
        return w.op("Where", condition, a, b)
    if dtype == "bool":
        yes = w.op("And", condition, a)
        return w.op("Or", yes, w.op("And", w.op("Not", condition), b))
    wide = "int64" if dtype == "uint32" else "int32"
    return w.cast(w.op("Where", condition, w.cast(a, wide), w.cast(b, wide)), dtype)


@converter("identity", "stop_gradient", exact=True)
def identity(call: Call) -> str:
    return call.x


@converter("cast", exact=True)
def cast(call: Call) -> str:
    """Narrow integers saturate as in the core; int32 and int64 as the file's reader does."""
    w, to = call.w, call.attrs["dtype"]
    source = call.type().dtype
    if to in HALF:
        x = call.x if call.dtype() == "float32" else w.cast(call.x, "float32")
        return x if source == to else w.round(x, to)
    if call.dtype() == to:
        return call.x
    if call.dtype() == "float32" and to in ("int8", "uint8", "int16", "uint16", "uint32"):
        limits: Any = np.iinfo(to)
        x = w.op("Clip", call.x, number(w, float(limits.min)), number(w, float(limits.max)))
        return w.cast(w.cast(x, "int64" if to == "uint32" else "int32"), to)
    return w.cast(call.x, to)
