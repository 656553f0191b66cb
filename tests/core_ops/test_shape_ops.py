"""Data movement: reshape, transpose, broadcast_to, concatenate, slice, flip, pad."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from check_core import DTYPES, apply, check, random

SHAPES = [(3, 4, 5), (1, 7), (0, 3), (33, 65), (2, 3, 17, 9)]
CASES = [(shape, dtype) for shape in SHAPES for dtype in DTYPES]


def differentiable(x: np.ndarray) -> list[int]:
    return [0] if x.dtype == np.float32 and x.size else []


@pytest.mark.parametrize(("shape", "dtype"), CASES)
def test_movement(shape: tuple[int, ...], dtype: str) -> None:
    x = random(np.random.default_rng(0), shape, dtype)
    grads = differentiable(x)
    rank = len(shape)
    check("reshape", [x], np.ravel, shape=[x.size], ulps=0, grads=grads)
    for order in itertools.permutations(range(rank)):
        check(
            "transpose",
            [x],
            lambda x, o=order: x.transpose(o),
            axes=list(order),
            ulps=0,
            grads=grads,
        )
    to = (2, *shape)
    check(
        "broadcast_to", [x], lambda x: np.broadcast_to(x, to), shape=list(to), ulps=0, grads=grads
    )
    for axis in range(-rank, rank):
        both = lambda a, b, axis=axis: np.concatenate([a, b, a], axis)  # noqa: E731
        result = apply("concatenate", [x, x[::-1], x], axis=axis)[0]
        np.testing.assert_array_equal(result, both(x, x[::-1]))
    for axes in ([0], [0, -1]):
        check("flip", [x], lambda x, a=tuple(axes): np.flip(x, a), axes=axes, ulps=0, grads=grads)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", "int64"])
def test_slice(dtype: str, stride: int) -> None:
    x = random(np.random.default_rng(0), (7, 6, 5), dtype)
    begin, end = [1, 0, 2], [6, 6, 4]
    index = tuple(slice(b, e, stride) for b, e in zip(begin, end, strict=True))
    attrs: dict[str, Any] = {"begin": begin, "end": end, "strides": [stride] * 3}
    check("slice", [x], lambda x: x[index], ulps=0, grads=differentiable(x), **attrs)


def test_slice_of_nothing_has_zero_gradient() -> None:
    x = random(np.random.default_rng(0), (3,))
    check("slice", [x], lambda x: x[1:1], begin=[1], end=[1], strides=[1], ulps=0, grads=[0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_pad(dtype: str) -> None:
    x = random(np.random.default_rng(0), (3, 4), dtype)

    def reference(x: np.ndarray) -> np.ndarray:
        return np.pad(x, [(0, 2), (1, 0)], constant_values=np.array(1).astype(x.dtype))

    attrs: dict[str, Any] = {"low": [0, 1], "high": [2, 0], "value": 1.0}
    check("pad", [x], reference, ulps=0, grads=differentiable(x), **attrs)


def test_interior_padding_is_the_gradient_of_a_strided_slice() -> None:
    x = random(np.random.default_rng(0), (3,))
    (y,) = apply("pad", [x], low=[1], high=[2], interior=[1], value=0.0)
    np.testing.assert_array_equal(y, [0, x[0], 0, x[1], 0, x[2], 0, 0])


@pytest.mark.parametrize(
    ("shape", "order"),
    [((1000, 300), (1, 0)), ((16, 28, 28, 3), (0, 3, 1, 2)), ((8, 100, 4, 64), (0, 2, 1, 3))],
)
def test_large_transposes(shape: tuple[int, ...], order: tuple[int, ...]) -> None:
    x = random(np.random.default_rng(0), shape)
    check("transpose", [x], lambda x: x.transpose(order), axes=list(order), ulps=0)


@pytest.mark.parametrize("dtype", ["float16", "int16", "float32"])
@pytest.mark.parametrize(
    "shape", [(1, 9), (8, 8), (7, 33), (40, 3), (3, 40), (65, 71), (5, 17, 24)]
)
def test_transposes_of_odd_sizes(shape: tuple[int, ...], dtype: str) -> None:
    x = random(np.random.default_rng(0), shape, dtype)
    order = (0, 2, 1) if len(shape) == 3 else (1, 0)
    (y,) = apply("transpose", [x], axes=list(order))
    np.testing.assert_array_equal(y, x.transpose(order))


@pytest.mark.parametrize("shape", [(1, 300), (3000, 1)])
def test_large_broadcasts(shape: tuple[int, ...]) -> None:
    x = random(np.random.default_rng(0), shape)
    check("broadcast_to", [x], lambda x: np.broadcast_to(x, (3000, 300)), shape=[3000, 300], ulps=0)


@pytest.mark.parametrize(
    ("name", "count", "attrs"),
    [
        ("reshape", 1, {"shape": [7]}),
        ("transpose", 1, {"axes": [0, 0]}),
        ("transpose", 1, {"axes": [0]}),
        ("broadcast_to", 1, {"shape": [3]}),
        ("concatenate", 2, {"axis": 2}),
        ("slice", 1, {"begin": [0, 0], "end": [2, 4], "strides": [1, 1]}),
        ("flip", 1, {"axes": [2]}),
        ("pad", 1, {"low": [-1, 0], "high": [0, 0], "value": 0.0}),
    ],
)
def test_errors(name: str, count: int, attrs: dict[str, Any]) -> None:
    x = np.zeros((2, 3), np.float32)
    with pytest.raises(ValueError, match=rf"^{name}: .*Received: "):
        apply(name, [x] * count, **attrs)
