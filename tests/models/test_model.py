"""Subclassed models, clones and copies."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers


class Net(keras.Model):
    """Two dense layers."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(units)
        self.rest = [layers.Dropout(0.5), layers.Dense(2)]

    def call(self, x, training=False):
        x = self.first(x)
        for layer in self.rest:
            x = layer(x, training=training) if isinstance(layer, layers.Dropout) else layer(x)
        return x


def functional():
    x = keras.Input((4,))
    y = layers.Dense(3, activation="relu")(x)
    return keras.Model(x, [layers.Dense(2)(y), y * 2.0])


def sequential():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.BatchNormalization()])


def subclassed():
    model = Net()
    model.build((None, 4))
    return model


MAKERS = [functional, sequential, subclassed]
DATA = np.random.default_rng(1).normal(size=(5, 4)).astype("float32")


def outputs(model):
    return [np.asarray(x) for x in keras.tree.flatten(model(DATA))]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies(make, duplicate):
    model = make()
    other = duplicate(model)
    for a, b in zip(outputs(model), outputs(other)):
        np.testing.assert_array_equal(a, b)
    assert not {id(w) for w in model.weights} & {id(w) for w in other.weights}
    other.set_weights([np.zeros_like(w) for w in other.get_weights()])
    assert any(np.any(x) for x in outputs(model))


@pytest.mark.parametrize("make", [functional, sequential])
def test_copies_of_compiled_models_train(make):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)]) if make is sequential else make()
    targets = [np.zeros((5, 2), "float32"), np.zeros((5, 3), "float32")]
    y = np.zeros((5, 1), "float32") if make is sequential else targets
    model.compile("adam", "mse")
    model.fit(DATA, y, verbose=0)
    other = pickle.loads(pickle.dumps(model))
    assert int(other.optimizer.iterations) == 1
    first = model.fit(DATA, y, verbose=0, shuffle=False).history["loss"]
    second = other.fit(DATA, y, verbose=0, shuffle=False).history["loss"]
    assert first == second


@pytest.mark.parametrize("make", MAKERS)
def test_clones_have_fresh_weights(make):
    model = make()
    clone = keras.models.clone_model(model)
    clone(DATA)
    assert type(clone) is type(model)
    clone.set_weights(model.get_weights())
    for a, b in zip(outputs(model), outputs(clone)):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert not {id(w) for w in model.weights} & {id(w) for w in clone.weights}


def test_clone_arguments():
    model = functional()

    def to_linear(layer):
        config = layer.get_config()
        if "activation" in config:
            config["activation"] = "linear"
        return type(layer).from_config(config)

    clone = keras.models.clone_model(model, clone_function=to_linear)
    assert clone.layers[1].activation is keras.activations.linear
    x = keras.Input((4,), name="fresh")
    assert keras.models.clone_model(model, input_tensors=x).input_names == ["fresh"]
    with pytest.raises(ValueError, match="only supported for Sequential and"):
        keras.models.clone_model(Net(), clone_function=to_linear)
    with pytest.raises(ValueError, match="not supported with Sequential"):
        keras.models.clone_model(sequential(), call_function=lambda layer, *a, **k: layer(*a, **k))


def test_subclass_builds_by_tracing():
    model = Net(units=6)
    model.build((None, 4))
    assert [w.shape for w in model.weights] == [(4, 6), (6,), (6, 2), (2,)]
    assert model.get_build_config() == {"input_shape": (None, 4)}
    assert model.layers == [model.first, *model.rest]
    other = Net.from_config(json.loads(json.dumps(model.get_config())))
    assert other.first.units == 6
    other.build_from_config(model.get_build_config())
    other.set_weights(model.get_weights())
    np.testing.assert_array_equal(model(DATA), other(DATA))


def test_subclass_without_call():
    class Empty(keras.Model):
        pass

    with pytest.raises(NotImplementedError, match="does not have a `call"):
        Empty()(DATA)


def test_model_from_json():
    model = functional()
    other = keras.models.model_from_json(model.to_json())
    other.set_weights(model.get_weights())
    for a, b in zip(outputs(model), outputs(other)):
        np.testing.assert_array_equal(a, b)
    text = json.loads(model.to_json())
    assert text["class_name"] == "Functional"
    assert text["module"] == "keras.src.models.functional"
    assert text["config"]["layers"][1]["module"] == "keras.layers"
    node = text["config"]["layers"][1]["inbound_nodes"][0]
    assert node["args"][0]["class_name"] == "__keras_tensor__"


def test_dtype_policies_of_models():
    policy = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        model = sequential()
        assert model(DATA).dtype == "bfloat16"
        assert all(w.dtype == "float32" for w in model.weights)
        x = keras.Input((4,))
        assert len(keras.Model(x, layers.Dense(2)(x)).operations) == 2
    finally:
        keras.config.set_dtype_policy(policy)


def test_dtype_policy_map():
    policies = keras.dtype_policies.DTypePolicyMap("float32", {".*/small": "bfloat16"})
    assert policies["net/small"].name == "bfloat16"
    assert policies["net/other"].name == "float32"
    again = keras.dtype_policies.deserialize(keras.dtype_policies.serialize(policies))
    assert again == policies
    with pytest.raises(ValueError, match="Cannot convert"):
        keras.dtype_policies.get("mixed_float15")
