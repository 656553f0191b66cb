"""Networks of `keras.applications` with random weights: files of Keras give its predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pronghorn as keras

pytest.importorskip("h5py")
from keras_process import keras_process  # noqa: E402, F401  (a fixture)

NAMES = [
    "ResNet50",
    "ResNet50V2",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Small",
    "EfficientNetB0",
    "EfficientNetV2B0",
    "VGG16",
    "DenseNet121",
    "Xception",
    "InceptionV3",
    "InceptionResNetV2",
    "NASNetMobile",
    "ConvNeXtTiny",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_predictions(name: str, keras_process: Any, tmp_path) -> None:  # noqa: F811
    path = tmp_path / "model"
    found = keras_process.ask("application", name, path, tmp_path / "out.npz")
    # Errors of the layers add up: each of some hundred makes a few roundings of its inputs.
    atol = 2.0**-23 * 2048 * float(np.max(np.abs(found["y"])))
    models = {}
    for ending in (".keras", ".h5"):
        model = models[ending] = keras.saving.load_model(f"{path}{ending}")
        y = model.predict(found["x"], verbose=0)
        np.testing.assert_allclose(y, found["y"], rtol=0, atol=atol, err_msg=ending)
    model = models[".keras"]
    weights = model.get_weights()
    model.set_weights([w * 0 for w in weights])
    model.load_weights(f"{path}.weights.h5")
    for w, expected in zip(model.get_weights(), weights):
        np.testing.assert_array_equal(w, expected)
