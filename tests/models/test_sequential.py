"""Sequential: building now or later, adding and removing layers, configs."""

from __future__ import annotations

import json

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers


def test_built_with_an_input():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    assert model.built
    assert len(model.layers) == 2
    assert (model.input_shape, model.output_shape) == ((None, 4), (None, 2))
    assert [w.path for w in model.weights][0] == f"{model.name}/{model.layers[0].name}/kernel"
    assert model(np.ones((3, 4))).shape == (3, 2)
    assert model.compute_output_shape((5, 4)) == (5, 2)


def test_built_when_called():
    model = keras.Sequential()
    model.add(layers.Dense(3))
    model.add(layers.Dense(2))
    assert not model.built
    assert model.weights == []
    with pytest.raises(AttributeError, match="no defined output shape yet"):
        _ = model.output_shape
    assert model(np.ones((3, 4))).shape == (3, 2)
    assert model.built
    assert model.output_shape == (3, 2)
    assert len(model.weights) == 4


def test_build_with_a_shape():
    model = keras.Sequential([layers.Dense(3)])
    model.build((None, 4))
    assert model.built
    empty = keras.Sequential()
    with pytest.raises(ValueError, match="has no layers"):
        empty.build((None, 4))


def test_add_and_pop():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    removed = model.pop()
    assert removed.units == 3
    assert model.layers == []
    model.add(layers.Dense(5))
    model.add(layers.Activation("relu"))
    assert model.output_shape == (None, 5)
    assert len(model.weights) == 2
    model.pop()
    assert model.output_shape == (None, 5)


def test_errors():
    with pytest.raises(ValueError, match="Only instances of `keras.Layer`"):
        keras.Sequential([3])
    with pytest.raises(ValueError, match="should have unique names"):
        keras.Sequential([layers.Dense(1, name="a"), layers.Dense(1, name="a")])
    with pytest.raises(ValueError, match="already been configured to use input shape"):
        keras.Sequential([keras.Input((4,)), keras.Input((4,))])
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    with pytest.raises(ValueError, match="shape"):
        model(np.ones((2, 7)))
    with pytest.raises(AttributeError, match="reserved"):
        model.layers = []

    class Two(layers.Layer):
        def call(self, a, b):
            return a + b

    with pytest.raises(ValueError, match="multiple positional arguments"):
        keras.Sequential([keras.Input((4,)), Two()])


@pytest.mark.parametrize("build", [True, False])
def test_config_round_trip(build):
    model = keras.Sequential(
        [layers.Conv2D(2, 3, activation="relu"), layers.Flatten(), layers.Dense(2)], name="net"
    )
    if build:
        model.build((None, 5, 5, 1))
    config = json.loads(json.dumps(model.get_config()))
    other = keras.Sequential.from_config(config)
    assert other.name == "net"
    assert other.built == build
    data = np.random.default_rng(0).normal(size=(2, 5, 5, 1)).astype("float32")
    model(data)
    other(data)
    other.set_weights(model.get_weights())
    np.testing.assert_array_equal(model(data), other(data))


def test_models_as_layers():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    outer = keras.Sequential([inner, layers.Dense(2)])
    assert outer.built
    assert outer.input_shape == (None, 4)
    assert outer(np.ones((1, 4))).shape == (1, 2)
    deferred = keras.Sequential([keras.Sequential([layers.Dense(3)]), layers.Dense(2)])
    assert deferred(np.ones((1, 4))).shape == (1, 2)
    assert len(deferred.weights) == 4


def test_structured_outputs_and_masks_without_a_graph():
    class Split(layers.Layer):
        def call(self, x):
            return {"a": x, "b": x * 2.0}

    model = keras.Sequential([keras.Input((2,)), Split()])
    out = model(np.ones((1, 2)))
    np.testing.assert_array_equal(out["b"], [[2.0, 2.0]])

    masked = keras.Sequential([layers.Masking(), layers.Dense(2)])
    out = masked(np.zeros((1, 3, 2), "float32"))
    np.testing.assert_array_equal(out._keras_mask, [[False] * 3])


def test_input_shape_argument_of_the_first_layer():
    with pytest.warns(UserWarning, match="Do not pass an `input_shape`"):
        model = keras.Sequential([layers.Dense(3, input_shape=(4,)), layers.Dense(2)])
    assert model.input_shape == (None, 4)


def test_a_shape_that_does_not_fit_is_forgotten() -> None:
    model = keras.Sequential([keras.layers.Conv2D(3, 3), keras.layers.Flatten()])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="expected rank 4"):
        model.fit(np.ones((4, 9), "float32"), np.ones((4, 3)), verbose=0)
    assert not model.built
    model.fit(np.ones((4, 3, 3, 1), "float32"), np.ones((4, 3)), verbose=0)
    assert model.built
