"""Every test of this folder starts from the same seed, so that random weights do not vary."""

from __future__ import annotations

import pytest

import pronghorn as keras


@pytest.fixture(autouse=True)
def same_seed() -> None:
    keras.utils.set_random_seed(0)
