"""Loss curves of ten steps against Keras's (tests/golden/make_curves.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import pronghorn as keras

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))

import curve_models  # noqa: E402

EPSILON = {"mixed_bfloat16": 2.0**-8, "mixed_float16": 2.0**-11}  # rounding of an activation

# Sums of up to 150 products a layer, over ten steps that feed into each other.
TOLERANCE = 64 * np.finfo("float32").eps


@pytest.mark.parametrize("name", curve_models.CASES)
def test_curve_is_that_of_keras(name: str) -> None:
    with np.load(GOLDEN / "curves.npz") as numbers:
        found = curve_models.curve(keras, name)
        keys = {key.split("/")[1] for key in numbers.files if key.startswith(f"{name}/")}
        assert set(found) == keys
        for key in keys:
            expected = numbers[f"{name}/{key}"]
            np.testing.assert_allclose(
                found[key], expected, rtol=TOLERANCE, atol=0, err_msg=f"{name} {key}"
            )


@pytest.mark.parametrize(("name", "policy"), curve_models.MIXED)
def test_mixed_precision_curve_is_near_that_of_keras(name: str, policy: str) -> None:
    """Rounded after other sums: losses within roundings, and a sample in a batch may fall over."""
    with np.load(GOLDEN / "curves.npz") as numbers:
        found = curve_models.curve(keras, name, policy)
        for key, values in found.items():
            expected = numbers[f"{name}-{policy}/{key}"]
            close = {"rtol": 3 * EPSILON[policy], "atol": 0.0}
            if "accuracy" in key:
                close = {"rtol": 0.0, "atol": 1 / 16 + 1e-6}
            np.testing.assert_allclose(values, expected, **close, err_msg=f"{name} {key}")
