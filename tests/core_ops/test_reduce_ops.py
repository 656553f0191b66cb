"""Reductions and positions of extrema."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from check_core import DTYPES, apply, check, random

REDUCTIONS: dict[str, Callable[..., Any]] = {
    "reduce_sum": np.sum,
    "reduce_mean": np.mean,
    "reduce_prod": np.prod,
    "reduce_max": np.max,
    "reduce_min": np.min,
}
SHAPES = [(3, 4, 5), (17,), (1, 7), (33, 65), (2, 3, 5, 7), (5, 1, 3), (130, 10), (7, 257)]
LARGE = [
    ((1_000_003,), [0]),
    ((21_633, 31), [0]),
    ((128, 1024), [0]),
    ((5_000, 1_025), [0]),
    ((7, 100_001), [1]),
    ((16, 40, 40, 64), [1, 2]),
    ((100, 100, 100), [0, 2]),
]


def axes_of(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    rank = len(shape)
    return [axes for n in range(rank + 1) for axes in itertools.combinations(range(rank), n)]


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_float(name: str, shape: tuple[int, ...]) -> None:
    reduce = REDUCTIONS[name]
    rng = np.random.default_rng(0)
    for axes in axes_of(shape):
        for keepdims in (False, True):
            x = rng.permutation(np.prod(shape)).reshape(shape).astype(np.float32) / 50 - 1
            if name == "reduce_prod":
                x = np.sign(x) * (0.8 + 0.4 * rng.random(shape)).astype(np.float32)
            check(
                name,
                [x],
                lambda x, a=axes, k=keepdims: reduce(x, axis=a, keepdims=k),
                ulps=4 + x.size**0.5,
                grads=[0] if x.size <= 120 else [],
                twice=x.size <= 60 and name != "reduce_prod",
                axes=list(axes),
                keepdims=keepdims,
            )


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64"])
@pytest.mark.parametrize("shape", SHAPES[:4])
def test_integers_keep_their_dtype_and_wrap(dtype: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    for axes in axes_of(shape):
        x = random(rng, shape, dtype)
        attrs: dict[str, Any] = {"axes": list(axes), "keepdims": False}
        check("reduce_sum", [x], lambda x, a=axes: x.sum(a, dtype=x.dtype), **attrs)
        check("reduce_prod", [x], lambda x, a=axes: x.prod(a, dtype=x.dtype), **attrs)
        check("reduce_max", [x], lambda x, a=axes: x.max(a), **attrs)
        check("reduce_min", [x], lambda x, a=axes: x.min(a), **attrs)


@pytest.mark.parametrize("shape", SHAPES[:4])
def test_bool(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    for axes in axes_of(shape):
        x = rng.random(shape) < 0.8
        check("reduce_all", [x], lambda x, a=axes: x.all(a), axes=list(axes), keepdims=False)
        check("reduce_any", [~x], lambda x, a=axes: x.any(a), axes=list(axes), keepdims=False)


@pytest.mark.parametrize(("shape", "axes"), LARGE)
@pytest.mark.parametrize("name", ["reduce_sum", "reduce_mean", "reduce_max"])
def test_large(name: str, shape: tuple[int, ...], axes: list[int]) -> None:
    x = random(np.random.default_rng(0), shape)
    reduce = REDUCTIONS[name]
    # The error of a sum is measured against the sum of the absolute values.
    magnitude = float(np.max(reduce(np.abs(x.astype(np.float64)), axis=tuple(axes))))
    reference = lambda x: reduce(x, axis=tuple(axes))  # noqa: E731
    check(name, [x], reference, ulps=2, magnitude=magnitude, axes=axes, keepdims=False)


def test_factors_of_zero_have_gradients() -> None:
    x = np.array([[2, 0, 3], [0, 0, 4], [1, 2, 3]], np.float32)
    check("reduce_prod", [x], lambda x: x.prod(1), axes=[1], keepdims=False, grads=[0])


@pytest.mark.parametrize("at", [0, 3, 16, 39])
def test_nan_propagates(at: int) -> None:
    x = random(np.random.default_rng(0), (2, 40))
    x[1, at] = np.nan
    for name in ("reduce_max", "reduce_min"):
        check(name, [x], lambda x, r=REDUCTIONS[name]: r(x, axis=1), axes=[1])
        check(name, [x.T], lambda x, r=REDUCTIONS[name]: r(x, axis=0), axes=[0])
    check("argmax", [x], lambda x: x.argmax(1), axis=1)
    check("argmin", [x], lambda x: x.argmin(1), axis=1)
    check("argmax", [x.T], lambda x: x.argmax(0), axis=0)


def test_empty() -> None:
    x = np.zeros((0, 3), np.float32)
    check("reduce_sum", [x], lambda x: x.sum(0), axes=[0])
    check("reduce_prod", [x], lambda x: x.prod(0), axes=[0])
    check("reduce_sum", [x], lambda x: x.sum(1), axes=[1])
    assert np.isnan(apply("reduce_mean", [x], axes=[0])[0]).all()
    assert apply("reduce_all", [x.astype(bool)], axes=[0])[0].all()
    assert not apply("reduce_any", [x.astype(bool)], axes=[0])[0].any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 4, 5), (17,), (1, 7), (33, 65), (400, 10)])
def test_arg_reduce(dtype: str, shape: tuple[int, ...]) -> None:
    x = random(np.random.default_rng(0), shape, dtype)
    for axis in range(-len(shape), len(shape)):
        for keepdims in (False, True):
            attrs: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
            check("argmax", [x], lambda x, a=axis, k=keepdims: np.argmax(x, a, keepdims=k), **attrs)
            check("argmin", [x], lambda x, a=axis, k=keepdims: np.argmin(x, a, keepdims=k), **attrs)


@pytest.mark.parametrize(
    ("name", "x", "attrs", "error"),
    [
        ("reduce_sum", np.zeros(3, np.float32), {"axes": [1]}, ValueError),
        ("reduce_sum", np.zeros((2, 3), np.float32), {"axes": [0, -2]}, ValueError),
        ("reduce_sum", np.zeros(3, bool), {"axes": [0]}, TypeError),
        ("reduce_mean", np.zeros(3, np.int32), {"axes": [0]}, TypeError),
        ("reduce_any", np.zeros(3, np.int32), {"axes": [0]}, TypeError),
        ("reduce_max", np.zeros((0, 3), np.float32), {"axes": [0]}, ValueError),
        ("argmax", np.zeros((0, 3), np.float32), {"axis": 0}, ValueError),
    ],
)
def test_errors(name: str, x: np.ndarray, attrs: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=rf"^{name}: .*Received: "):
        apply(name, [x], **attrs)


@pytest.mark.parametrize("shape", [(3, 5, 7), (2, 40, 600), (1, 9, 1), (70, 2, 33)])
def test_positions_down_columns(shape: tuple[int, ...]) -> None:
    x = np.round(random(np.random.default_rng(0), shape) * 2)
    x[0, -1, 0] = np.nan
    x[-1, :, -1] = np.nan
    for axis in range(3):
        np.testing.assert_array_equal(apply("argmax", [x], axis=axis)[0], np.argmax(x, axis))
        np.testing.assert_array_equal(apply("argmin", [x], axis=axis)[0], np.argmin(x, axis))
