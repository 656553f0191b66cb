"""What this library writes as ONNX it reads again, with equal predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agreement import compare

import pronghorn as keras
from pronghorn import layers


def image_network() -> Any:
    x = keras.Input((12, 11, 3))
    y = layers.Conv2D(6, 3, padding="same", use_bias=False)(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.Add()([y, layers.SeparableConv2D(6, 3, padding="same", activation="swish")(y)])
    scale = layers.Reshape((1, 1, 6))(layers.GlobalAveragePooling2D()(y))
    y = layers.Multiply()([y, layers.Conv2D(6, 1, activation="sigmoid")(scale)])
    y = layers.Conv2DTranspose(3, 3, strides=2)(layers.MaxPooling2D(2)(y))
    return keras.Model(x, layers.Dense(4, "softmax")(layers.Flatten()(y)))


def sequence_network() -> Any:
    x = keras.Input((None, 5))
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)
    y = layers.LayerNormalization()(layers.GRU(6, return_sequences=True)(y))
    y = layers.Add()([y, layers.MultiHeadAttention(2, 3)(y, y)])
    return keras.Model(x, layers.SimpleRNN(3)(y))


@pytest.mark.parametrize("make, shape", [(image_network, (12, 11, 3)), (sequence_network, (7, 5))])
def test_what_is_written_is_read(make: Any, shape: tuple[int, ...], tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model, path = make(), tmp_path / "m.onnx"
    model.export(path, verbose=False)
    again = keras.saving.load_model(path)
    x = np.random.default_rng(0).standard_normal((3, *shape)).astype("float32")
    compare(keras.tree.flatten(again.predict(x, verbose=0))[0], model.predict(x, verbose=0))
    again.export(path, verbose=False)
    third = keras.onnx.import_model(path)
    compare(keras.tree.flatten(third.predict(x, verbose=0))[0], model.predict(x, verbose=0))
