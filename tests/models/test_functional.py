"""Functional models: structures, shared layers, inner models, inputs, configs."""

from __future__ import annotations

import json

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers, ops


def values_of(outputs):
    return [np.asarray(x) for x in keras.tree.flatten(outputs)]


def assert_same_outputs(model, other, *inputs):
    for a, b in zip(values_of(model(*inputs)), values_of(other(*inputs))):
        np.testing.assert_array_equal(a, b)


def round_trip(model):
    other = type(model).from_config(json.loads(json.dumps(model.get_config())))
    other.set_weights(model.get_weights())
    return other


def two_input_model():
    a, b = keras.Input((2,), name="a"), keras.Input((3,), name="b")
    x = layers.Concatenate()([a, b])
    return keras.Model([a, b], [layers.Dense(4)(x), ops.relu(x) * 2.0], name="two")


def test_outputs_are_those_of_the_layers():
    x = keras.Input((3,))
    dense = layers.Dense(2)
    model = keras.Model(x, dense(x) + 1.0)
    data = np.arange(6, dtype="float32").reshape(2, 3)
    expected = data @ np.asarray(dense.kernel) + np.asarray(dense.bias) + 1.0
    np.testing.assert_allclose(np.asarray(model(data)), expected, rtol=1e-5, atol=1e-6)
    assert model.input_shape == (None, 3)
    assert model.output_shape == (None, 2)
    assert type(model).__name__ == "Functional"


def test_several_inputs_and_outputs():
    model = two_input_model()
    a, b = np.ones((5, 2), "float32"), -np.ones((5, 3), "float32")
    first, second = model([a, b])
    assert first.shape == (5, 4)
    np.testing.assert_array_equal(second, np.concatenate([2 * a, 0 * b], axis=1))
    by_name = model({"b": b, "a": a})
    np.testing.assert_array_equal(by_name[1], second)
    assert model.input_shape == [(None, 2), (None, 3)]
    assert model.output_names == [model.layers[-1].name, model.operations[-1].name]
    assert_same_outputs(model, round_trip(model), [a, b])


@pytest.mark.parametrize("kind", [dict, list, tuple])
def test_structures_are_kept(kind):
    x = keras.Input((2,), name="x")
    y = x * 2.0
    outputs = {"p": x + 0.0, "q": [y]} if kind is dict else kind([x + 0.0, y])
    model = keras.Model({"x": x} if kind is dict else kind([x]), outputs)
    data = np.ones((1, 2), "float32")
    found = model({"x": data} if kind is dict else kind([data]))
    assert type(found) is kind
    keras.tree.assert_same_structure(found, outputs)
    other = round_trip(model)
    again = other({"x": data} if kind is dict else kind([data]))
    np.testing.assert_array_equal(values_of(again)[1], values_of(found)[1])


def test_shared_layers_have_weights_once():
    shared = layers.Dense(3)
    a, b = keras.Input((2,)), keras.Input((2,))
    model = keras.Model([a, b], layers.Add()([shared(a), shared(b)]))
    assert len(model.weights) == 2
    data = np.ones((1, 2), "float32")
    np.testing.assert_allclose(
        np.asarray(model([data, data])), 2 * np.asarray(shared(data)), rtol=1e-6
    )
    other = round_trip(model)
    assert len(other.weights) == 2
    assert_same_outputs(model, other, [data, data])


def test_inner_models():
    inner_functional = two_input_model()
    inner_sequential = keras.Sequential([keras.Input((2,)), layers.Dense(3)], name="inner")
    x = keras.Input((2,))
    y, z = inner_functional([x, inner_sequential(x)])
    model = keras.Model(x, layers.Concatenate()([y, z]))
    data = np.ones((3, 2), "float32")
    assert model(data).shape == (3, 9)
    assert len(model.weights) == 4
    assert model.get_layer("inner") is inner_sequential
    assert_same_outputs(model, round_trip(model), data)


def test_a_model_of_intermediate_tensors():
    x = keras.Input((4,))
    hidden = layers.Dense(3, name="hidden")(x)
    model = keras.Model(x, layers.Dense(2, name="out")(hidden))
    encoder = keras.Model(x, model.get_layer("hidden").output)
    head = keras.Model(hidden, model.output)
    data = np.ones((1, 4), "float32")
    np.testing.assert_allclose(np.asarray(head(encoder(data))), np.asarray(model(data)), rtol=1e-6)
    assert [layer.name for layer in head.layers][1:] == ["out"]
    assert model.get_layer("hidden").input is x


def test_slices_and_constants_in_configs():
    x = keras.Input((4, 5))
    y = ops.matmul(x[:, 1:3, ::2], np.ones((3, 2), "float32"))
    model = keras.Model(x, ops.mean(y, axis=(1, 2), keepdims=True))
    data = np.random.default_rng(0).normal(size=(2, 4, 5)).astype("float32")
    assert model(data).shape == (2, 1, 1)
    assert_same_outputs(model, round_trip(model), data)
    assert_same_outputs(model, keras.models.model_from_json(model.to_json()), data)


def test_operations_as_keras_describes_them():
    """Keras gives an operation's options in its config, not in its calls."""
    x = keras.Input((4,), name="x")
    model = keras.Model(x, ops.sum(x, axis=1))
    config = model.get_config()
    node = config["layers"][1]
    node["inbound_nodes"][0]["kwargs"] = {}
    node["inbound_nodes"][0]["args"] = node["inbound_nodes"][0]["args"][:1]
    node["config"] = {"name": "sum", "axis": 1, "keepdims": True}
    other = keras.Model.from_config(config)
    assert other(np.ones((2, 4))).shape == (2, 1)


def test_masks_flow_through_models():
    x = keras.Input((3,), dtype="int32")
    y = layers.Embedding(5, 2, mask_zero=True)(x)
    model = keras.Model(x, y)
    out = model(np.array([[1, 2, 0]], "int32"))
    np.testing.assert_array_equal(out._keras_mask, [[True, True, False]])


def test_training_argument_overrides_the_recorded_one():
    x = keras.Input((200,))
    model = keras.Model(x, layers.Dropout(0.5)(x))
    data = np.ones((1, 200), "float32")
    np.testing.assert_array_equal(model(data), data)
    assert np.any(np.asarray(model(data, training=True)) == 0)
    np.testing.assert_array_equal(model(data, training=False), data)


def test_ranks_and_dtypes_of_inputs_are_adapted():
    x = keras.Input((1,))
    model = keras.Model(x, x * 2.0)
    assert model(np.ones((3,), "int64")).shape == (3, 1)
    flat = keras.Input(())
    model = keras.Model(flat, flat * 2.0)
    assert model(np.ones((3, 1))).shape == (3,)


def test_optional_inputs():
    class Maybe(layers.Layer):
        def call(self, x, y=None):
            return x if y is None else x + y

        def compute_output_shape(self, x_shape):
            return x_shape

    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b", optional=True)
    model = keras.Model({"a": a, "b": b}, Maybe()(a, b))
    one = np.ones((1, 2), "float32")
    np.testing.assert_array_equal(model({"a": one, "b": None}), one)
    np.testing.assert_array_equal(model({"a": one, "b": one}), 2 * one)
    with pytest.raises(ValueError, match="not optional"):
        model({"a": None, "b": one})


def test_input_errors():
    model = two_input_model()
    with pytest.raises(ValueError, match="expects 2 input"):
        model(np.ones((1, 2)))
    with pytest.raises(ValueError, match='Missing data for input "b"'):
        model({"a": np.ones((1, 2))})
    with pytest.raises(ValueError, match=r"expected shape \(None, 3\)\. Received: shape=\(1, 4\)"):
        model([np.ones((1, 2)), np.ones((1, 4))])
    with pytest.raises(ValueError, match="Model 'two': input 'a' .*Received"):
        model([np.ones((1, 2, 3)), np.ones((1, 3))])


def test_graph_errors():
    a, b = keras.Input((2,)), keras.Input((2,))
    with pytest.raises(ValueError, match="Output with path `` is not connected"):
        keras.Model(a, b * 2.0)
    with pytest.raises(ValueError, match="Graph disconnected"):
        keras.Model(a, a + b)
    with pytest.raises(ValueError, match="must be KerasTensors"):
        keras.Model(a, np.ones(3))
    with pytest.raises(ValueError, match="is used 2 times"):
        keras.Model(a, layers.Dense(1, name="d")(layers.Dense(2, name="d")(a)))


def test_get_layer():
    model = two_input_model()
    assert model.get_layer(index=2) is model.layers[2]
    assert model.get_layer("a").name == "a"
    for wrong, match in (
        ({}, "Provide either"),
        ({"name": "a", "index": 1}, "Provide only"),
        ({"name": "zz"}, "No such layer: zz"),
        ({"index": 10}, "only has 4 layers|only has 3 layers"),
    ):
        with pytest.raises(ValueError, match=match):
            model.get_layer(**wrong)
    with pytest.raises(AttributeError, match="reserved"):
        model.layers = []


def test_compute_output_shape_of_other_sizes():
    x = keras.Input((None, None, 3))
    model = keras.Model(x, layers.Conv2D(4, 3)(x))
    assert model.output_shape == (None, None, None, 4)
    assert model.compute_output_shape((2, 10, 12, 3)) == (2, 8, 10, 4)
    assert model(keras.KerasTensor((7, 5, 5, 3))).shape == (7, 3, 3, 4)


def test_subclass_with_graph():
    class Named(keras.Model):
        def __init__(self, inputs, outputs, factor=1, **kwargs):
            super().__init__(inputs, outputs, **kwargs)
            self.factor = factor

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    x = keras.Input((2,))
    model = Named(x, layers.Dense(1)(x), factor=3)
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Dense"]
    other = Named.from_config(model.get_config())
    assert other.factor == 3
    other.set_weights(model.get_weights())
    assert_same_outputs(model, other, np.ones((1, 2), "float32"))


def test_deep_graphs_do_not_recurse():
    x = y = keras.Input((2,))
    for _ in range(1500):
        y = layers.Activation("relu")(y)
    model = keras.Model(x, y)
    assert len(model.layers) == 1501
    assert model(np.ones((1, 2))).shape == (1, 2)


def test_function():
    x = keras.KerasTensor((2, 3))
    function = keras.Function(x, {"y": x + 1.0})
    np.testing.assert_array_equal(function(ops.zeros((2, 3)))["y"], np.ones((2, 3)))
    with pytest.raises(ValueError, match="incompatible inputs"):
        function(ops.zeros((2, 4)))


def test_state_tree():
    x = keras.Input((2,), name="x")
    model = keras.Model(x, layers.Dense(1, name="d")(x))
    tree = model.get_state_tree(value_format="numpy_array")
    assert tree["trainable_variables"]["d"]["kernel"].shape == (2, 1)
    model.set_state_tree({"trainable_variables": {"d": {"bias": [4.0]}}})
    assert float(model.layers[1].bias[0]) == 4.0


def test_a_config_written_by_keras():
    """A part of `Model.to_json` of Keras 3.15: tuples became lists, options are in `config`."""

    def tensor(name, shape):
        return {
            "class_name": "__keras_tensor__",
            "config": {"shape": shape, "dtype": "float32", "keras_history": [name, 0, 0]},
        }

    def piece(start, stop, step):
        return {"class_name": "__slice__", "config": {"start": start, "stop": stop, "step": step}}

    def operation(class_name, name, args, kwargs=None, **config):
        return {
            "module": "keras.src.ops.numpy",
            "class_name": class_name,
            "config": {"name": name, **config},
            "registered_name": class_name,
            "name": name,
            "inbound_nodes": [{"args": args, "kwargs": kwargs or {}}],
        }

    x, y, z = tensor("x", [None, 4, 3]), tensor("y", [None, 2, 3]), tensor("z", [None, 3, 3])
    config = {
        "name": "functional",
        "trainable": True,
        "layers": [
            {
                "module": "keras.layers",
                "class_name": "InputLayer",
                "config": {"batch_shape": [None, 4, 3], "dtype": "float32", "name": "x"},
                "registered_name": None,
                "name": "x",
                "inbound_nodes": [],
            },
            operation("GetItem", "y", [x, [piece(None, None, None), piece(1, 3, None)]]),
            operation(
                "Pad",
                "z",
                [y],
                {"constant_values": 2.0},
                pad_width=[[0, 0], [1, 0], [0, 0]],
                mode="constant",
            ),
            operation("Einsum", "e", [z, z], subscripts="bij,bkj->bik"),
            operation("Max", "m", [tensor("e", [None, 3, 3])], axis=[1], keepdims=False),
        ],
        "input_layers": ["x", 0, 0],
        "output_layers": ["m", 0, 0],
    }
    model = keras.Model.from_config(json.loads(json.dumps(config)))
    data = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    padded = np.pad(data[:, 1:3], ((0, 0), (1, 0), (0, 0)), constant_values=2.0)
    expected = np.einsum("bij,bkj->bik", padded, padded).max(axis=1)
    np.testing.assert_allclose(np.asarray(model(data)), expected, rtol=1e-5, atol=1e-6)
    assert_same_outputs(model, round_trip(model), data)


def test_input_spec():
    model = two_input_model()
    assert [spec.shape for spec in model.input_spec] == [(None, 2), (None, 3)]
    model.input_spec = [keras.InputSpec(shape=(4, 2)), keras.InputSpec(shape=(4, 3))]
    with pytest.raises(ValueError, match=r"expected shape=\(4, 2\)"):
        model([np.ones((1, 2), "float32"), np.ones((1, 3), "float32")])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("pack", [lambda x: [x], lambda x: (x,)])
def test_a_list_of_one_output_gives_the_output(pack) -> None:
    # As in Keras; `model.inputs`, a list of one input, takes the input itself.
    inputs = keras.Input((3,), name="x")
    whole = keras.Sequential([inputs, keras.layers.Dense(2), keras.layers.Dense(1)])
    part = keras.Model(whole.inputs, pack(whole.layers[0].output))
    x = np.ones((4, 3), "float32")
    assert part(x).shape == part([x]).shape == part.predict(x).shape == (4, 2)
    part.compile("sgd", ["mse"], metrics=["mae"])
    part.fit(x, [np.ones((4, 2))], verbose=0)
    part.fit([x], np.ones((4, 2)), verbose=0)
    nested = keras.Model(inputs, keras.layers.Dense(1)(part(inputs)[0]))
    assert nested.predict(x).shape == (4, 1)


def test_inputs_of_another_shape_are_named() -> None:
    inputs = keras.Input((8, 8, 3), name="image")
    model = keras.Model(inputs, keras.layers.Flatten()(inputs), name="net")
    message = r"Model 'net': input 'image' .*expected shape \(None, 8, 8, 3\)\. Received: shape=\("
    with pytest.raises(ValueError, match=message + r"8, 8, 3\)\. Add the axis of the batch"):
        model.predict(np.ones((8, 8, 3)))
    with pytest.raises(ValueError, match=message + r"2, 192\)\. .*add a Reshape"):
        model(np.ones((2, 192)))
    with pytest.raises(ValueError, match=message + r"2, 8, 8, 1\)\.$"):
        model(np.ones((2, 8, 8, 1)))
