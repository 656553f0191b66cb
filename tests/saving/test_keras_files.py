"""`.keras` files: what is saved comes back, training goes on, and errors leave the old file."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers

pytest.importorskip("h5py")
RNG = np.random.default_rng(0)


def convolutions():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, RNG.random((8, 8, 8, 3), "float32"), RNG.integers(0, 3, 8)


def shared_and_many():
    a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
    shared = layers.Dense(4, activation="tanh")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.LayerNormalization()])
    x, y = inner(shared(a)), inner(shared(b))
    outputs = {"sum": layers.Add()([x, y]), "first": keras.ops.relu(x) * 2.0 + y[:, :4]}
    model = keras.Model({"a": a, "b": b}, outputs)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    model.compile(keras.optimizers.SGD(schedule, momentum=0.9), {"sum": "mse", "first": "mae"})
    data = {"a": RNG.random((6, 5), "float32"), "b": RNG.random((6, 5), "float32")}
    return model, data, {"sum": np.ones((6, 4), "float32"), "first": np.zeros((6, 4), "float32")}


def sequences():
    model = keras.Sequential(
        [
            keras.Input((7,)),
            layers.Embedding(11, 4, mask_zero=True),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.RNN([layers.GRUCell(3), layers.LSTMCell(2)], return_sequences=True),
            layers.TimeDistributed(layers.Dense(4)),
            layers.GRU(3),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.RMSprop(0.01, momentum=0.5), "mse")
    return model, RNG.integers(0, 11, (6, 7)), np.ones((6, 1), "float32")


def attention():
    x = keras.Input((6, 8))
    y = layers.MultiHeadAttention(2, 4)(x, x)
    y = layers.GroupQueryAttention(4, 2, 1)(y, y)
    y = layers.SpectralNormalization(layers.Dense(4))(y)
    model = keras.Model(x, layers.GlobalAveragePooling1D()(y))
    model.compile(keras.optimizers.AdamW(0.01), keras.losses.Huber(0.5))
    return model, RNG.random((4, 6, 8), "float32"), np.ones((4, 4), "float32")


MODELS = [convolutions, shared_and_many, sequences, attention]


def assert_equal(found, expected):
    for a, b in zip(keras.tree.flatten(found), keras.tree.flatten(expected)):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_training_goes_on_where_it_stopped(make, tmp_path) -> None:
    model, x, y = make()
    model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert_equal(loaded.predict(x), model.predict(x))
    assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations)
    for each in (model, loaded):
        each.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0)
    assert_equal(loaded.get_weights(), model.get_weights())
    assert loaded.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)


def test_members(tmp_path) -> None:
    model, _, _ = convolutions()
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert archive.testzip() is None
        assert {"config.json", "metadata.json", "model.weights.h5"} == set(archive.namelist())
        assert json.loads(archive.read("metadata.json"))["keras_version"].startswith("3.")
        config = json.loads(archive.read("config.json"))
    assert config["class_name"] == "Sequential" and config["module"] == "keras"
    assert config["compile_config"]["optimizer"]["class_name"] == "Adam"


def test_without_compiling(tmp_path) -> None:
    model, x, _ = convolutions()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert not loaded.compiled
    assert_equal(loaded.predict(x), model.predict(x))


class Scale(layers.Layer):
    """A custom layer with a weight of its own."""

    def __init__(self, start=1.0, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, shape):
        self.scale = self.add_weight((shape[-1],), keras.initializers.Constant(self.start))

    def call(self, x):
        return x * self.scale

    def get_config(self):
        return {**super().get_config(), "start": self.start}


def test_custom_objects(tmp_path) -> None:
    model = keras.Sequential([keras.Input((3,)), Scale(2.0), layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    with pytest.raises(TypeError, match="^Could not locate class 'Scale'"):
        keras.saving.load_model(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", custom_objects={"Scale": Scale})
    assert loaded.layers[0].start == 2.0
    assert_equal(loaded.get_weights(), model.get_weights())


class Parts(keras.Model):
    """Layers in lists of lists, and attributes that come after `layers` in the alphabet."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.all = [layers.Dense(3), [layers.Dense(3), (layers.Dense(3),)], {"a": layers.Dense(3)}]
        self.output_layer = layers.Dense(2)

    def call(self, x):
        first, (second, (third,)), named = self.all
        return self.output_layer(named["a"](third(second(first(x)))))


def test_layers_in_nested_lists(tmp_path) -> None:
    model = Parts()
    x = RNG.random((4, 3), "float32")
    model(x)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", custom_objects={"Parts": Parts})
    assert_equal(loaded.predict(x), model.predict(x))
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        weights = archive.read("model.weights.h5")
    # The groups of Keras 3.15.
    assert b"container" in weights and b"output_layer" not in weights


def test_a_layer_in_two_models(tmp_path) -> None:
    shared = keras.Sequential([keras.Input((4,)), layers.Dense(4)])
    a = keras.Input((4,))
    inner = keras.Model(a, shared(a) + 1)
    x = keras.Input((4,))
    model = keras.Model(x, inner(shared(x)))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert len(loaded.weights) == 2
    data = RNG.random((4, 4), "float32")
    assert_equal(loaded.predict(data), model.predict(data))


def test_weights_of_a_whole_file(tmp_path) -> None:
    model, x, y = convolutions()
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    other, _, _ = convolutions()
    other.load_weights(tmp_path / "model.keras")
    assert_equal(other.predict(x), model.predict(x))
    assert int(other.optimizer.iterations) == 1


def test_bfloat16_weights(tmp_path) -> None:
    pytest.importorskip("ml_dtypes", reason="pip install ml_dtypes")
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, dtype="bfloat16")])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.weights[0].dtype == "bfloat16"
    assert_equal([w.astype("float32") for w in loaded.get_weights()], model.get_weights())


def test_bad_arguments(tmp_path) -> None:
    model, _, _ = convolutions()
    with pytest.raises(ValueError, match=r"\.keras"):
        model.save(tmp_path / "model")
    with pytest.raises(FileNotFoundError, match="folder"):
        model.save(tmp_path / "nowhere" / "model.keras")
    with pytest.raises(ValueError, match="zipped"):
        model.save(tmp_path / "model.keras", zipped=False)
    with pytest.raises(ValueError, match="argument is deprecated"):
        model.save(tmp_path / "model.keras", save_format="tf")
    with pytest.raises(ValueError, match="File not found"):
        keras.saving.load_model(tmp_path / "model.keras")
    model.save(tmp_path / "model.keras")
    with pytest.raises(FileExistsError):
        model.save(tmp_path / "model.keras", overwrite=False)
    (tmp_path / "text.keras").write_text("no archive")
    with pytest.raises(ValueError, match="expected a `.keras` zip archive"):
        keras.saving.load_model(tmp_path / "text.keras")


def test_an_error_leaves_the_old_file(tmp_path) -> None:
    class Broken(Scale):
        def save_own_variables(self, store):
            raise RuntimeError("no more space")

    path = tmp_path / "model.keras"
    model = keras.Sequential([keras.Input((3,)), Broken()])
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="no more space"):
        model.save(path)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["model.keras"]
