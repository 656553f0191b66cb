"""Recurrent models against the numbers of Keras 3.15 in rnn.npz."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
from rnn_cases import CASES, STEPS, RnnCase

import pronghorn

GOLDEN = np.load(pathlib.Path(__file__).with_name("rnn.npz"))
EPSILON = 2.0**-23


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_model_gives_the_numbers_of_keras(case: RnnCase) -> None:
    for key, value in case.run(pronghorn).items():
        expected = GOLDEN[f"{case.name}/{key}"]
        scale = max(float(np.max(np.abs(expected), initial=0.0)), 1.0)
        # Errors of a step are carried through the sequence and through the training steps.
        length = case.shape[1] * (1 if key.startswith("y") else STEPS)
        atol = 16 * EPSILON * length * scale
        np.testing.assert_allclose(value, expected, rtol=0, atol=atol, err_msg=key)


def test_every_stored_array_belongs_to_a_case() -> None:
    assert {key.split("/")[0] for key in GOLDEN.files} == {case.name for case in CASES}
