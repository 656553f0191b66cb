"""Gather, scatter, one-hot and dynamic slices."""

from __future__ import annotations

import numpy as np
import pytest
from check_core import DTYPES, INTEGERS, apply, check, random

NUMBERS = [*INTEGERS, "float32"]
INDEX_DTYPES = ["int32", "int64", "uint8", "int8"]
PLACES = [
    ((5, 4), 0, (3,)),
    ((5, 4), 1, (2, 3)),
    ((2, 5, 3), 1, ()),
    ((7, 33), 0, (9,)),
    ((4, 5), 0, (0,)),
    ((100, 70), 0, (500,)),
]


def indices(rng: np.random.Generator, size: int, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    low = 0 if dtype.startswith("u") else -size
    return np.asarray(rng.integers(low, size, shape)).astype(dtype)


@pytest.mark.parametrize("index", INDEX_DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_gather(dtype: str, index: str) -> None:
    rng = np.random.default_rng(0)
    for shape, axis, count in PLACES:
        x = random(rng, shape, dtype)
        i = indices(rng, shape[axis], count, index)
        grads = [0] if dtype == "float32" and i.size and x.size < 200 else []
        check(
            "gather",
            [x, i],
            lambda x, i, a=axis: np.take(x, i.astype(int), a),
            ulps=0,
            grads=grads,
            axis=axis,
        )


@pytest.mark.parametrize("index", INDEX_DTYPES)
@pytest.mark.parametrize("dtype", NUMBERS)
def test_scatter_add(dtype: str, index: str) -> None:
    rng = np.random.default_rng(0)
    for shape, axis, count in PLACES:
        x = random(rng, shape, dtype)
        i = indices(rng, shape[axis], count, index)
        updates = random(rng, shape[:axis] + count + shape[axis + 1 :], dtype)

        def reference(x: np.ndarray, i: np.ndarray, u: np.ndarray, axis: int = axis) -> np.ndarray:
            flat = u.reshape(x.shape[:axis] + (-1,) + x.shape[axis + 1 :]) if u.size else x[:0]
            y = np.moveaxis(x.copy(), axis, 0)
            for at, update in zip(i.ravel(), np.moveaxis(flat, axis, 0), strict=False):
                y[int(at)] += update
            return np.moveaxis(y, 0, axis)

        grads = [0, 2] if dtype == "float32" and i.size and x.size < 200 else []
        check("scatter_add", [x, i, updates], reference, ulps=32, grads=grads, axis=axis)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_take_along_axis(dtype: str, axis: int) -> None:
    rng = np.random.default_rng(0)
    x = random(rng, (4, 5, 6), dtype)
    shape = list(x.shape)
    shape[axis] = 3
    i = rng.integers(-x.shape[axis], x.shape[axis], shape)
    grads = [0] if dtype == "float32" else []

    def reference(x: np.ndarray, i: np.ndarray) -> np.ndarray:
        return np.take_along_axis(x, i % x.shape[axis], axis)

    check("take_along_axis", [x, i], reference, ulps=0, grads=grads, axis=axis)


@pytest.mark.parametrize("k", [0, 1, 2, 3])
@pytest.mark.parametrize("dtype", NUMBERS)
def test_nd(dtype: str, k: int) -> None:
    rng = np.random.default_rng(0)
    sizes = (5, 6, 7)
    x = random(rng, sizes, dtype)
    i = np.zeros((3, 4, k), np.int32)
    for d in range(k):
        i[..., d] = rng.integers(-sizes[d], sizes[d], (3, 4))
    updates = random(rng, (3, 4, *sizes[k:]), dtype)

    def add(x: np.ndarray, i: np.ndarray, u: np.ndarray) -> np.ndarray:
        y = x.copy()
        with np.errstate(over="ignore"):  # integers wrap around
            for at in np.ndindex(3, 4):
                y[tuple(i[at])] += u[at]
        return y

    def update(x: np.ndarray, i: np.ndarray, u: np.ndarray) -> np.ndarray:
        y = x.copy()
        for at in np.ndindex(3, 4):
            y[tuple(i[at])] = u[at]
        return y

    def gather(x: np.ndarray, i: np.ndarray) -> np.ndarray:
        return np.stack([x[tuple(i[at])] for at in np.ndindex(3, 4)]).reshape(updates.shape)

    is_float = dtype == "float32"
    check("gather_nd", [x, i], gather, ulps=0, grads=[0] if is_float else [])
    check("scatter_nd_add", [x, i, updates], add, ulps=32, grads=[0, 2] if is_float else [])
    check("scatter_nd_update", [x, i, updates], update, ulps=0)


def test_scatter_nd_update_gradient() -> None:
    rng = np.random.default_rng(0)

    def reference(x: np.ndarray, i: np.ndarray, u: np.ndarray) -> np.ndarray:
        return np.array([u[0], x[1], x[2], u[1], x[4]])

    operands = [random(rng, (5, 2)), np.array([[0], [3]]), random(rng, (2, 2))]
    check("scatter_nd_update", operands, reference, ulps=0, grads=[0, 2])


def test_indices_outside() -> None:
    i = np.array([0, 4, -5, -1])
    x = np.arange(4)
    (y,) = apply("gather", [x.astype(np.float32), i], axis=0)
    np.testing.assert_array_equal(y, [0, np.nan, np.nan, 3])
    lowest = np.iinfo(np.int32).min
    (y,) = apply("gather", [x.astype(np.int32), i], axis=0)
    np.testing.assert_array_equal(y, [0, lowest, lowest, 3])
    (y,) = apply("gather", [x.astype(np.float32), i], axis=0, zero_fill=True)
    np.testing.assert_array_equal(y, [0, 0, 0, 3])
    ones, zeros = np.ones(4, np.float32), np.zeros(4, np.float32)
    for name, places in [
        ("scatter_add", i),
        ("scatter_add_along_axis", i),
        ("scatter_nd_add", i[:, None]),
        ("scatter_nd_update", i[:, None]),
    ]:
        attrs = {"axis": 0} if "nd" not in name else {}
        (y,) = apply(name, [zeros, places, ones], **attrs)
        np.testing.assert_array_equal(y, [1, 0, 0, 1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("index", INDEX_DTYPES)
def test_one_hot(dtype: str, index: str) -> None:
    i = np.random.default_rng(0).integers(-2, 12, (3, 4)).astype(index)

    def reference(i: np.ndarray) -> np.ndarray:
        return i[..., None].astype(np.int64) == np.arange(10)

    check("one_hot", [i], reference, ulps=0, depth=10, dtype=dtype)


@pytest.mark.parametrize("starts", [(0, 0, 0), (1, 2, 3), (9, 9, 9), (-1, 0, 2)])
@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", "int64"])
def test_dynamic_slices(dtype: str, starts: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    sizes = (2, 3, 4)
    x, update = random(rng, (5, 6, 7), dtype), random(rng, sizes, dtype)
    first = [int(np.clip(s, 0, d - n)) for s, d, n in zip(starts, x.shape, sizes, strict=True)]
    box = tuple(slice(f, f + n) for f, n in zip(first, sizes, strict=True))
    at = np.array(starts, np.int32)
    is_float = dtype == "float32"

    def updated(x: np.ndarray, u: np.ndarray, s: np.ndarray) -> np.ndarray:
        y = x.copy()
        y[box] = u
        return y

    grads = [0, 1] if is_float else []
    check("dynamic_slice", [x, at], lambda x, s: x[box], ulps=0, grads=grads[:1], sizes=list(sizes))
    check("dynamic_update_slice", [x, update, at], updated, ulps=0, grads=grads)
