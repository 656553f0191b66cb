"""Cases of the ops that move elements: shapes, indices, order."""

from __future__ import annotations

from typing import Any

import numpy as np

from op_cases.case import Arg, ErrorCase, OpCase

_X = Arg((4, 5, 6))
_I = Arg((4, 5, 6), "int32", -9, 9)
_B = Arg((4, 5, 6), "bool")


def _pad(
    x: np.ndarray, low: Any, high: Any, value: float = 0.0, interior: Any = None
) -> np.ndarray:
    if interior is not None:
        wide = np.full([max((n - 1) * (i + 1) + 1, 0) for n, i in zip(x.shape, interior)], value)
        wide[tuple(slice(None, None, i + 1) for i in interior)] = x
        x = wide
    return np.pad(x, list(zip(low, high)), constant_values=value)


def _slice(x: np.ndarray, begin: Any, end: Any, strides: Any) -> np.ndarray:
    return x[tuple(slice(*b) for b in zip(begin, end, strides))]


def _take_along(x: np.ndarray, i: np.ndarray, axis: int) -> np.ndarray:
    return np.take_along_axis(x, i, axis)


def _scatter_add(x: np.ndarray, i: np.ndarray, u: np.ndarray, axis: int) -> np.ndarray:
    y = np.moveaxis(x.copy(), axis, 0)
    rows = np.moveaxis(u.reshape(*u.shape[:axis], -1, *u.shape[axis + i.ndim :]), axis, 0)
    np.add.at(y, i.reshape(-1), rows)
    return np.moveaxis(y, 0, axis)


def _scatter_sum(i: np.ndarray, u: np.ndarray, size: int) -> np.ndarray:
    y = np.zeros((size, *u.shape[i.ndim :]), u.dtype)
    inside = (i >= -size) & (i < size)
    np.add.at(y, i[inside], u[inside])
    return y


def _scatter_add_along(x: np.ndarray, i: np.ndarray, u: np.ndarray, axis: int) -> np.ndarray:
    y = x.copy()
    at = list(np.indices(i.shape))
    at[axis] = i
    np.add.at(y, tuple(at), u)
    return y


def _gather_nd(x: np.ndarray, i: np.ndarray) -> np.ndarray:
    return x[tuple(np.moveaxis(i, -1, 0))]


def _scatter_nd_add(x: np.ndarray, i: np.ndarray, u: np.ndarray) -> np.ndarray:
    y = x.copy()
    np.add.at(y, tuple(np.moveaxis(i, -1, 0)), u)
    return y


def _scatter_nd_update(x: np.ndarray, i: np.ndarray, u: np.ndarray) -> np.ndarray:
    y = x.copy()
    y[tuple(np.moveaxis(i, -1, 0))] = u
    return y


def _one_hot(i: np.ndarray, depth: int, dtype: str) -> np.ndarray:
    return (i[..., None] == np.arange(depth)).astype("float64" if "float" in dtype else dtype)


def _box(x: np.ndarray, starts: np.ndarray, sizes: Any) -> tuple[slice, ...]:
    at = [min(max(int(s), 0), n - k) for s, n, k in zip(starts, x.shape, sizes)]
    return tuple(slice(a, a + k) for a, k in zip(at, sizes))


def _dynamic_slice(x: np.ndarray, starts: np.ndarray, sizes: Any) -> np.ndarray:
    return x[_box(x, starts, sizes)]


def _dynamic_update(x: np.ndarray, update: np.ndarray, starts: np.ndarray) -> np.ndarray:
    y = x.copy()
    y[_box(x, starts, update.shape)] = update
    return y


def _scan(function: Any, neutral: float) -> Any:
    def scan(x: np.ndarray, axis: int, reverse: bool = False, exclusive: bool = False):
        x = np.flip(x, axis) if reverse else x
        y = function(x, axis=axis, dtype=x.dtype)
        if exclusive:
            y = np.roll(y, 1, axis)
            first = [slice(None)] * x.ndim
            first[axis] = slice(0, 1)
            y[tuple(first)] = neutral
        return np.flip(y, axis) if reverse else y

    return scan


def _recurrence(a: np.ndarray, b: np.ndarray, axis: int, reverse: bool = False) -> np.ndarray:
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    y, last = np.zeros_like(b), np.zeros_like(b[0])
    for i in range(len(b))[:: -1 if reverse else 1]:
        last = y[i] = a[i] * last + b[i]
    return np.moveaxis(y, 0, axis)


def _top_k(x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(-x, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, order, -1), order.astype(np.int32)


def _each_dtype(op: str, reference: Any, attrs: dict[str, Any], **more: Any) -> list[OpCase]:
    return [
        OpCase(op, reference, (_X,), attrs, dtypes=("float32", "float16", "bfloat16"), **more),
        OpCase(op, reference, (_I,), attrs, gradient=(), name="int32"),
        OpCase(op, reference, (_B,), attrs, gradient=(), name="bool"),
    ]


_SHAPES = [
    *_each_dtype(
        "reshape",
        lambda x, shape: x.reshape(shape),
        {"shape": [10, 12]},
        errors=(ErrorCase((_X,), {"shape": [7, 2]}, ValueError, "reshape"),),
    ),
    *_each_dtype(
        "transpose",
        lambda x, axes: x.transpose(axes),
        {"axes": [2, 0, 1]},
        errors=(ErrorCase((_X,), {"axes": [0, 0, 1]}, ValueError, "transpose"),),
        bench=(((64, 128, 32),),),
    ),
    OpCase(
        "transpose",
        lambda x, axes: x.transpose(axes),
        (Arg((37, 41)),),
        {"axes": [1, 0]},
        name="matrix",
    ),
    OpCase(
        "broadcast_to",
        np.broadcast_to,
        (Arg((4, 1, 6)),),
        {"shape": [3, 4, 5, 6]},
        errors=(ErrorCase((_X,), {"shape": [4, 5, 7]}, ValueError, "broadcast"),),
    ),
    OpCase(
        "broadcast_to",
        np.broadcast_to,
        (Arg((), "int32"),),
        {"shape": [3, 4]},
        gradient=(),
        name="scalar",
    ),
    OpCase(
        "concatenate",
        lambda *xs, axis: np.concatenate(xs, axis),
        (Arg((2, 3, 4)), Arg((2, 5, 4)), Arg((2, 1, 4))),
        {"axis": 1},
        errors=(ErrorCase((Arg((2, 3)), Arg((3, 3))), {"axis": 1}, ValueError, "concatenate"),),
    ),
    OpCase(
        "concatenate",
        lambda *xs, axis: np.concatenate(xs, axis),
        (Arg((3,), "int64", 0, 9), Arg((2,), "int64", 0, 9)),
        {"axis": 0},
        gradient=(),
        name="int64",
    ),
    *_each_dtype(
        "slice",
        _slice,
        {"begin": [1, 0, 2], "end": [4, 5, 6], "strides": [2, 1, 3]},
        errors=(
            ErrorCase(
                (_X,),
                {"begin": [0, 0, 0], "end": [9, 5, 6], "strides": [1, 1, 1]},
                ValueError,
                "slice",
            ),
        ),
    ),
    *_each_dtype("flip", lambda x, axes: np.flip(x, axes), {"axes": [0, 2]}),
    OpCase(
        "pad",
        _pad,
        (_X,),
        {"low": [1, 0, 2], "high": [0, 3, 1], "value": 1.5},
        errors=(ErrorCase((_X,), {"low": [1], "high": [1], "value": 0.0}, ValueError, "pad"),),
    ),
    OpCase(
        "pad",
        _pad,
        (Arg((3, 4)),),
        {"low": [1, 0], "high": [0, 1], "value": 0.0, "interior": [2, 1]},
        name="interior",
    ),
]
_PLACES = Arg((3, 2), "int32", -5, 5)
_INDEXING = [
    OpCase(
        "gather",
        lambda x, i, axis: np.take(x, i, axis),
        (_X, _PLACES),
        {"axis": 1},
        errors=(ErrorCase((_X, Arg((2,))), {"axis": 0}, (TypeError, ValueError), "gather"),),
        bench=(((10000, 64), (4096,)),),
    ),
    OpCase(
        "gather",
        lambda x, i, axis: np.take(x, i, axis),
        (_X, Arg((), "int64", 0, 4)),
        {"axis": 0},
        name="scalar",
    ),
    OpCase(
        "gather",
        lambda x, i, axis: np.take(x, i, axis),
        (_I, Arg((7,), "int32", 0, 6)),
        {"axis": 2},
        gradient=(),
        name="int32",
    ),
    OpCase("scatter_add", _scatter_add, (_X, _PLACES, Arg((4, 3, 2, 6))), {"axis": 1}, reduction=6),
    OpCase(
        "scatter_sum",
        _scatter_sum,
        (Arg((70, 3), "int32", -50, 50), Arg((70, 3, 5))),
        {"size": 45},
        reduction=20,
        errors=(ErrorCase((_PLACES, Arg((2, 3))), {"size": 4}, ValueError, "begins with"),),
    ),
    OpCase(
        "scatter_sum",
        _scatter_sum,
        (Arg((400,), "uint8", 0, 40), Arg((400, 1100))),
        {"size": 33},
        reduction=400,
        name="wide",
    ),
    OpCase(
        "scatter_sum",
        _scatter_sum,
        (Arg((0,), "int64", 0, 3), Arg((0, 2))),
        {"size": 3},
        gradient=(),
        name="nothing",
    ),
    OpCase("take_along_axis", _take_along, (_X, Arg((4, 3, 6), "int32", -5, 5)), {"axis": 1}),
    OpCase(
        "scatter_add_along_axis",
        _scatter_add_along,
        (_X, Arg((4, 9, 6), "int32", -5, 5), Arg((4, 9, 6))),
        {"axis": 1},
        reduction=9,
    ),
    OpCase(
        "one_hot",
        _one_hot,
        (Arg((4, 3), "int32", -2, 8),),
        {"depth": 6, "dtype": "float32"},
        gradient=(),
        errors=(
            ErrorCase(
                (Arg((2,)),), {"depth": 3, "dtype": "float32"}, (TypeError, ValueError), "one_hot"
            ),
        ),
    ),
    OpCase(
        "one_hot",
        _one_hot,
        (Arg((4,), "int64", 0, 3),),
        {"depth": 3, "dtype": "int32"},
        gradient=(),
        name="int32",
    ),
    OpCase("gather_nd", _gather_nd, (_X, Arg((3, 2), "int32", 0, 4))),
    OpCase(
        "scatter_nd_add",
        _scatter_nd_add,
        (_X, Arg((7, 2), "int32", 0, 4), Arg((7, 6))),
        reduction=7,
    ),
    OpCase(
        "scatter_nd_update",
        _scatter_nd_update,
        (_X, Arg((3, 2), "int32", values=[[0, 1], [3, 4], [2, 2]]), Arg((3, 6))),
    ),
    OpCase(
        "dynamic_slice",
        _dynamic_slice,
        (_X, Arg((3,), "int32", values=[1, 9, -2])),
        {"sizes": [2, 3, 4]},
        errors=(
            ErrorCase((_X, Arg((3,), "int32")), {"sizes": [9, 1, 1]}, ValueError, "dynamic_slice"),
        ),
    ),
    OpCase(
        "dynamic_update_slice",
        _dynamic_update,
        (_X, Arg((2, 3, 4)), Arg((3,), "int32", values=[1, 9, -2])),
    ),
]
_ORDER = [
    OpCase(
        "cumsum", _scan(np.cumsum, 0.0), (_X,), {"axis": 1}, reduction=5, bench=(((1024, 1024),),)
    ),
    OpCase(
        "cumsum",
        _scan(np.cumsum, 0.0),
        (_X,),
        {"axis": 0, "reverse": True, "exclusive": True},
        reduction=4,
        name="reverse-exclusive",
    ),
    OpCase("cumsum", _scan(np.cumsum, 0), (_I,), {"axis": 2}, gradient=(), name="int32"),
    OpCase("cumprod", _scan(np.cumprod, 1.0), (_X,), {"axis": 1}, reduction=5),
    OpCase(
        "cumprod",
        _scan(np.cumprod, 1.0),
        (_X,),
        {"axis": 2, "reverse": True, "exclusive": True},
        reduction=6,
        name="reverse-exclusive",
    ),
    OpCase("linear_recurrence", _recurrence, (_X, _X), {"axis": 1}, reduction=32),
    OpCase(
        "linear_recurrence",
        _recurrence,
        (_X, _X),
        {"axis": 0, "reverse": True},
        reduction=16,
        name="reverse",
    ),
    OpCase("sort", lambda x, axis: np.sort(x, axis), (Arg((4, 37)),), {"axis": 1}),
    OpCase("sort", lambda x, axis: np.sort(x, axis), (_I,), {"axis": 0}, gradient=(), name="int32"),
    OpCase(
        "argsort",
        lambda x, axis: np.argsort(x, axis, kind="stable").astype(np.int32),
        (Arg((4, 37)),),
        {"axis": 1},
        gradient=(),
    ),
    OpCase(
        "argsort",
        lambda x, axis: np.argsort(x, axis, kind="stable").astype(np.int32),
        (_I,),
        {"axis": 1},
        gradient=(),
        name="ties",
    ),
    OpCase(
        "top_k",
        _top_k,
        (Arg((4, 37)),),
        {"k": 5},
        errors=(ErrorCase((Arg((2, 3)),), {"k": 4}, ValueError, "top_k"),),
    ),
    OpCase("top_k", _top_k, (_I,), {"k": 3}, gradient=(), name="ties"),
]
CASES = [*_SHAPES, *_INDEXING, *_ORDER]
