"""`.h5` files of Keras 2: old names and meanings, cuDNN's layers, and what is refused by name."""

from __future__ import annotations

import json

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers

h5py = pytest.importorskip("h5py")
RNG = np.random.default_rng(0)


def layer(class_name, name="a", **config):
    return {"class_name": class_name, "config": {"name": name, **config}}


def write(path, model_layers, weights, training=None, version="2.3.1"):
    """Writes a sequential model as Keras 2 does; `weights`: arrays for each name of a layer."""
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": model_layers}}
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = version
        file.attrs["model_config"] = json.dumps(config).encode()
        if training is not None:
            file.attrs["training_config"] = json.dumps(training).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [n.encode() for n in weights]
        for name, arrays in weights.items():
            own = group.create_group(name)
            own.attrs["weight_names"] = [f"{name}/w{i}:0".encode() for i in range(len(arrays))]
            for i, array in enumerate(arrays):
                own[f"{name}/w{i}:0"] = array
    return path


def dense(name="a", units=2, **config):
    return layer("Dense", name, units=units, batch_input_shape=[None, 3], **config)


KERNEL, BIAS = RNG.normal(size=(3, 2)).astype("float32"), np.array([0.1, 0.2], "float32")
X = RNG.normal(size=(4, 3)).astype("float32")


def test_shape_beside_the_first_layer(tmp_path) -> None:
    path = write(tmp_path / "a.h5", [dense(activation="relu")], {"a": [KERNEL, BIAS]})
    model = keras.saving.load_model(path)
    assert model.input_shape == (None, 3)
    np.testing.assert_allclose(model.predict(X), np.maximum(X @ KERNEL + BIAS, 0), rtol=1e-5)


def test_hard_sigmoid_had_another_slope(tmp_path) -> None:
    path = write(tmp_path / "a.h5", [dense(activation="hard_sigmoid")], {"a": [KERNEL, BIAS]})
    model = keras.saving.load_model(path)
    expected = np.clip(0.2 * (X @ KERNEL + BIAS) + 0.5, 0, 1)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5)
    model.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_old_names(tmp_path) -> None:
    rest = [
        layer("LeakyReLU", "b", alpha=0.25),
        layer("ThresholdedReLU", "c", theta=0.5),
        layer("BatchNormalization", "d", axis=[1], fused=None, renorm=False),
    ]
    ones, zeros = np.ones(2, "float32"), np.zeros(2, "float32")
    weights = {"a": [KERNEL, BIAS], "d": [ones, zeros, zeros, ones]}
    training = {
        "loss": "mse",
        "metrics": ["mae"],
        "sample_weight_mode": None,
        "optimizer_config": {"class_name": "Adam", "config": {"lr": 0.02, "decay": 0.5}},
    }
    model = keras.saving.load_model(write(tmp_path / "a.h5", [dense(), *rest], weights, training))
    y = X @ KERNEL + BIAS
    y = np.where(y > 0, y, 0.25 * y)
    y = np.where(y > 0.5, y, 0) / np.sqrt(1 + model.layers[-1].epsilon)
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-5, atol=1e-6)
    rate = model.optimizer.get_config()["learning_rate"]
    assert rate["class_name"] == "InverseTimeDecay"
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02)
    model.fit(X, np.zeros((4, 2)), epochs=2, batch_size=4, verbose=0)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02 / (1 + 0.5 * 2))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_cudnn_layers(name, bidirectional, tmp_path) -> None:
    gates, units = {"LSTM": (4, 5), "GRU": (3, 5)}[name]
    plain = getattr(layers, name)(units, return_sequences=True)
    plain = layers.Bidirectional(plain) if bidirectional else plain
    expected = keras.Sequential([keras.Input((6, 3)), plain])
    expected.set_weights([RNG.normal(size=w.shape) for w in expected.get_weights()])
    stored = []
    weights = expected.get_weights()
    for i in range(0, len(weights), 3):
        kernel, recurrent, bias = weights[i : i + 3]
        # As cuDNN keeps them: each gate's matrix transposed in memory.
        parts = [p.T.reshape(p.shape) for p in np.hsplit(kernel, gates)]
        both = bias.reshape(2, -1) if name == "GRU" else np.stack([bias * 0.25, bias * 0.75])
        stored += [np.hstack(parts), np.hstack([p.T for p in np.hsplit(recurrent, gates)])]
        stored.append(both.reshape(-1))
    own = layer(f"CuDNN{name}", "r", units=units, return_sequences=True)
    if bidirectional:
        own = layer("Bidirectional", "r", layer=own, merge_mode="concat")
    own["config"]["batch_input_shape"] = [None, 6, 3]
    model = keras.saving.load_model(write(tmp_path / "a.h5", [own], {"r": stored}))
    x = RNG.normal(size=(2, 6, 3)).astype("float32")
    np.testing.assert_allclose(model.predict(x), expected.predict(x), rtol=1e-5, atol=1e-6)


def test_gru_of_before_reset_after(tmp_path) -> None:
    own = layer("GRU", "r", units=2, batch_input_shape=[None, 4, 3], implementation=1)
    weights = [RNG.normal(size=s).astype("float32") for s in ((3, 6), (2, 6), (6,))]
    model = keras.saving.load_model(write(tmp_path / "a.h5", [own], {"r": weights}))
    assert model.layers[0].reset_after is False


REFUSED = {
    "time_major": (
        layer("LSTM", "mine", units=2, time_major=True),
        "'mine' is refused.*time_major",
    ),
    "renorm": (layer("BatchNormalization", "mine", renorm=True), "'mine' is refused.*renorm"),
    "operation": (layer("TFOpLambda", "mine", function="math.erfinv"), "'mine'.*math.erfinv"),
    "lambda": (layer("Lambda", "mine", function=["4wEAAAA=", None, None]), "'mine'.*bytecode"),
    "argument": (layer("Dense", "mine", units=2, sparsity=0.5), "'mine'.*no argument 'sparsity'"),
    "inputs": (
        layer("InputLayer", "mine", batch_input_shape=[None, 3], ragged=True),
        "'mine'.*ragged",
    ),
}


@pytest.mark.parametrize(("own", "match"), REFUSED.values(), ids=REFUSED)
def test_refused_by_name(own, match, tmp_path) -> None:
    path = write(tmp_path / "a.h5", [dense(), own], {"a": [KERNEL, BIAS]})
    with pytest.raises(ValueError, match=match):
        keras.saving.load_model(path)


def test_unknown_layer(tmp_path) -> None:
    own = layer("LocallyConnected1D", "mine", filters=2)
    with pytest.raises(TypeError, match="Could not locate class 'LocallyConnected1D'"):
        keras.saving.load_model(write(tmp_path / "a.h5", [dense(), own], {"a": [KERNEL, BIAS]}))


def test_weights_that_do_not_fit(tmp_path) -> None:
    path = write(tmp_path / "a.h5", [dense()], {"a": [KERNEL.T, BIAS]})
    with pytest.raises(ValueError, match=r"layer 'a' expected weights of shapes \[\(3, 2\)"):
        keras.saving.load_model(path)
    path = write(tmp_path / "a.h5", [dense()], {})
    with pytest.raises(ValueError, match="1 layers with weights, the file 0"):
        keras.saving.load_model(path)
    huge = write(tmp_path / "a.h5", [dense(units=10**10)], {"a": [KERNEL, BIAS]})
    with pytest.raises(ValueError, match="bytes of weights behind it"):
        keras.saving.load_model(huge)


def test_damaged_lists(tmp_path) -> None:
    path = write(tmp_path / "a.h5", [dense()], {"a": [KERNEL, BIAS]})
    with h5py.File(path, "r+") as file:
        file["model_weights"].attrs["layer_names"] = [b"a", b"missing"]
    with pytest.raises(ValueError, match="'missing' are missing"):
        keras.saving.load_model(path)
    with h5py.File(path, "r+") as file:
        del file.attrs["model_config"]
    with pytest.raises(ValueError, match="expected a whole model"):
        keras.saving.load_model(path)


def test_a_file_of_keras_3_keeps_its_meanings(tmp_path) -> None:
    own = dense(activation="hard_sigmoid")
    own["config"].pop("batch_input_shape")
    first = layer("InputLayer", "i", batch_shape=[None, 3], dtype="float32")
    path = write(tmp_path / "a.h5", [first, own], {"a": [KERNEL, BIAS]}, version="3.4.0")
    expected = np.clip((X @ KERNEL + BIAS) / 6 + 0.5, 0, 1)
    np.testing.assert_allclose(keras.saving.load_model(path).predict(X), expected, rtol=1e-5)
