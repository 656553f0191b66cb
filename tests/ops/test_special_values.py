"""Infinities, not-a-numbers, zeros and huge numbers give what IEEE arithmetic and NumPy give."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from op_cases import elementwise
from pronghorn import _core, ops
from pronghorn.tensor import convert_to_tensor

VALUES = np.array(
    [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.5, -3.5, 88.0, -88.0, 1e10, -1e10, 1e38, -1e38]
    + [1e-30, -1e-30, math.inf, -math.inf, math.nan],
    np.float32,
)
UNARY: list[tuple[str, Callable[..., Any]]] = [
    *((name, reference) for name, reference, *_ in elementwise._FLOAT_UNARY),
    *elementwise._NUMBER_UNARY,
]
TINY = float(np.finfo(np.float32).tiny)
BINARY = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "power",
    "maximum",
    "minimum",
    "arctan2",
    "mod",
    "floor_divide",
    "equal",
    "not_equal",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
]
#: Where the reference formula itself is not exact at infinity; what the limit is instead.
LIMITS: dict[str, dict[float, float]] = {
    "silu": {math.inf: math.inf, -math.inf: math.nan, -88.0: 0.0, -1e10: 0.0, -1e38: 0.0},
    "gelu": {math.inf: math.inf, -math.inf: math.nan},
    "gelu_tanh": {math.inf: math.inf, -math.inf: math.nan},
    "erfinv": {
        1.0: math.inf,
        -1.0: -math.inf,
        0.0: 0.0,
        1e-30: 8.8622692e-31,
        -1e-30: -8.8622692e-31,
    },
}


def expected(name: str, reference: Callable[..., Any]) -> np.ndarray:
    with np.errstate(all="ignore"):
        wanted = np.asarray(reference(VALUES.astype(np.float64)), np.float64)
    for value, limit in LIMITS.get(name, {}).items():
        wanted[np.float32(value) == VALUES] = limit
    with np.errstate(all="ignore"):
        return wanted.astype(np.float32)  # what float32 cannot hold is infinite


def compare(got: np.ndarray, wanted: np.ndarray, shown: str) -> None:
    got, wanted = got.astype(np.float64), wanted.astype(np.float64)
    with np.errstate(all="ignore"):
        near = np.abs(got - wanted) <= 16 * 2.0**-23 * np.abs(wanted) + 1e-37
    same = near | (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    # just below the largest number rounding decides between it and infinity
    edge = np.isinf(wanted) & (np.abs(got) > 3.3e38)
    wrong = ~(same | edge)
    assert not wrong.any(), f"{shown}: got {got[wrong]}, wanted {wanted[wrong]}"


@pytest.mark.parametrize(("name", "reference"), UNARY, ids=[n for n, _ in UNARY])
def test_unary(name: str, reference: Callable[..., Any]) -> None:
    got = _core.apply(name, [convert_to_tensor(VALUES)], {}).numpy()
    wanted = expected(name, reference)
    if name.startswith("gelu"):  # a difference of almost equal numbers in the lower tail
        np.testing.assert_allclose(got[VALUES > -4], wanted[VALUES > -4], rtol=2e-6, atol=1e-6)
        tail = VALUES <= -4
        compare(got[tail], wanted[tail], name)
    else:
        compare(got, wanted, f"{name} of {VALUES}")
    # alone in a vector a number gives the same as among others (large angles beside it may make
    # the other numbers of a vector take the slower way too, which rounds differently)
    for i, x in enumerate(VALUES):
        one = _core.apply(name, [convert_to_tensor(np.array([x]))], {}).numpy()
        ulps = 2 if name in ("sin", "cos", "tan") else 0
        np.testing.assert_allclose(one[0], got[i], rtol=ulps * 2.0**-23, atol=0)


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    a, b = (g.reshape(-1) for g in np.meshgrid(VALUES, VALUES))
    if name in ("mod", "floor_divide"):  # quotients that float32 holds exactly
        keep = (np.abs(a) < 1e5) & (np.abs(b) < 1e5) & (np.abs(b) > 1e-5)
        a, b = a[keep], b[keep]
    got = _core.apply(name, [convert_to_tensor(a), convert_to_tensor(b)], {}).numpy()
    with np.errstate(all="ignore"):
        wanted = np.asarray(getattr(np, name)(a.astype(np.float64), b.astype(np.float64)))
        wanted = wanted.astype(np.float32)
    if name == "power":  # rounding of the exponent's product grows with the result's logarithm
        finite = np.isfinite(wanted) & (np.abs(wanted) >= TINY)  # subnormals are flushed
        logs = np.abs(np.log(np.abs(wanted.astype(np.float64)[finite])))
        gap = np.abs(got[finite].astype(np.float64) / wanted[finite] - 1)
        assert (gap <= 16 * 2.0**-23 * (1 + logs)).all()
        other = ~finite & ((wanted == 0) | ~np.isfinite(wanted))
        got, wanted = got[other], wanted[other]
    compare(got, wanted, name)


def test_reductions_and_softmax() -> None:
    x = np.array([[1.0, math.nan, 3.0], [math.inf, 1.0, 2.0], [-math.inf, 1.0, 2.0]], np.float32)
    with np.errstate(all="ignore"):
        for name in ("sum", "max", "min", "mean", "prod"):
            compare(getattr(ops, name)(x, 1).numpy(), getattr(np, name)(x, 1), name)
    assert ops.argmax(x, 1).numpy().tolist() == [1, 0, 2]
    masked = ops.softmax([[0.0, -math.inf], [-1e30, 0.0]]).numpy()
    assert masked.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert np.isnan(ops.softmax([[math.nan, 1.0]]).numpy()).all()
    compare(
        ops.logsumexp([[-math.inf, -math.inf], [math.inf, 0.0]], 1).numpy(),
        np.array([-math.inf, math.inf]),
        "logsumexp",
    )
    assert ops.sort([2.0, math.nan, -math.inf]).numpy()[:2].tolist() == [-math.inf, 2.0]


def test_sums_of_many_small_numbers() -> None:
    """A plain running sum in float32 would be off by percents."""
    n = 1 << 22
    x = np.full((n,), 0.1, np.float32)
    exact = n * float(np.float32(0.1))
    assert abs(float(ops.sum(x)) / exact - 1) < 1e-5
    assert abs(float(ops.mean(x)) / 0.1 - 1) < 1e-5
    assert float(ops.var(x + 1000.0)) < 1e-5  # (1000 eps)**2 is 1.4e-8, the mean rounds too
