"""Configs of objects: the form, registration, scopes, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import saving
from pronghorn.saving import deserialize_keras_object as deserialize
from pronghorn.saving import serialize_keras_object as serialize


class Plain:
    """A custom class that is not registered."""

    def __init__(self, a=1):
        self.a = a

    def get_config(self):
        return {"a": self.a}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def custom_function(x):
    return x


def _through_json(obj):
    return json.loads(json.dumps(serialize(obj)))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        1.5,
        "text",
        [1, [2.0, "x"]],
        {"a": {"b": None}},
        b"bytes",
        ...,
        slice(1, 5, 2),
    ],
)
def test_values(value):
    assert deserialize(_through_json(value)) == value


def test_arrays_and_tensors():
    array = np.arange(6, dtype="int32").reshape(2, 3)
    restored = deserialize(_through_json(array))
    assert isinstance(restored, np.ndarray)
    np.testing.assert_array_equal(restored, array)
    tensor = keras.ops.convert_to_tensor(array)
    restored = deserialize(_through_json(tensor))
    assert restored.dtype == "int32"
    np.testing.assert_array_equal(restored.numpy(), array)
    assert serialize(np.float32(0.5)) == 0.5


def test_form_of_a_built_in_object():
    assert serialize(keras.regularizers.L2(0.5)) == {
        "module": "keras.regularizers",
        "class_name": "L2",
        "config": {"l2": 0.5},
        "registered_name": None,
    }
    assert serialize(keras.activations.relu) == {
        "module": "builtins",
        "class_name": "function",
        "config": "relu",
        "registered_name": "function",
    }
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    assert serialize(schedule)["module"] == "keras.optimizers.schedules"


def test_configs_that_keras_wrote_are_read():
    config = {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {
            "name": "d",
            "trainable": True,
            "dtype": {
                "module": "keras",
                "class_name": "DTypePolicy",
                "config": {"name": "float32"},
                "registered_name": None,
            },
            "units": 3,
            "activation": "relu",
            "use_bias": True,
            "kernel_initializer": {
                "module": "keras.initializers",
                "class_name": "GlorotUniform",
                "config": {"seed": None},
                "registered_name": None,
            },
            "bias_initializer": {
                "module": "keras.initializers",
                "class_name": "Zeros",
                "config": {},
                "registered_name": None,
            },
            "kernel_regularizer": None,
            "bias_regularizer": None,
            "kernel_constraint": None,
            "bias_constraint": None,
        },
        "registered_name": None,
        "build_config": {"input_shape": [None, 4]},
    }
    layer = deserialize(config)
    assert isinstance(layer, keras.layers.Dense)
    assert layer.kernel.shape == (4, 3)
    again = serialize(layer)
    assert (again["module"], again["class_name"]) == ("keras.layers", "Dense")


def test_custom_objects():
    config = _through_json(Plain(5))
    assert config["class_name"] == "Plain" and config["registered_name"] == "Plain"
    with pytest.raises(TypeError, match=r"Could not locate class 'Plain'.*register"):
        deserialize(config)
    assert deserialize(config, custom_objects={"Plain": Plain}).a == 5
    with saving.CustomObjectScope({"Plain": Plain}):
        assert deserialize(config).a == 5
    function = _through_json(custom_function)
    with pytest.raises(TypeError, match="Could not locate function 'custom_function'"):
        deserialize(function)
    found = deserialize(function, custom_objects={"custom_function": custom_function})
    assert found is custom_function


def test_registration():
    @saving.register_keras_serializable("package", "Other")
    class Registered(Plain):
        pass

    @saving.register_keras_serializable("package")
    def registered_function(x):
        return x

    assert saving.get_registered_name(Registered) == "package>Other"
    assert saving.get_registered_object("package>Other") is Registered
    config = _through_json(Registered(7))
    assert (config["class_name"], config["registered_name"]) == ("Registered", "package>Other")
    assert deserialize(config).a == 7
    assert deserialize(_through_json(registered_function)) is registered_function
    with pytest.raises(ValueError, match="get_config"):
        saving.register_keras_serializable()(type("NoConfig", (), {}))
    with pytest.raises(ValueError, match="custom_objects"):
        saving.CustomObjectScope([1])


def test_scopes_are_of_one_thread():
    import threading

    seen = []
    with saving.CustomObjectScope({"Plain": Plain}):
        thread = threading.Thread(target=lambda: seen.append(saving.get_registered_object("Plain")))
        thread.start()
        thread.join()
        assert saving.get_registered_object("Plain") is Plain
    assert seen == [None]


def test_code_is_refused_unless_asked_for():
    config = _through_json(lambda x: x * 2)
    with pytest.raises(ValueError, match="arbitrary code execution"):
        deserialize(config)
    assert deserialize(config, safe_mode=False)(21) == 42
    with saving.SafeModeScope(False):
        assert deserialize(config)(21) == 42
    with saving.SafeModeScope(True), pytest.raises(ValueError, match="arbitrary code"):
        deserialize(config, safe_mode=False)


@pytest.mark.parametrize(
    "config",
    [
        {"module": "os", "class_name": "system", "config": {}, "registered_name": "system"},
        {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
        {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": None},
        {"module": "subprocess", "class_name": "Popen", "config": {"args": ["true"]}},
        {"module": "keras.src.os", "class_name": "system", "config": {}},
        {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "x"}},
        {"module": "keras.saving", "class_name": "deserialize_keras_object", "config": {}},
        {"module": "keras.layers", "class_name": "deserialize", "config": {}},
        {"module": "keras.layers", "class_name": "__class__", "config": {}},
        {"module": "keras.ops.np", "class_name": "load", "config": {"file": "x"}},
        {"module": "pronghorn.saving.lambda_code", "class_name": "load_function", "config": {}},
        {"module": "keras.src.saving.lambda_code", "class_name": "marshal", "config": {}},
    ],
)
def test_nothing_outside_of_the_library_is_reached(config):
    with pytest.raises((TypeError, ValueError)):
        deserialize(config)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"class_name": "Dense", "config": [1, 2]}, "Expected 'config' to be a dict"),
        ({"class_name": "function", "config": ["relu"]}, "non-null str"),
        ({"class_name": "__typespec__", "config": "x"}, "list or a tuple"),
        ({"class_name": "__numpy__", "config": "x"}, "Expected 'config' to be a dict"),
        ({"class_name": 3, "config": {}}, "class_name"),
        (object(), "Could not parse config"),
        ({"class_name": "L2", "module": "keras.regularizers", "config": {"z": 1}}, "config="),
    ],
)
def test_malformed_configs(config, message):
    with pytest.raises(TypeError, match=message):
        deserialize(config)


def test_a_registered_name_on_a_built_in_is_refused():
    config = {
        "module": "keras.layers",
        "class_name": "Dense",
        "registered_name": "builtins.eval",
        "config": {"units": 1},
    }
    with pytest.raises(ValueError, match="resolved to a Keras built-in"):
        deserialize(config)


def test_objects_without_a_config_cannot_be_saved():
    for value in (object(), {1, 2}, 1j):
        with pytest.raises(TypeError, match="get_config"):
            serialize(value)


def test_shared_objects_stay_shared():
    regularizer = keras.regularizers.L2(0.5)
    with saving.ObjectSharingScope():
        config = serialize([regularizer, regularizer])
        assert config[0]["shared_object_id"] == config[1]["shared_object_id"]
    with saving.ObjectSharingScope():
        first, second = deserialize(config)
    assert first is second


def test_ops_of_functional_models_are_named_as_in_keras():
    inputs = keras.Input((3,))
    outputs = keras.ops.expand_dims(inputs, 1)
    operation = outputs._keras_history.operation
    config = serialize(operation)
    assert (config["module"], config["class_name"]) == ("keras.src.ops.numpy", "ExpandDims")
    assert type(deserialize(config)) is type(operation)
