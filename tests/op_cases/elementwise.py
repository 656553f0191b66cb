"""Cases of the elementwise ops."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from op_cases.case import Arg, ErrorCase, OpCase

ALL_FLOATS = ("float32", "float16", "bfloat16")
_SHAPE = (7, 37)  # odd: tails of every vector width
_BENCH = (((4096,),), ((1024, 1024),))

_erf = np.vectorize(math.erf, otypes=[np.float64])


def _erfinv(x: np.ndarray) -> np.ndarray:
    """Newton's method on erf, from a first guess (Winitzki 2008)."""
    log = np.log1p(-x * x)
    a = 0.147
    first = 2 / (math.pi * a) + log / 2
    y = np.sign(x) * np.sqrt(np.sqrt(first**2 - log / a) - first)
    for _ in range(6):
        y = y - (_erf(y) - x) * math.sqrt(math.pi) / 2 * np.exp(y * y)
    return y


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _gelu_tanh(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


# name, reference, range; ranges reach into the tails of each function
_FLOAT_UNARY: list[tuple[str, Callable[..., Any], float, float]] = [
    ("exp", np.exp, -10, 10),
    ("exp2", np.exp2, -10, 10),
    ("expm1", np.expm1, -4, 4),
    ("log", np.log, 0.01, 100),
    ("log1p", np.log1p, -0.9, 10),
    ("log2", np.log2, 0.01, 100),
    ("log10", np.log10, 0.01, 100),
    ("sqrt", np.sqrt, 0.1, 50),
    ("rsqrt", lambda x: 1 / np.sqrt(x), 0.1, 50),
    ("cbrt", np.cbrt, 0.1, 50),
    ("reciprocal", lambda x: 1 / x, 0.2, 9),
    ("sin", np.sin, -30, 30),
    ("cos", np.cos, -30, 30),
    ("tan", np.tan, -1.4, 1.4),
    ("arcsin", np.arcsin, -0.98, 0.98),
    ("arccos", np.arccos, -0.98, 0.98),
    ("arctan", np.arctan, -20, 20),
    ("sinh", np.sinh, -5, 5),
    ("cosh", np.cosh, -5, 5),
    ("tanh", np.tanh, -5, 5),
    ("arcsinh", np.arcsinh, -20, 20),
    ("arccosh", np.arccosh, 1.1, 20),
    ("arctanh", np.arctanh, -0.97, 0.97),
    ("erf", _erf, -3, 3),
    ("erfinv", _erfinv, -0.97, 0.97),
    ("sigmoid", _sigmoid, -12, 12),
    ("softplus", lambda x: np.logaddexp(x, 0), -12, 12),
    ("silu", lambda x: x * _sigmoid(x), -12, 12),
    ("gelu", lambda x: 0.5 * x * (1 + _erf(x / math.sqrt(2))), -5, 5),
    ("gelu_tanh", _gelu_tanh, -5, 5),
]
_NUMBER_UNARY: list[tuple[str, Callable[..., Any]]] = [
    ("negative", np.negative),
    ("abs", np.abs),
    ("sign", np.sign),
    ("square", np.square),
    ("floor", np.floor),
    ("ceil", np.ceil),
    ("round", np.round),
    ("trunc", np.trunc),
    ("relu", lambda x: np.maximum(x, 0)),
]
_STEPS = ("sign", "floor", "ceil", "round", "trunc")
_NUMBER_BINARY: list[tuple[str, Callable[..., Any]]] = [
    ("add", np.add),
    ("subtract", np.subtract),
    ("multiply", np.multiply),
    ("maximum", np.maximum),
    ("minimum", np.minimum),
]
_COMPARE = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
_BITWISE = ("bitwise_and", "bitwise_or", "bitwise_xor")
_SPECIAL = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e-40, 3e38, -1.5, 2.5, 0.5]

_MIXED = (ErrorCase((Arg((2,)), Arg((2,), "int32")), {}, (TypeError, ValueError), "dtype"),)
_SHAPES = (ErrorCase((Arg((2,)), Arg((3,))), {}, ValueError, "shape"),)


def _unary() -> list[OpCase]:
    cases = []
    for name, reference, low, high in _FLOAT_UNARY:
        error = ErrorCase((Arg((2,), "int32"),), {}, (TypeError, ValueError), name)
        cases.append(
            OpCase(
                name,
                reference,
                (Arg(_SHAPE, low=low, high=high),),
                dtypes=ALL_FLOATS,
                errors=(error,),
                bench=_BENCH,
                factor=8.0,
            )
        )
    for name, reference in _NUMBER_UNARY:
        x = Arg(_SHAPE, low=-5, high=5)
        gradient = () if name in _STEPS else None
        cases.append(
            OpCase(name, reference, (x,), dtypes=ALL_FLOATS, gradient=gradient, bench=_BENCH)
        )
        if name not in ("floor", "ceil", "round", "trunc"):
            for dtype in ("int8", "int32", "int64"):
                whole = Arg(_SHAPE, dtype, -9, 9)
                cases.append(OpCase(name, reference, (whole,), gradient=(), name=dtype))
    for name in ("isnan", "isinf", "isfinite"):
        x = Arg((12,), values=_SPECIAL)
        cases.append(OpCase(name, getattr(np, name), (x,), gradient=(), bench=_BENCH))
    cases.append(OpCase("logical_not", np.logical_not, (Arg(_SHAPE, "bool"),), gradient=()))
    for dtype in ("bool", "uint8", "int32"):
        whole = Arg(_SHAPE, dtype, -9, 9)
        cases.append(OpCase("bitwise_not", np.invert, (whole,), gradient=(), name=dtype))
    return cases


def _binary() -> list[OpCase]:
    cases = []
    a, b = Arg(_SHAPE), Arg((37,))
    bench = (((1024, 1024), (1024, 1024)), ((1024, 1024), (1024,)))
    for name, reference in _NUMBER_BINARY:
        cases.append(
            OpCase(
                name,
                reference,
                (a, b),
                dtypes=ALL_FLOATS,
                errors=(*_MIXED, *_SHAPES),
                bench=bench,
            )
        )
        cases.append(OpCase(name, reference, (Arg((3, 1, 5)), Arg((4, 1))), name="broadcast"))
        cases.append(OpCase(name, reference, (Arg(()), Arg((2, 9))), name="scalar"))
        for dtype in ("uint8", "int32", "int64"):
            pair = (Arg(_SHAPE, dtype, 0, 9), Arg(_SHAPE, dtype, 0, 9))
            cases.append(OpCase(name, reference, pair, gradient=(), name=dtype))
    positive = Arg((37,), low=0.5, high=3)
    cases += [
        OpCase("divide", np.divide, (a, positive), dtypes=ALL_FLOATS, bench=bench, errors=_SHAPES),
        OpCase("power", np.power, (Arg(_SHAPE, low=0.2, high=3), b), dtypes=ALL_FLOATS, factor=16),
        OpCase(
            "power",
            np.power,
            (Arg((9,), values=np.arange(-4.0, 5.0)), Arg((), values=3.0)),
            gradient=(0,),
            name="whole",
        ),
        OpCase(
            "power",
            np.power,
            (Arg((9,), "int32", -4, 5), Arg((9,), "int32", 0, 4)),
            gradient=(),
            name="int32",
        ),
        OpCase("arctan2", np.arctan2, (a, b), factor=8),
        OpCase(
            "floor_divide", np.floor_divide, (Arg(_SHAPE, low=-9, high=9), positive), gradient=()
        ),
        OpCase(
            "floor_divide",
            np.floor_divide,
            (Arg(_SHAPE, "int32", -9, 9), Arg(_SHAPE, "int32", 1, 5)),
            gradient=(),
            name="int32",
        ),
        OpCase("mod", np.mod, (Arg(_SHAPE, low=-9, high=9), positive), gradient=(0,), scale=9.0),
        OpCase(
            "mod",
            np.mod,
            (Arg(_SHAPE, "int32", -9, 9), Arg(_SHAPE, "int32", -5, 0)),
            gradient=(),
            name="int32",
        ),
    ]
    for name in _COMPARE:
        for dtype in ("float32", "int32", "bool", "uint8"):
            pair = (Arg(_SHAPE, dtype, 0, 4), Arg(_SHAPE, dtype, 0, 4))
            cases.append(OpCase(name, getattr(np, name), pair, gradient=(), name=dtype))
    for name in ("logical_and", "logical_or", "logical_xor"):
        pair = (Arg(_SHAPE, "bool"), Arg((37,), "bool"))
        cases.append(OpCase(name, getattr(np, name), pair, gradient=()))
    for name in _BITWISE:
        for dtype in ("bool", "uint8", "int32", "int64"):
            pair = (Arg(_SHAPE, dtype, -99, 99), Arg(_SHAPE, dtype, -99, 99))
            cases.append(OpCase(name, getattr(np, name), pair, gradient=(), name=dtype))
    for name in ("left_shift", "right_shift"):
        pair = (Arg(_SHAPE, "int32", -99, 99), Arg(_SHAPE, "int32", 0, 9))
        cases.append(OpCase(name, getattr(np, name), pair, gradient=()))
    return cases


def _cast(x: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == "bool":
        return x != 0
    if dtype in ("float32", "float16"):
        return x.astype(dtype).astype(np.float64)
    if dtype == "bfloat16":
        return x.astype(np.float64)
    return np.trunc(x).astype(dtype)


def _others() -> list[OpCase]:
    cases = [
        OpCase("where", np.where, (Arg(_SHAPE, "bool"), Arg(_SHAPE), Arg((37,)))),
        OpCase("where", np.where, (Arg((7, 1), "bool"), Arg(()), Arg(_SHAPE)), name="broadcast"),
        OpCase(
            "where",
            np.where,
            (Arg(_SHAPE, "bool"), Arg(_SHAPE, "int32"), Arg(_SHAPE, "int32")),
            gradient=(),
            name="int32",
        ),
        OpCase("identity", lambda x: x, (Arg(_SHAPE),)),
        OpCase("stop_gradient", lambda x: x, (Arg(_SHAPE),), gradient=()),
        OpCase(
            "custom_gradient",
            lambda y, u, x, g: y,
            (Arg(_SHAPE), Arg(_SHAPE), Arg((7,)), Arg((7,))),
            gradient=(),
            errors=(
                ErrorCase((Arg((2,)), Arg((3,))), {}, ValueError, "of the type of its tensor"),
                ErrorCase((Arg((2,)), Arg((2,)), Arg((2,))), {}, ValueError, "expected outputs"),
            ),
        ),
        OpCase(
            "cast",
            _cast,
            (Arg(_SHAPE),),
            {"dtype": "bfloat16"},
            name="bfloat16",
            gradient=(),
            factor=2.0**16,
        ),
        OpCase("cast", _cast, (Arg(_SHAPE),), {"dtype": "float16"}, name="float16", gradient=()),
        OpCase("cast", _cast, (Arg(_SHAPE, "int32", 0, 99),), {"dtype": "float32"}, gradient=()),
    ]
    for dtype in ("bool", "uint8", "int8", "int32", "int64"):
        x = Arg(_SHAPE, low=0, high=99)
        cases.append(OpCase("cast", _cast, (x,), {"dtype": dtype}, gradient=(), name=f"to-{dtype}"))
    return cases


CASES = [*_unary(), *_binary(), *_others()]
