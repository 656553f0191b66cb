"""Layers that only networks of Keras's `applications` have: found by the names in their files."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import pronghorn as keras
from pronghorn.applications.convnext import LayerScale, StochasticDepth
from pronghorn.applications.inception_resnet_v2 import CustomScaleLayer

LAYERS = [LayerScale(0.5, 3), StochasticDepth(0.25), CustomScaleLayer(0.1)]


@pytest.mark.parametrize("with_module", [True, False])
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_configs(layer, with_module) -> None:
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    assert config["module"].startswith("keras.src.applications.")
    if not with_module:
        config["module"] = config["registered_name"] = None
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


def test_nothing_must_be_imported_before() -> None:
    config = {"init_values": 0.5, "projection_dim": 3}
    code = (
        "import pronghorn as keras; keras.saving.deserialize_keras_object({'module': "
        f"'keras.src.applications.convnext', 'class_name': 'LayerScale', 'config': {config}}})"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_values() -> None:
    x = np.arange(6, dtype="float32").reshape(2, 3)
    np.testing.assert_array_equal(LayerScale(0.5, 3)(x), x * 0.5)
    np.testing.assert_allclose(CustomScaleLayer(0.1)([x, x]), x * 1.1, rtol=2e-7)


def test_samples_are_dropped_as_a_whole() -> None:
    keras.utils.set_random_seed(0)
    layer = StochasticDepth(0.25)
    x = np.ones((4000, 3), "float32")
    np.testing.assert_array_equal(layer(x), x)
    y = np.asarray(layer(x, training=True))
    assert set(np.unique(y).tolist()) == {0.0, float(np.float32(1) / np.float32(0.75))}
    assert (y == y[:, :1]).all()
    # 4,000 draws: the share that is kept is 0.75 with a deviation of 0.0068.
    assert abs(float((y > 0).mean()) - 0.75) < 5 * 0.0068
