"""Functions that NumPy does not have: blocks, scatter, segments, casts, gradients that stop."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import ops
from pronghorn.trace import Tape, Trace

X = np.arange(24, dtype=np.float32).reshape(4, 6)


def same(got: Any, wanted: Any) -> None:
    np.testing.assert_array_equal(np.asarray(got), np.asarray(wanted))


def traced(function: Any, *arrays: np.ndarray) -> Any:
    with Trace() as trace:
        inputs = [trace.input(a.shape, a.dtype.name) for a in arrays]
        program = trace.compile([function(*inputs)])
    return program(*arrays)[0]


def test_slice() -> None:
    same(ops.slice(X, [1, 2], [2, 3]), X[1:3, 2:5])
    same(ops.slice(X, [1, -2], [-1, 2]), X[1:, -2:])
    same(ops.slice(X, [3, 5], [2, 3]), X[2:4, 3:6])  # moved back, as in Keras
    starts = np.array([1, 2], np.int32)
    same(traced(lambda x, s: ops.slice(x, s, [2, 3]), X, starts), X[1:3, 2:5])
    same(traced(lambda x, s: ops.slice(x, (s[0], 2), [2, 3]), X, starts), X[1:3, 2:5])
    with pytest.raises(ValueError, match="fit"):
        ops.slice(X, [0, 0], [5, 1])
    with pytest.raises(ValueError, match="start index"):
        ops.slice(X, [0], [1, 1])


def test_slice_update() -> None:
    wanted = X.copy()
    wanted[1:3, 2:4] = -1
    block = np.full((2, 2), -1.0, np.float32)
    same(ops.slice_update(X, [1, 2], block), wanted)
    same(traced(lambda x, b: ops.slice_update(x, [1, 2], b), X, block), wanted)
    with pytest.raises(ValueError, match="fit"):
        ops.slice_update(X, [0, 0], np.ones((5, 1)))


def test_scatter() -> None:
    same(ops.scatter([[0], [2], [0]], [1.0, 2.0, 3.0], (4,)), [4, 0, 2, 0])
    same(ops.scatter([[0, 1]], [5], (2, 2)), [[0, 5], [0, 0]])
    same(ops.scatter([[1]], [[5.0, 6.0]], (2, 2)), [[0, 0], [5, 6]])


@pytest.mark.parametrize("reduction", [None, "add", "max", "min", "mul"])
def test_scatter_update(reduction: str | None) -> None:
    indices = np.array([[0, 1], [2, 3], [0, 1]])
    updates = np.array([10.0, -3.0, 2.0], np.float32)
    wanted = X.copy()
    combine = {None: lambda a, b: b, "add": np.add, "max": max, "min": min, "mul": np.multiply}
    for (i, j), u in zip(indices, updates):
        wanted[i, j] = combine[reduction](wanted[i, j], u)
    same(ops.scatter_update(X, indices, updates, reduction), wanted)
    rows = np.stack([X[0] * 2, X[1] * 3])
    wanted = X.copy()
    for i, row in zip((1, 3), rows):
        wanted[i] = [combine[reduction](a, b) for a, b in zip(wanted[i], row)]
    same(ops.scatter_update(X, [[1], [3]], rows, reduction), wanted)
    with pytest.raises(ValueError, match="reduction"):
        ops.scatter_update(X, indices, updates, "mean")


def test_unstack() -> None:
    for axis in (0, 1, -1):
        parts = ops.unstack(X, axis=axis)
        assert len(parts) == X.shape[axis]
        same(ops.stack(parts, axis), X)
    with pytest.raises(ValueError, match="num"):
        ops.unstack(X, 3)


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_segments(name: str, dtype: str) -> None:
    x = (X % 5 + 1).astype(dtype)
    ids = [1, 0, 1, 3]
    function = {"sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min}[name]
    empty: float = {"sum": 0, "prod": 1, "max": -math.inf, "min": math.inf}[name]
    if dtype == "int32" and math.isinf(empty):
        empty = np.iinfo(np.int32).min if name == "max" else np.iinfo(np.int32).max
    rows = [x[[k for k, i in enumerate(ids) if i == s]] for s in range(4)]
    wanted = [function(r, axis=0) if len(r) else np.full(6, empty) for r in rows]
    got = getattr(ops, f"segment_{name}")(x, ids)
    assert got.dtype == dtype
    same(got, np.array(wanted).astype(dtype))
    same(getattr(ops, f"segment_{name}")(x[:, 0], ids, num_segments=2), np.array(wanted)[:2, 0])
    with pytest.raises(ValueError, match="1-D"):
        getattr(ops, f"segment_{name}")(x, [ids])


def test_top_k() -> None:
    values, indices = ops.top_k([[1.0, 5.0, 3.0, 5.0]], 3)
    same(values, [[5, 5, 3]])
    same(indices, [[1, 3, 2]])
    scores = np.array([[0.1, 0.9, 0.5], [0.2, 0.2, 0.1]], np.float32)
    same(ops.in_top_k([2, 1], scores, 1), [False, True])  # a tie counts
    same(ops.in_top_k([2, 2], scores, 2), [True, False])
    same(ops.in_top_k([5, 0], scores, 3), [False, True])
    same(ops.in_top_k([0, 0], np.array([[math.inf, 0], [math.nan, 0]]), 1), [False, False])


def test_casts() -> None:
    same(ops.saturate_cast([-300.0, 1.7, 1e10], "uint8"), [0, 1, 255])
    same(ops.saturate_cast([-(2**31), 2**31 - 1, 7], "int8"), [-128, 127, 7])
    same(ops.saturate_cast([3e38, -3e38, 1e10], "int32"), [2**31 - 1, -(2**31), 2**31 - 1])
    assert ops.saturate_cast([1e30], "float16").dtype == "float16"
    assert np.isfinite(np.asarray(ops.saturate_cast([1e30], "float16"))).all()
    same(ops.cast([0.5, 0.0, -1.0], "bool"), [True, False, True])
    same(ops.cast([True, False], "float32"), [1.0, 0.0])
    assert ops.cast([1.0], "float64").dtype == "float32"


def test_conversion() -> None:
    assert ops.convert_to_tensor([1, 2]).dtype == "int32"
    assert ops.convert_to_tensor([1.0]).dtype == "float32"
    assert ops.convert_to_tensor(np.array([1])).dtype == "int64"
    assert ops.convert_to_tensor([True]).dtype == "bool"
    assert ops.convert_to_tensor(keras.Variable([1.0])).dtype == "float32"
    assert isinstance(ops.convert_to_numpy([1.0]), np.ndarray)
    assert ops.is_tensor(ops.ones(1))
    assert not ops.is_tensor(np.ones(1))
    with pytest.raises(ValueError, match="known"):
        traced(lambda x: ops.convert_to_numpy(x), X)
    for wrong in ([[1, 2], [3]], ["a"], [object()]):
        with pytest.raises(ValueError):
            ops.convert_to_tensor(wrong)


def test_other_functions() -> None:
    same(ops.rsqrt([4.0]), [0.5])
    same(ops.divide_no_nan([1.0, 0.0, 3.0], [0.0, 0.0, 2.0]), [0, 0, 1.5])
    points = np.linspace(-4, 8, 97).astype(np.float32)
    wanted = np.array([math.erfc(v) for v in points])
    np.testing.assert_allclose(np.asarray(ops.erfc(points)), wanted, rtol=2e-5)  # of e**-64 too
    np.testing.assert_allclose(np.asarray(ops.erfc(points[:40])), wanted[:40], rtol=1e-6)
    same(ops.extract_sequences(X, 3, 2), np.stack([X[:, 0:3], X[:, 2:5]], 1))
    distances = np.sqrt(((X[:, None] - X[None]) ** 2).sum(-1))
    np.testing.assert_allclose(np.asarray(ops.cdist(X, X)), distances, rtol=1e-6)
    assert float(ops.psnr([0.0, 0.0], [1.0, 1.0], 10.0)) == pytest.approx(20.0)
    assert ops.empty((2, 3), "int32").shape == (2, 3)
    same(ops.get_item(X, (slice(1, 3), -1)), X[1:3, -1])
    same(ops.cross([1.0, 2.0], [3.0, 4.0]), -2.0)
    with pytest.raises(ValueError, match="fit"):
        ops.extract_sequences(X, 7, 1)


def test_stop_gradient() -> None:
    with Trace() as trace:
        x = trace.input((3,), "float32")
        (gradient,) = trace.gradient(ops.sum(x * ops.stop_gradient(x)), [x])
        assert gradient is not None
        program = trace.compile([gradient])
    same(program(np.array([1.0, 2.0, 3.0], np.float32))[0], [1, 2, 3])


def test_eager_gradient() -> None:
    v = keras.Variable([1.0, 2.0])
    with Tape() as tape:
        loss = ops.sum(ops.exp(v) * 2.0)
    (gradient,) = tape.gradient(loss, [v])
    np.testing.assert_allclose(np.asarray(gradient), 2 * np.exp([1.0, 2.0]), rtol=1e-6)


def test_functional_shapes() -> None:
    a, b = keras.KerasTensor((None, 3)), keras.KerasTensor((2, None))
    assert ops.add(a, b).shape == (2, 3)
    assert ops.where(a > 0, a, 0.0).shape == (None, 3)
    assert ops.matmul(a, keras.KerasTensor((3, 5))).shape == (None, 5)
    assert ops.equal(a, 1.0).dtype == "bool"
    assert ops.reshape(a, (3, 2)).shape == (3, 2)
    assert ops.reshape(a, (-1, 1)).shape == (None, 1)
    with pytest.raises(ValueError, match="broadcast"):
        ops.add(keras.KerasTensor((2, 3)), keras.KerasTensor((None, 4)))


def test_every_function_is_tested() -> None:
    text = "".join(p.read_text() for p in Path(__file__).parent.glob("test_*.py"))
    words = set(re.findall(r"\w+", text)) | {"segment_" + n for n in ("sum", "prod", "max", "min")}
    assert sorted(n for n in ops.__all__ if n not in words) == []
