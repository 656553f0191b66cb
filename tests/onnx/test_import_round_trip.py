"""Models that were exported, imported again: the same numbers, layers of the same kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agreement import onnx  # noqa: F401  (skips without it)
from made_files import numbers

import pronghorn as keras
from pronghorn import layers
from pronghorn.onnx import export_model, import_model


@pytest.fixture(autouse=True)
def _seed() -> None:
    keras.utils.set_random_seed(0)


def round_trip(model: Any, path: Path, *inputs: np.ndarray) -> Any:
    """Exports and imports a model, compares, also behind a `.keras` file; returns the import."""
    for variable in model.non_trainable_variables:
        if variable.dtype == "float32":
            variable.assign(np.random.default_rng(1).uniform(0.5, 1.5, variable.shape))
    export_model(model, path / "m.onnx")
    found = import_model(path / "m.onnx")
    given: Any = inputs[0] if len(inputs) == 1 else list(inputs)
    expected = keras.tree.flatten(model.predict(given, verbose=0))
    found.save(path / "m.keras")
    for again in (found, keras.saving.load_model(path / "m.keras")):
        got = keras.tree.flatten(again.predict(given, verbose=0))
        assert len(got) == len(expected)
        for a, b in zip(got, expected):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)
    return found


def kinds(model: Any) -> list[str]:
    return [type(layer).__name__ for layer in model.layers]


def test_perceptron(tmp_path: Path) -> None:
    x = keras.Input((6,), name="numbers")
    y = layers.Dense(8, "relu")(x)
    y = layers.BatchNormalization()(y)
    y = layers.Dropout(0.3)(y)
    model = keras.Model(x, layers.Dense(3, "softmax", name="classes")(y))
    found = round_trip(model, tmp_path, numbers(5, 6))
    assert kinds(found).count("Dense") == 2
    assert found.input_names == ["numbers"]


def test_network_of_convolutions(tmp_path: Path) -> None:
    x = keras.Input((16, 12, 3))
    y = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    z = layers.DepthwiseConv2D(3, padding="same", activation="swish")(y)
    y = layers.Concatenate()([layers.Add()([y, z]), z])
    y = layers.MaxPooling2D(2)(layers.ZeroPadding2D(1)(y))
    y = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(y)
    y = layers.AveragePooling2D(2, padding="same")(y)
    model = keras.Model(x, layers.Dense(5)(layers.GlobalAveragePooling2D()(y)))
    found = round_trip(model, tmp_path, numbers(5, 16, 12, 3))
    for kind in ("Conv2D", "DepthwiseConv2D", "Conv2DTranspose", "MaxPooling2D", "Dense"):
        assert kind in kinds(found)
    assert "Permute" not in kinds(found)  # channels are last outside, too
    assert found.input_shape == (None, 16, 12, 3)


@pytest.mark.parametrize("cls", [layers.LSTM, layers.GRU, layers.SimpleRNN])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_recurrent_layers(cls: Any, both: bool, sequences: bool, tmp_path: Path) -> None:
    layer = cls(5, return_sequences=sequences)
    layer = layers.Bidirectional(layer) if both else layer
    model = keras.Sequential([keras.Input((None, 4)), layer, layers.Dense(2)])
    found = round_trip(model, tmp_path, numbers(3, 7, 4))
    assert kinds(found).count(cls.__name__) == (2 if both else 1)  # exported one by one
    assert "Dense" in kinds(found)


def test_embedding_mask_and_lstm(tmp_path: Path) -> None:
    x = keras.Input((None,), dtype="int32")
    y = layers.Embedding(20, 6, mask_zero=True)(x)
    y = layers.Bidirectional(layers.GRU(4, return_sequences=True))(y)
    model = keras.Model(x, layers.Dense(2, "softmax")(layers.LSTM(5)(y)))
    ids = np.array([[1, 2, 3, 0, 0], [4, 0, 0, 0, 0], [5, 6, 7, 8, 9]], "int32")
    found = round_trip(model, tmp_path, ids)
    assert "Embedding" in kinds(found)
    assert "LSTM" in kinds(found)


@pytest.mark.parametrize("time", [7, None])
def test_transformer(time: int | None, tmp_path: Path) -> None:
    x = keras.Input((time,), dtype="int32")
    y = layers.Embedding(20, 8)(x)
    z = layers.MultiHeadAttention(2, 4)(layers.LayerNormalization()(y), y, use_causal_mask=True)
    y = layers.Add()([y, z])
    z = layers.Dense(8)(layers.Dense(16, "gelu")(layers.LayerNormalization()(y)))
    model = keras.Model(x, layers.Dense(20)(layers.Add()([y, z])))
    ids = np.random.default_rng(0).integers(0, 20, (3, 7)).astype("int32")
    found = round_trip(model, tmp_path, ids)
    assert kinds(found).count("LayerNormalization") == 2
    assert kinds(found).count("Dense") >= 4


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    a, b = keras.Input((4,), name="left"), keras.Input((3,), name="right")
    both = layers.Concatenate()([layers.Dense(5, "tanh")(a), layers.Dense(5, "elu")(b)])
    model = keras.Model([a, b], [layers.Dense(2, name="first")(both), layers.ReLU()(both)])
    found = round_trip(model, tmp_path, numbers(5, 4), numbers(5, 3, seed=1))
    assert found.input_names == ["left", "right"]
    found.compile("adam", "mean_squared_error")
    target = [numbers(5, 2), numbers(5, 10)]
    history = found.fit([numbers(5, 4), numbers(5, 3)], target, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize("mode", ["multi_hot", "count"])
def test_encoded_categories(mode: str, tmp_path: Path) -> None:
    # Sizes cast to int32, and a scatter into rows of an open number.
    x = keras.Input((4,), dtype="int32")
    model = keras.Model(x, layers.CategoryEncoding(5, output_mode=mode)(x))
    round_trip(model, tmp_path, np.random.default_rng(0).integers(0, 5, (7, 4)).astype("int32"))
