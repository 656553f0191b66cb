"""`.weights.h5`: round trips, Keras's layout, and files that do not fit."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers

h5py = pytest.importorskip("h5py")
X = np.random.default_rng(0).random((8, 6, 6, 2), "float32")


def network() -> keras.Model:
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(3, name="last")])
    inputs = keras.Input((6, 6, 2))
    x = layers.Conv2D(4, 3)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(2)(inner(x)))


def test_round_trip(tmp_path) -> None:
    model = network()
    model.compile("adam", "mse")
    model.fit(X, np.ones((8, 2)), verbose=0)
    model.save_weights(tmp_path / "a.weights.h5")
    other = network()
    other.load_weights(tmp_path / "a.weights.h5")
    for a, b in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(model.predict(X), other.predict(X))


def test_layout(tmp_path) -> None:
    network().save_weights(tmp_path / "a.weights.h5")
    shapes = {}
    with h5py.File(tmp_path / "a.weights.h5") as file:
        file.visititems(
            lambda name, item: shapes.update({name: item.shape}) if hasattr(item, "shape") else None
        )
        assert file["layers/sequential/layers/dense_1/vars"].attrs["name"] == "last"
    assert shapes == {
        "layers/conv2d/vars/0": (3, 3, 2, 4),
        "layers/conv2d/vars/1": (4,),
        **{f"layers/batch_normalization/vars/{i}": (4,) for i in range(4)},
        "layers/sequential/layers/dense/vars/0": (4, 3),
        "layers/sequential/layers/dense/vars/1": (3,),
        "layers/sequential/layers/dense_1/vars/0": (3, 3),
        "layers/sequential/layers/dense_1/vars/1": (3,),
        "layers/dense/vars/0": (3, 2),
        "layers/dense/vars/1": (2,),
    }


def test_attributes_of_subclasses(tmp_path) -> None:
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.parts = [layers.Dense(2), layers.Dense(3)]
            self.named = {"k": layers.Dense(2)}

        def build(self, shape):
            self.scale = self.add_weight(shape=(3,))

        def call(self, x):
            for part in [self.named["k"], *self.parts]:
                x = part(x)
            return x * self.scale

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = layers.Dense(4)
            self.block = Block()

        def call(self, x):
            return self.block(self.first(x))

    model, other = Net(), Net()
    x = np.ones((2, 5), "float32")
    model(x), other(x)
    model.save_weights(tmp_path / "a.weights.h5")
    other.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_array_equal(model(x).numpy(), other(x).numpy())
    with h5py.File(tmp_path / "a.weights.h5") as file:
        assert {"block/vars/0", "block/parts/dense_1/vars/0", "block/named/dense/vars/0"} <= set(
            _names(file)
        )


def _names(file) -> list[str]:
    names: list[str] = []
    file.visit(names.append)
    return names


def test_files_that_do_not_fit_change_nothing(tmp_path) -> None:
    path = tmp_path / "a.weights.h5"
    keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(5)]).save_weights(path)
    other = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"\(3, 2\).*\(3, 5\)"):
        other.load_weights(path)
    assert all(np.array_equal(a, b) for a, b in zip(before, other.get_weights()))
    other.load_weights(path, skip_mismatch=True)
    assert not np.array_equal(before[0], other.get_weights()[0])
    assert np.array_equal(before[2], other.get_weights()[2])


def test_bad_paths(tmp_path) -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    with pytest.raises(ValueError, match=r"\.weights\.h5"):
        model.save_weights(tmp_path / "a.h5")
    with pytest.raises(ValueError, match="built"):
        keras.Sequential([layers.Dense(3)]).save_weights(tmp_path / "a.weights.h5")
    model.save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(FileExistsError):
        model.save_weights(tmp_path / "a.weights.h5", overwrite=False)
