"""Products with weights that no run changes: packed once, in the form that their engine reads."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn
from pronghorn import _core, ops
from pronghorn.program import Program
from pronghorn.trace import Trace

SHAPES = [
    (1, 70, 40),
    (2, 129, 300),
    (9, 400, 500),
    (40, 300, 129),
    (130, 97, 641),
    (70, 10, 33),
    (8, 40, 5000),
]


def _program(shape: tuple[int, ...], dtype: str, w: pronghorn.Variable, transpose: bool) -> Program:
    with Trace() as trace:
        x = ops.cast(trace.input(shape, "float32"), dtype)
        kernel = ops.cast(trace.read(w), dtype)
        attrs = {"transpose_a": False, "transpose_b": transpose}
        y = ops.relu(_core.apply("matmul", [x, kernel], attrs) + ops.cast(3.0, dtype))
        return trace.compile([ops.cast(y, "float32")])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("m, n, k", SHAPES)
def test_kept_weights(dtype: str, transpose: bool, m: int, n: int, k: int) -> None:
    rng = np.random.default_rng(m)
    shapes = [(m, k), (2, m, k)]
    w = pronghorn.Variable(np.zeros((n, k) if transpose else (k, n), np.float32))
    programs = {shape: _program(shape, dtype, w, transpose) for shape in shapes}
    for _ in range(2):  # the kept form follows the weights
        values = rng.normal(size=w.shape).astype(np.float32)
        w.assign(values)
        for shape, program in programs.items():
            x = rng.normal(size=shape).astype(np.float32)
            rounded = [np.asarray(ops.cast(ops.cast(v, dtype), "float32")) for v in (x, values)]
            a, b = (v.astype(np.float64) for v in rounded)
            b = b.T if transpose else b
            exact = np.maximum(a @ b + 3, 0)
            bound = 2.0**-23 * k * (np.abs(a) @ np.abs(b) + 3).max()
            if dtype == "bfloat16":
                bound += 2.0**-8 * exact.max()
            found = np.asarray(program(x)[0])
            assert np.abs(found - exact).max() <= bound
            threads = _core.num_threads()
            for other in (1, 2, 3, 8):
                _core.set_num_threads(other)
                np.testing.assert_array_equal(found, np.asarray(program(x)[0]))
            _core.set_num_threads(threads)


def test_infinite_weights_that_are_kept() -> None:
    w = np.ones((128, 96), np.float32)
    w[3, 5], w[4, 6], w[7, 7] = np.inf, np.nan, 3.4e38
    program = _program((64, 128), "float32", pronghorn.Variable(w), False)
    x = np.ones((64, 128), np.float32)
    x[9, 7] = 2
    found = np.asarray(program(x)[0])
    assert np.isinf(found[:, 5]).all() and np.isnan(found[:, 6]).all()
    assert np.isinf(found[9, 7]) and np.isfinite(found[:9, 7]).all()
    assert np.isfinite(found[:, 8:]).all() and np.isfinite(found[:, :5]).all()
