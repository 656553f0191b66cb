"""Legacy `.h5` files that are written: they come back whole, and Keras opens them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers

h5py = pytest.importorskip("h5py")
RNG = np.random.default_rng(0)


@keras.saving.register_keras_serializable("legacy_tests")
class Scaled(layers.Layer):
    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.inner = layers.Dense(units)

    def build(self, input_shape):
        self.inner.build(input_shape)
        self.scale = self.add_weight(shape=(self.units,), name="scale")

    def call(self, x):
        return self.inner(x) * self.scale

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("legacy_tests")
def twice(x):
    return 2 * x


def branches():
    a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
    shared = layers.Dense(4, activation="tanh", name="shared")
    inner_input = keras.Input((4,))
    inner = layers.BatchNormalization()(layers.Dense(4)(inner_input))
    inner = keras.Model(inner_input, inner, name="inner")
    chain = keras.Sequential([layers.Dense(3), layers.LayerNormalization()], name="chain")
    x, y = inner(shared(a)), inner(shared(b))
    frozen = layers.Dense(2, trainable=False, name="frozen")
    model = keras.Model([a, b], [chain(layers.Add()([x, y])), frozen(y)])
    model.compile(keras.optimizers.Adam(0.02), ["mse", "mae"], metrics=["mae", "mse"])
    x = [RNG.random((6, 5), "float32"), RNG.random((6, 5), "float32")]
    return model, x, [np.ones((6, 3), "float32"), np.ones((6, 2), "float32")]


def sequences():
    model = keras.Sequential(
        [
            keras.Input((7,)),
            layers.Embedding(11, 4, mask_zero=True),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.RNN([layers.GRUCell(3), layers.LSTMCell(2)], return_sequences=True),
            layers.TimeDistributed(layers.Dense(4)),
            layers.GRU(3),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    optimizer = keras.optimizers.SGD(schedule, momentum=0.9)
    loss = keras.losses.BinaryCrossentropy(label_smoothing=0.1)
    model.compile(optimizer, loss, metrics=[keras.metrics.BinaryAccuracy(threshold=0.3)])
    return model, RNG.integers(1, 11, (6, 7)), RNG.integers(0, 2, (6, 1))


def custom():
    model = keras.Sequential([keras.Input((3,)), Scaled(4), layers.Dense(2, activation=twice)])
    model.compile("rmsprop", keras.losses.mean_squared_error)
    return model, RNG.random((6, 3), "float32"), np.ones((6, 2), "float32")


def dicts():
    a = keras.Input((8, 8, 3), name="a")
    x = layers.SeparableConv2D(4, 3, name="separable")(a)
    x = layers.Conv2DTranspose(3, 2, activation=layers.LeakyReLU(0.1))(x)
    model = keras.Model({"a": a}, {"y": layers.GlobalAveragePooling2D()(x)})
    model.compile(keras.optimizers.AdamW(0.01), {"y": "huber"})
    return model, {"a": RNG.random((4, 8, 8, 3), "float32")}, {"y": np.ones((4, 3), "float32")}


MODELS = [branches, sequences, custom, dicts]


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_training_goes_on(make, tmp_path) -> None:
    model, x, y = make()
    fit = {"epochs": 2, "batch_size": 2, "verbose": 0, "shuffle": False}
    model.fit(x, y, **fit)
    model.save(tmp_path / "a.h5")
    again = keras.saving.load_model(tmp_path / "a.h5")
    for found in (model, again):
        found.fit(x, y, **fit)
    pairs = zip(
        [*model.weights, *model.optimizer.variables], [*again.weights, *again.optimizer.variables]
    )
    for a, b in pairs:
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    other = make()[0]
    other.load_weights(tmp_path / "a.h5", skip_mismatch=False)


def test_layout(tmp_path) -> None:
    model, x, y = branches()
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "a.hdf5")
    with h5py.File(tmp_path / "a.hdf5") as file:
        config = json.loads(file.attrs["model_config"])
        training = json.loads(file.attrs["training_config"])
        assert file.attrs["keras_version"].startswith("3.")
        assert file.attrs["backend"] == "pronghorn"
        names = [n.decode() for n in file["model_weights"].attrs["layer_names"]]
        assert names == [layer.name for layer in model.layers]
        inner = file["model_weights/inner"].attrs["weight_names"]
        assert [n.decode().rpartition("/")[2] for n in inner] == [
            *("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
        ]
        assert file[f"model_weights/inner/{inner[0].decode()}"].shape == (4, 4)
        assert f"{model.optimizer.name}/iteration" in file["optimizer_weights"]
    assert set(config) == {"class_name", "config"}
    assert {"class_name", "config", "name", "inbound_nodes"} == set(config["config"]["layers"][3])
    assert training["loss"] == ["mean_squared_error", "mean_absolute_error"]
    assert training["optimizer_config"]["class_name"] == "Adam"


def test_without_the_optimizer(tmp_path) -> None:
    model = branches()[0]
    keras.saving.save_model(model, tmp_path / "a.h5", include_optimizer=False)
    with h5py.File(tmp_path / "a.h5") as file:
        assert "training_config" not in file.attrs and "optimizer_weights" not in file
    assert not keras.saving.load_model(tmp_path / "a.h5").compiled
    with pytest.raises(ValueError, match="left out of `.h5` files only"):
        model.save(tmp_path / "a.keras", include_optimizer=False)


def test_weights_of_the_model_itself_and_16_bits(tmp_path) -> None:
    pytest.importorskip("ml_dtypes", reason="pip install ml_dtypes")

    @keras.saving.register_keras_serializable("legacy_tests")
    class WithOwn(keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.extra = self.add_weight(shape=(2,), initializer="ones", name="extra")

    i = keras.Input((3,))
    model = WithOwn(i, layers.Dense(2, dtype="bfloat16")(i))
    model.extra.assign([3.0, 4.0])
    model.save(tmp_path / "a.h5")
    again = keras.saving.load_model(tmp_path / "a.h5")
    np.testing.assert_array_equal(again.extra.numpy(), [3, 4])
    for a, b in zip(model.weights, again.weights):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_loss_scale(tmp_path) -> None:
    inner = layers.Dense(2, dtype="mixed_float16")
    model = keras.Sequential([keras.Input((3,)), inner])
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), initial_scale=64.0)
    model.compile(optimizer, "mse")
    model.save(tmp_path / "a.h5")
    again = keras.saving.load_model(tmp_path / "a.h5").optimizer
    assert again.initial_scale == 64.0 and type(again.inner_optimizer).__name__ == "Adam"


def test_long_lists_of_names(tmp_path) -> None:
    chain = [layers.Dense(1, name="n" * 300 + str(i)) for i in range(300)]
    model = keras.Sequential([keras.Input((2,)), *chain])
    model.save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert "layer_names1" in file["model_weights"].attrs
    again = keras.saving.load_model(tmp_path / "a.h5")
    for a, b in zip(model.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(a, b)


def with_operation():
    i = keras.Input((3,))
    return keras.Model(i, keras.ops.exp(layers.Dense(2)(i)))


def dense():
    return keras.Sequential([keras.Input((3,)), layers.Dense(2, name="first"), layers.Dense(1)])


class WithFile(layers.Layer):
    def save_assets(self, folder):
        pass

    def call(self, x):
        return x


def with_assets():
    return keras.Sequential([keras.Input((3,)), WithFile(name="mine")])


def with_lora():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="adapted")])
    model.layers[0].enable_lora(1)
    return model


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (with_operation, r"the operation 'exp\w*' \(Exp\)"),
        (with_assets, "WithFile 'mine': `.h5` files have no place for its assets"),
        (with_lora, "'adapted' has a low-rank update"),
    ],
)
def test_no_place_for_it(make, match, tmp_path) -> None:
    (tmp_path / "a.h5").write_bytes(b"old")
    with pytest.raises(ValueError, match=match):
        make().save(tmp_path / "a.h5")
    assert (tmp_path / "a.h5").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_arguments(tmp_path) -> None:
    model = dense()
    for kwargs in ({"zipped": True}, {"zipped": False}, {"save_format": "h5"}):
        with pytest.raises(ValueError):
            model.save(tmp_path / "a.h5", **kwargs)
    model.save(tmp_path / "new" / "folders" / "a.h5")
    model.save(tmp_path / "a.h5")
    with pytest.raises(FileExistsError):
        model.save(tmp_path / "a.h5", overwrite=False)
    with pytest.raises(ValueError, match=r"must end in `.weights.h5`"):
        model.save_weights(tmp_path / "b.h5")
    with pytest.raises(ValueError, match="`save_weights`"):
        model.save(tmp_path / "b.weights.h5")


OPEN_WITH_KERAS = """
import os, sys
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import numpy as np, keras
folder = sys.argv[1]
@keras.saving.register_keras_serializable("legacy_tests")
class Scaled(keras.layers.Layer):
    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units, self.inner = units, keras.layers.Dense(units)
    def build(self, shape):
        self.inner.build(shape)
        self.scale = self.add_weight(shape=(self.units,), name="scale")
    def call(self, x):
        return self.inner(x) * self.scale
@keras.saving.register_keras_serializable("legacy_tests")
def twice(x):
    return 2 * x
for name in sys.argv[2:]:
    model = keras.saving.load_model(f"{folder}/{name}.h5")
    with np.load(f"{folder}/{name}.npz") as data:
        x = [data[f"x{i}"] for i in range(len(model.inputs))]
        found = keras.tree.flatten(model.predict(x if len(x) > 1 else x[0], verbose=0))
        for i, y in enumerate(found):
            np.testing.assert_allclose(y, data[f"y{i}"], rtol=2e-6, atol=2e-6)
    assert int(model.optimizer.iterations) == 3, name
    assert model.compiled
    model.save(f"{folder}/{name}-theirs.h5")
print("equal")
"""
WEIGHTS_WITH_TF_KERAS = """
import sys
import numpy as np, tf_keras as keras
layers, folder = keras.layers, sys.argv[1]
model = keras.Sequential([
    keras.Input((8,)),
    layers.Embedding(11, 4),
    layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
    layers.BatchNormalization(),
    layers.GRU(3),
    layers.Dense(2),
])
model.load_weights(f"{folder}/a.h5")
with np.load(f"{folder}/a.npz") as data:
    y = model.predict(data["x0"], verbose=0)
    np.testing.assert_allclose(y, data["y0"], rtol=2e-6, atol=2e-6)
print("equal")
"""


def _run(script, variable, module, *arguments):
    python = os.environ.get(variable, sys.executable)
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if subprocess.run([python, "-c", f"import {module}"], env=env, capture_output=True).returncode:
        pytest.skip(f"{variable} names no Python with {module}: pip install {module} tensorflow")
    found = subprocess.run(
        [python, "-c", script, *map(str, arguments)], env=env, capture_output=True, text=True
    )
    assert found.stdout.endswith("equal\n"), found.stderr[-3000:]


def _store(path, x, y) -> None:
    arrays = {f"x{i}": a for i, a in enumerate(keras.tree.flatten(x))}
    np.savez(path, **arrays, **{f"y{i}": a for i, a in enumerate(keras.tree.flatten(y))})


@pytest.mark.slow
def test_keras_opens_them(tmp_path) -> None:
    for make in MODELS:
        model, x, y = make()
        model.fit(
            x, y, batch_size=2 if len(keras.tree.flatten(x)[0]) == 6 else 1, steps_per_epoch=3
        )
        model.save(tmp_path / f"{make.__name__}.h5")
        _store(tmp_path / f"{make.__name__}.npz", x, model.predict(x, verbose=0))
    names = [make.__name__ for make in MODELS]
    _run(OPEN_WITH_KERAS, "PRONGHORN_KERAS", "keras", tmp_path, *names)
    for name in names:  # and Keras writes them back
        ours = keras.saving.load_model(tmp_path / f"{name}.h5").get_weights()
        theirs = keras.saving.load_model(tmp_path / f"{name}-theirs.h5").get_weights()
        for a, b in zip(ours, theirs):
            np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_tf_keras_reads_the_weights(tmp_path) -> None:
    """As of Keras 3's own files: it knows not all of the arguments in their configs."""
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Embedding(11, 4),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.BatchNormalization(),
            layers.GRU(3),
            layers.Dense(2),
        ]
    )
    model.set_weights([RNG.uniform(0.1, 0.9, w.shape) for w in model.get_weights()])
    x = RNG.integers(0, 11, (3, 8))
    model.save(tmp_path / "a.h5")
    _store(tmp_path / "a.npz", x, model.predict(x, verbose=0))
    _run(WEIGHTS_WITH_TF_KERAS, "PRONGHORN_TF_KERAS", "tf_keras", tmp_path)
