"""Products of recurrent steps on AMX: numbers that bfloat16 parts cannot hold, and bfloat16."""

from __future__ import annotations

import numpy as np
import pytest

from pronghorn import _core, config
from pronghorn.ops import recurrent
from pronghorn.tensor import convert_to_tensor

UNITS = 128
BATCH = 32
TIME = 3


@pytest.fixture(autouse=True)
def _restore() -> object:
    before = config.float32_precision()
    yield
    config.set_float32_precision(before)


def _weights(rng: np.random.Generator) -> np.ndarray:
    return (rng.standard_normal((UNITS, UNITS)) / np.sqrt(UNITS)).astype(np.float32)


def _rnn(
    x: np.ndarray, u: np.ndarray, h: np.ndarray, precision: str, **options: bool
) -> np.ndarray:
    config.set_float32_precision(precision)
    y, _ = recurrent.simple_rnn(
        convert_to_tensor(x), convert_to_tensor(u), h, activation="linear", **options
    )
    return y.numpy()


def _exact(x: np.ndarray, u: np.ndarray, h: np.ndarray) -> np.ndarray:
    steps = []
    state = h.astype(np.float64)
    for t in range(x.shape[1]):
        state = x[:, t] + state @ u.astype(np.float64)
        steps.append(state)
    return np.stack(steps, axis=1)


@pytest.mark.parametrize("precision", ["default", "strict"])
@pytest.mark.parametrize("exponent", [-90, -60, 0, 60, 110])
def test_rows_of_any_size_are_float32_accurate(precision: str, exponent: int) -> None:
    rng = np.random.default_rng(exponent + 200)
    u = _weights(rng)
    h = rng.standard_normal((BATCH, UNITS)) * 2.0 ** (exponent + rng.integers(-9, 9, (BATCH, 1)))
    h = h.astype(np.float32)
    y = _rnn(np.zeros((BATCH, TIME, UNITS), np.float32), u, h, precision)
    exact = _exact(np.zeros_like(y), u, h)
    scale = np.abs(exact).max(axis=2, keepdims=True)
    assert (np.abs(y - exact) <= UNITS * TIME * 2.0**-23 * scale).all()


@pytest.mark.parametrize("factor", [2.0**-80, 0.0, 2.0**70])
def test_columns_of_any_size_are_float32_accurate(factor: float) -> None:
    rng = np.random.default_rng(1)
    u = _weights(rng)
    u[:, 5] *= np.float32(factor)
    h = rng.standard_normal((BATCH, UNITS)).astype(np.float32)
    x = np.zeros((BATCH, 1, UNITS), np.float32)
    exact = _exact(x, u, h)
    scale = np.abs(exact).max(axis=0, keepdims=True)
    y = _rnn(x, u, h, "default")
    assert (np.abs(y - exact) <= UNITS * 2.0**-23 * scale).all()


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("where", ["state", "weights", "sums"])
def test_what_is_not_finite_spreads_as_in_float32(value: float, where: str) -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((BATCH, TIME, UNITS)).astype(np.float32)
    u, h = _weights(rng), rng.standard_normal((BATCH, UNITS)).astype(np.float32)
    target = {"state": h[3], "weights": u[7], "sums": x[4, 1]}[where]
    target[11] = value
    expected = _rnn(x, u, h, "strict")
    got = _rnn(x, u, h, "default")
    np.testing.assert_array_equal(np.isfinite(got), np.isfinite(expected))
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    finite = np.isfinite(expected)
    np.testing.assert_allclose(got[finite], expected[finite], atol=UNITS * TIME * 2.0**-20)


def test_products_of_bfloat16_keep_a_float32_state() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((BATCH, TIME, UNITS)).astype(np.float32)
    u, h = _weights(rng), rng.standard_normal((BATCH, UNITS)).astype(np.float32)
    exact = _exact(x, u, h)
    got = _rnn(x, u, h, "default", bfloat16=True)
    error = np.abs(got - exact).max()
    assert error <= 2.0**-8 * UNITS**0.5 * TIME
    assert (error > 1e-4) == (_core.isa() == "avx512_amx")
    # The first step's rounding is that of the state and the weights alone.
    np.testing.assert_array_less(np.abs(got[:, 0] - exact[:, 0]).max(), 2.0**-5)
