"""Cumulative sums and products, recurrences, sorts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from check_core import DTYPES, apply, check, random

SHAPES = [(3, 4, 5), (17,), (1, 7), (33, 65), (0, 3), (2, 300, 70)]


def scan(
    accumulate: Callable[..., Any], start: int, axis: int, reverse: bool, exclusive: bool
) -> Callable[[np.ndarray], np.ndarray]:
    def reference(x: np.ndarray) -> np.ndarray:
        y = np.flip(x, axis) if reverse else x
        if exclusive and x.shape[axis]:
            before = np.full_like(np.take(y, [0], axis), start)
            y = np.concatenate([before, np.take(y, range(x.shape[axis] - 1), axis)], axis)
        y = accumulate(y, axis=axis, dtype=x.dtype)
        return np.flip(y, axis) if reverse else y

    return reference


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_cumulative(shape: tuple[int, ...], reverse: bool, exclusive: bool) -> None:
    rng = np.random.default_rng(0)
    for axis in range(-len(shape), len(shape)):
        attrs: dict[str, Any] = {"axis": axis, "reverse": reverse, "exclusive": exclusive}
        total = scan(np.cumsum, 0, axis, reverse, exclusive)
        product = scan(np.cumprod, 1, axis, reverse, exclusive)
        x = random(rng, shape)
        grads = [0] if 0 < x.size < 100 else []
        check("cumsum", [x], total, ulps=shape[axis], grads=grads, **attrs)
        if grads:
            x.flat[2] = 0  # a factor of zero has a gradient
        else:
            x = np.exp(0.1 * x)
        check(
            "cumprod", [x], product, ulps=2 * shape[axis], grads=grads, twice=x.size < 20, **attrs
        )
        whole = random(rng, shape, "int32") % 5
        check("cumsum", [whole], total, **attrs)
        check("cumprod", [whole], product, **attrs)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_linear_recurrence(shape: tuple[int, ...], reverse: bool) -> None:
    rng = np.random.default_rng(0)
    a, b = random(rng, shape) * 0.5, random(rng, shape)
    for axis in range(len(shape)):

        def reference(a: np.ndarray, b: np.ndarray, axis: int = axis) -> np.ndarray:
            a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
            y = np.zeros_like(b)
            order = range(len(b) - 1, -1, -1) if reverse else range(len(b))
            before = np.zeros_like(b[:1].sum(0))
            for i in order:
                before = y[i] = a[i] * before + b[i]
            return np.moveaxis(y, 0, axis)

        grads = [0, 1] if 0 < a.size < 100 else []
        check(
            "linear_recurrence", [a, b], reference, ulps=32, grads=grads, axis=axis, reverse=reverse
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 4, 5), (17,), (1, 7), (33, 65), (0, 3), (4, 1)])
def test_sorts(dtype: str, shape: tuple[int, ...]) -> None:
    x = random(np.random.default_rng(0), shape, dtype)
    grads = [0] if dtype == "float32" and 0 < x.size < 100 else []
    for axis in range(-len(shape), len(shape)):
        check(
            "sort",
            [x],
            lambda x, a=axis: np.sort(x, a),
            ulps=0,
            grads=grads,
            twice=False,
            axis=axis,
        )
        check("argsort", [x], lambda x, a=axis: np.argsort(x, a, kind="stable"), axis=axis)


@pytest.mark.parametrize("k", [0, 1, 3, 33, 65])
@pytest.mark.parametrize("dtype", DTYPES)
def test_top_k(dtype: str, k: int) -> None:
    x = random(np.random.default_rng(0), (9, 65), dtype)

    def reference(x: np.ndarray) -> Any:
        order = np.argsort(-x.astype(np.float64), -1, kind="stable")[..., :k]
        return np.take_along_axis(x, order, -1), order

    grads = [0] if dtype == "float32" else []
    check("top_k", [x], reference, ulps=0, grads=grads, twice=False, k=k)


def test_nan_and_zeros() -> None:
    x = np.array([1, np.nan, -0.0, 0.0, -np.inf, np.inf, -np.nan, -1], np.float32)
    check("sort", [x], np.sort, ulps=0, axis=-1)
    check("argsort", [x], lambda x: np.argsort(x, kind="stable"), axis=-1)
    values, positions = apply("top_k", [x], k=4)
    np.testing.assert_array_equal(values, [np.nan, np.nan, np.inf, 1])
    np.testing.assert_array_equal(positions, [1, 6, 5, 0])


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"^top_k: .*Received: k=4"):
        apply("top_k", [np.zeros(3, np.float32)], k=4)
    with pytest.raises(TypeError, match=r"^cumsum: .*dtype=bool"):
        apply("cumsum", [np.zeros(3, bool)], axis=0)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int32", "int8", "uint32", "int64"])
@pytest.mark.parametrize("n", [1, 63, 64, 65, 1000, 70000])
def test_long_sorts(n: int, dtype: str) -> None:
    rng = np.random.default_rng(n)
    x = (random(rng, (2, n), dtype).astype(np.float64) * 50 - 20).astype(dtype)
    if dtype.startswith("float"):
        x[0, ::7] = np.round(x[0, ::7])
        x[1, ::5] = [[np.nan, np.inf, -np.inf, 0.0, -0.0][i % 5] for i in range(len(x[1, ::5]))]
    (y,) = apply("sort", [x], axis=1)
    np.testing.assert_array_equal(y, np.sort(x, 1))
    (order,) = apply("argsort", [x], axis=1)
    np.testing.assert_array_equal(order, np.argsort(x, 1, kind="stable"))
