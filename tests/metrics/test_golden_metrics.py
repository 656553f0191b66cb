"""Metrics against the numbers of Keras (tests/golden/make_metrics.py), eager and traced."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import pronghorn as keras
from pronghorn.trace import Trace

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))

import metric_cases  # noqa: E402

NAMES = [case[0] for case in metric_cases.cases(keras.metrics)]
# Sums of 200 values, and ratios of them: a few hundred roundings of float32.
TOLERANCE = 300 * np.finfo("float32").eps


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN / "metrics.npz") as numbers:
        return dict(numbers)


def test_all_cases_give_the_numbers_of_keras(golden) -> None:
    found = metric_cases.results(keras.metrics)
    assert set(found) == set(golden) - {"keras_version"}
    for name, value in found.items():
        assert value.shape == golden[name].shape, name
        np.testing.assert_allclose(
            value, golden[name], rtol=TOLERANCE, atol=TOLERANCE, err_msg=name
        )


@pytest.mark.parametrize("name", NAMES)
def test_traced_updates_equal_eager_ones(name: str) -> None:
    pairs = [next(c for c in metric_cases.cases(keras.metrics) if c[0] == name) for _ in range(2)]
    (_, eager, y_true, y_pred), (_, traced, _, _) = pairs
    with Trace() as trace:
        y_t = trace.input(y_true.shape, y_true.dtype.name)
        y_p = trace.input(y_pred.shape, y_pred.dtype.name)
        weight = trace.input((50,), "float32")
        traced.update_state(y_t, y_p, sample_weight=weight)
        program = trace.compile([])
    for _ in range(2):
        eager.update_state(y_true, y_pred, sample_weight=metric_cases.WEIGHTS)
        program(y_true, np.ascontiguousarray(y_pred), metric_cases.WEIGHTS)
    expected = np.asarray(eager.result())
    np.testing.assert_allclose(
        np.asarray(traced.result()), expected, rtol=TOLERANCE, atol=TOLERANCE
    )
