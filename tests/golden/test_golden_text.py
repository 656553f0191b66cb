"""Layers for text and categories against the vocabularies and outputs of Keras in text.json."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
import pytest
from text_cases import results

from pronghorn import layers

GOLDEN = json.loads(pathlib.Path(__file__).with_name("text.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return dict(results(layers))


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_numbers_of_keras(found: dict[str, Any], name: str) -> None:
    if name.endswith("vocabulary"):
        assert found[name] == GOLDEN[name]
        return
    expected = np.array(GOLDEN[name])
    assert found[name].shape == expected.shape
    np.testing.assert_allclose(found[name], expected, rtol=1e-6)


def test_all_cases_have_numbers(found: dict[str, Any]) -> None:
    assert set(found) == set(GOLDEN)
