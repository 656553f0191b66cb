"""The setting that keeps float32 products off AMX."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import pronghorn
from pronghorn import _core, config, layers, models, ops
from pronghorn.trace import Trace


@pytest.fixture(autouse=True)
def _restore() -> object:
    before = config.float32_precision()
    yield
    config.set_float32_precision(before)


def test_names() -> None:
    config.set_float32_precision("strict")
    assert config.float32_precision() == "strict"
    with pytest.raises(ValueError, match="expected 'default' or 'strict'. Received: value='fast'"):
        config.set_float32_precision("fast")
    assert config.float32_precision() == "strict"
    assert pronghorn.config.float32_precision is config.float32_precision


def _operands() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return (
        rng.normal(size=(256, 512)).astype(np.float32),
        rng.normal(size=(512, 384)).astype(np.float32),
    )


def test_compiled_programs_and_eager_ops_follow_a_change() -> None:
    a, b = _operands()
    with Trace() as trace:
        x = trace.input(a.shape, "float32")
        y = trace.input(b.shape, "float32")
        program = trace.compile([ops.matmul(x, y)])
    results = {}
    for precision in ("default", "strict", "default", "strict"):
        config.set_float32_precision(precision)
        compiled = np.asarray(program(a, b)[0])
        np.testing.assert_array_equal(compiled, np.asarray(ops.matmul(a, b)))
        if precision in results:
            np.testing.assert_array_equal(compiled, results[precision])
        results[precision] = compiled
        exact = a.astype(np.float64) @ b.astype(np.float64)
        assert np.abs(compiled - exact).max() <= 512 * 2.0**-23 * 6
    differ = bool((results["default"] != results["strict"]).any())
    assert differ == (_core.isa() == "avx512_amx")


def test_models_follow_a_change() -> None:
    model = models.Sequential([layers.Input((512,)), layers.Dense(384)])
    a, b = _operands()
    model.layers[0].set_weights([b, np.zeros(384, np.float32)])
    config.set_float32_precision("default")
    first = model.predict(a, batch_size=256, verbose=0)
    config.set_float32_precision("strict")
    second = model.predict(a, batch_size=256, verbose=0)
    np.testing.assert_array_equal(second, np.asarray(ops.matmul(a, b)))
    differ = bool((first != second).any())
    assert differ == (_core.isa() == "avx512_amx")


def test_a_variable_of_a_replanned_program_is_the_same() -> None:
    state = pronghorn.Variable(np.zeros((4,), np.float32))
    with Trace() as trace:
        x = trace.input((4,), "float32")
        state.assign_add(x)
        program = trace.compile([])
    for precision in ("default", "strict", "default"):
        config.set_float32_precision(precision)
        program(np.ones(4, np.float32))
    np.testing.assert_array_equal(np.asarray(state), np.full(4, 3.0, np.float32))


@pytest.mark.parametrize(("setting", "expected"), [("strict", "strict"), ("", "default")])
def test_the_environment_chooses(setting: str, expected: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import pronghorn; print(pronghorn.config.float32_precision())"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PRONGHORN_FP32": setting},
    )
    assert run.stdout.strip() == expected


def test_a_wrong_environment_is_an_error_of_the_import() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import pronghorn; pronghorn.Tensor"],
        capture_output=True,
        text=True,
        env={**os.environ, "PRONGHORN_FP32": "fast"},
    )
    assert run.returncode != 0
    assert "PRONGHORN_FP32: expected 'strict' or 'default'. Received: 'fast'." in run.stderr


@pytest.mark.parametrize("form", ["matmul", "conv"])
def test_what_is_left_of_cancelled_large_terms(form: str) -> None:
    """The part that remains is below what AMX keeps of it, and the result would be 0."""
    a = np.zeros((128, 128), np.float32)
    b = np.zeros((128, 128), np.float32)
    a[:, 0], a[:, 1] = 2.0**100, -(2.0**100)
    b[0], b[1] = 2.0**-110 * (1 + 2.0**-20), 2.0**-110
    if form == "matmul":
        found = ops.matmul(a, b)
    else:
        image, kernel = a.reshape(32, 2, 2, 128), b.reshape(1, 1, 128, 128)
        found = ops.conv(image, np.pad(kernel, [(1, 1), (1, 1), (0, 0), (0, 0)]), padding="same")
    np.testing.assert_allclose(found, np.full(found.shape, 2.0**-30), rtol=1e-6)
