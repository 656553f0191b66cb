"""Constructor signatures, default configs and flags of the layers are those of Keras 3.15."""

from __future__ import annotations

import json
import pathlib

import pytest
from make_layer_signatures import describe

from pronghorn import layers, saving

GOLDEN = json.loads(pathlib.Path(__file__).with_name("layer_signatures.json").read_text())


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_layer_has_keras_signature_and_config(name: str) -> None:
    assert json.loads(json.dumps(describe(layers, saving, name))) == GOLDEN[name]
