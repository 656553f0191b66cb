"""The base class of layers: building, weights, calls, masks, dtypes, tracking, configs, copies."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers, ops
from pronghorn.trace import Trace


class Scale(layers.Layer):
    """Multiplies by a weight for each feature."""

    def __init__(self, start=2.0, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):
        self.factor = self.add_weight(
            (input_shape[-1],), keras.initializers.Constant(self.start), name="factor"
        )

    def call(self, inputs):
        return inputs * self.factor


class Chain(layers.Layer):
    """Inner layers, built when the layer is first called."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = [Scale(3.0), Scale(0.5)]

    def call(self, inputs):
        for layer in self.inner:
            inputs = layer(inputs)
        return inputs


class Phase(layers.Layer):
    """Returns 1 in training and 0 otherwise."""

    def call(self, inputs, training=False):
        return inputs * 0.0 + (1.0 if training else 0.0)


def test_build_makes_the_weights_once():
    layer = Scale()
    assert not layer.built
    assert layer.weights == []
    y = layer(np.ones((4, 3), "float32"))
    np.testing.assert_array_equal(y, 2 * np.ones((4, 3)))
    assert layer.built
    assert [w.path for w in layer.weights] == [f"{layer.name}/factor"]
    assert layer.get_build_config() == {"input_shape": (4, 3)}
    layer(np.ones((7, 3), "float32"))
    assert len(layer.weights) == 1


def test_build_by_the_shape_of_a_symbolic_call():
    layer = Chain(name="chain")
    y = layer(keras.KerasTensor((None, 3)))
    assert y.shape == (None, 3)
    assert layer.built
    assert [w.path for w in layer.weights] == [
        f"chain/{layer.inner[0].name}/factor",
        f"chain/{layer.inner[1].name}/factor",
    ]
    assert layer.inner[0].get_build_config() == {"input_shape": (None, 3)}


def test_build_arguments_are_matched_by_name():
    class Two(layers.Layer):
        def build(self, b_shape, a_shape):
            self.shapes = (a_shape, b_shape)

        def call(self, a, b):
            return a + b

    layer = Two()
    layer(np.ones((2, 1)), np.ones((2, 5)))
    assert tuple(layer.shapes) == ((2, 1), (2, 5))
    assert layer.get_build_config() == {"shapes_dict": {"b_shape": (2, 5), "a_shape": (2, 1)}}

    class Wrong(Two):
        def build(self, b_shape, c_shape):
            pass

    with pytest.raises(ValueError, match="`call\\(\\)` does not have argument `c`"):
        Wrong()(np.ones((2, 1)), np.ones((2, 5)))


def test_state_is_locked_after_build():
    layer = Scale()
    layer.build((None, 3))
    with pytest.raises(ValueError, match="cannot add new elements of state"):
        layer.late = layers.Dense(3)
    with pytest.raises(ValueError, match="cannot add new elements of state"):
        layer.add_weight((3,), "zeros")
    layer.note = "plain attributes are free"


def test_missing_super_init():
    class Forgetful(layers.Layer):
        def __init__(self):
            pass

        def call(self, x):
            return x

    with pytest.raises(RuntimeError, match="forgot to call `super"):
        Forgetful()(np.ones((2, 3)))


def test_unknown_arguments_are_refused():
    with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
        layers.Dense(2, unit=3)
    with pytest.raises(ValueError, match="to be a boolean"):
        layers.Dense(2, trainable="yes")
    with pytest.raises(ValueError, match="cannot contain character"):
        layers.Dense(2, name="a/b")


@pytest.mark.parametrize("wrong", [3, "text", [1.0, 2.0]])
def test_only_tensors_by_position(wrong):
    with pytest.raises(ValueError, match="Only input tensors may be passed as positional"):
        layers.Dense(2)(wrong)


def test_wrong_shapes_are_explained():
    dense = layers.Dense(2, name="d")
    dense(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"Dense 'd': .*incompatible.*shape=\(2, 4\)"):
        dense(np.ones((2, 4)))
    with pytest.raises(
        ValueError,
        match=r"Conv2D 'c': expected .*4 \(batch, height, width, channels\).*shape=\(32, 784\)",
    ):
        layers.Conv2D(2, 3, name="c")(np.ones((32, 784)))


def test_trainable_reaches_inner_layers():
    layer = Chain()
    layer(np.ones((2, 3)))
    assert len(layer.trainable_weights) == 2
    layer.trainable = False
    assert not layer.inner[1].trainable
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 2
    layer.trainable = True
    assert len(layer.trainable_variables) == 2


def test_weights_round_trip_and_errors():
    layer = layers.Dense(2, name="dense")
    layer.build((None, 3))
    values = [np.arange(6, dtype="float32").reshape(3, 2), np.ones(2, "float32")]
    layer.set_weights(values)
    for found, wanted in zip(layer.get_weights(), values):
        np.testing.assert_array_equal(found, wanted)
    with pytest.raises(ValueError, match="length 1, but the layer was expecting 2 weights"):
        layer.set_weights(values[:1])
    with pytest.raises(ValueError, match=r"shape \(3, 2\) is not compatible .* \(2, 2\)"):
        layer.set_weights([np.ones((2, 2)), np.zeros(2)])
    np.testing.assert_array_equal(layer.get_weights()[1], values[1])
    assert layer.count_params() == 8
    with pytest.raises(ValueError, match="isn't built"):
        layers.Dense(2).count_params()


def test_own_variables_round_trip():
    layer, other = Scale(3.0), Scale(4.0)
    layer.build((None, 3))
    other.build((None, 3))
    store = {}
    layer.save_own_variables(store)
    other.load_own_variables(store)
    np.testing.assert_array_equal(layer.factor, other.factor)
    with pytest.raises(ValueError, match="never built"):
        Scale().load_own_variables(store)
    with pytest.raises(ValueError, match="expected 1 variables, but received 0"):
        other.load_own_variables({})


def test_training_argument():
    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.phase = Phase()

        def call(self, x):
            return self.phase(x)

    x = np.ones((1, 1), "float32")
    assert float(Phase()(x)[0, 0]) == 0
    assert float(Phase()(x, training=True)[0, 0]) == 1
    outer = Outer()
    assert float(outer(x)[0, 0]) == 0
    assert float(outer(x, training=True)[0, 0]) == 1  # passed down, though `call` lacks it
    assert float(outer(x)[0, 0]) == 0  # and forgotten afterwards


def test_inner_call_keeps_its_own_training_argument():
    class Frozen(layers.Layer):
        def __init__(self):
            super().__init__()
            self.first, self.second = Phase(), Phase()

        def call(self, x):
            return self.first(x, training=False) + 2 * self.second(x)

    y = Frozen()(np.ones((1, 1), "float32"), training=True)
    assert float(y[0, 0]) == 2


def test_masks_pass_through():
    class Passing(layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, x, mask=None):
            self.seen = mask
            return x

    x = np.array([[[1.0], [0.0]]], "float32")
    y = layers.Masking()(x)
    layer = Passing()
    z = layer(y)
    np.testing.assert_array_equal(layer.seen, [[True, False]])
    np.testing.assert_array_equal(z._keras_mask, [[True, False]])

    class Blind(layers.Layer):
        def call(self, x):
            return x + 1

    with pytest.warns(UserWarning, match="does not support masking"):
        assert getattr(Blind()(y), "_keras_mask", None) is None


def test_masks_by_argument_name():
    class Attention(layers.Layer):
        def call(self, query, value, query_mask=None, value_mask=None):
            self.seen = (query_mask, value_mask)
            return query + value

        def compute_mask(self, inputs, previous_mask):
            return previous_mask

    query = ops.ones((1, 2))
    value = ops.ones((1, 2))
    query._keras_mask = ops.convert_to_tensor([[True, False]])
    layer = Attention()
    layer(query, value)
    np.testing.assert_array_equal(layer.seen[0], [[True, False]])
    assert layer.seen[1] is None


def test_losses():
    class Adding(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight((2,), "ones", regularizer=keras.regularizers.L2(0.5))

        def call(self, x):
            self.add_loss(ops.sum(x))
            return x * self.w

    layer = Adding(activity_regularizer=keras.regularizers.L1(1.0))
    layer(np.ones((4, 2), "float32"))
    assert sorted(float(v) for v in layer.losses) == [1.0, 2.0, 8.0]
    layer(np.ones((1, 2), "float32"))  # those of the last call only
    assert sorted(float(v) for v in layer.losses) == [1.0, 2.0, 2.0]
    layer(keras.KerasTensor((None, 2)))  # inference of shapes adds none
    with pytest.raises(ValueError, match="on a tensor input"):
        layer.add_loss("text")


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy):
    compute = policy.removeprefix("mixed_")

    class Inner(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.w = self.add_weight((), "ones")

        def call(self, x):
            self.seen = (x.dtype, self.w.dtype)
            return x * self.w

    class Outer(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.mixed = Inner(dtype=policy)
            self.full = Inner(dtype="float32")

        def call(self, x):
            return self.full(self.mixed(x))

    layer = Outer(dtype=policy)
    y = layer(np.ones((2, 3), "float32"))
    assert layer.mixed.seen == (compute, compute)
    assert layer.full.seen == ("float32", "float32")
    assert y.dtype == "float32"
    assert [w.dtype for w in layer.weights] == ["float32", "float32"]
    assert layers.Dense(2, dtype=policy)(keras.KerasTensor((None, 3))).dtype == compute


def test_integers_are_not_autocast():
    class Identity(layers.Layer):
        def call(self, x):
            return x

    assert Identity(dtype="mixed_bfloat16")(np.ones((2,), "int32")).dtype == "int32"
    assert Identity()(np.ones((2,), "float64")).dtype == "float32"
    assert Identity(autocast=False, dtype="bfloat16")(np.ones((2,), "float32")).dtype == "float32"


def test_quantized_policies_raise_at_build():
    layer = layers.Dense(2, dtype="int8_from_float32")
    assert layer.quantization_mode == "int8"
    with pytest.raises(NotImplementedError, match="quantized layers are not supported"):
        layer.build((None, 3))
    with pytest.raises(NotImplementedError, match="quantize"):
        layers.Dense(2).quantize("int8")


def test_tracking_of_containers():
    layer = layers.Layer()
    layer.items = [layers.Dense(1), {"a": layers.Dense(2)}]
    layer.items.append((layers.Dense(3), 4))
    layer.table = {"x": keras.Variable([1.0]), "y": keras.Variable([1.0], trainable=False)}
    assert [x.units for x in layer._layers] == [1, 2, 3]
    assert len(layer.trainable_variables) == 1
    assert len(layer.non_trainable_variables) == 1
    layer.items.pop(0)
    assert [x.units for x in layer._layers] == [2, 3]
    del layer.table
    assert layer.variables == []


def test_seed_generators_are_variables_but_not_weights():
    layer = layers.Dropout(0.5)
    assert len(layer.variables) == 1
    assert layer.weights == []


def test_stateless_call():
    layer = layers.BatchNormalization(momentum=0.5)
    x = np.array([[1.0, 3.0], [3.0, 5.0]], "float32")
    layer.build(x.shape)
    before = layer.get_weights()
    y, updated = layer.stateless_call(
        [np.ones(2) * 2, np.zeros(2)], layer.non_trainable_variables, x, training=True
    )
    np.testing.assert_allclose(np.asarray(y), [[-2, -2], [2, 2]], rtol=1e-2)
    np.testing.assert_allclose(np.asarray(updated[0]), [1.0, 2.0], rtol=1e-6)
    for a, b in zip(layer.get_weights(), before):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="1:1"):
        layer.stateless_call([], [], x)


def test_config_is_captured():
    layer = Scale(1.5, name="s", dtype="bfloat16", trainable=False)
    config = layer.get_config()
    assert config["start"] == 1.5
    again = Scale.from_config(config)
    assert again.get_config() == config
    assert (again.name, again.start, again.trainable) == ("s", 1.5, False)

    class Bare(layers.Layer):
        def __init__(self, size, sizes=(1, 2)):
            super().__init__()

    config = Bare(3).get_config()
    assert config == {"size": 3, "sizes": (1, 2)}
    assert isinstance(Bare.from_config(config), Bare)
    with pytest.raises(NotImplementedError, match="must override `get_config"):
        Bare(layers.Dense(1)).get_config()


def test_names_are_unique():
    keras.utils.clear_session()
    assert [layers.Dense(1).name for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert layers.GlobalMaxPooling1D().name == "global_max_pooling1d"
    keras.utils.clear_session()
    assert layers.Dense(1).name == "dense"


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_have_weights_of_their_own(duplicate):
    layer = layers.Dense(2)
    layer.extra = [layers.Dense(1), keras.Variable([1.0])]
    layer(keras.KerasTensor((None, 3)))
    other = duplicate(layer)
    x = np.ones((1, 3), "float32")
    np.testing.assert_array_equal(layer(x), other(x))
    other.kernel.assign(np.zeros((3, 2)))
    assert np.any(np.asarray(layer.kernel))
    assert len(other.variables) == len(layer.variables)
    other.extra.pop(0)
    assert len(other._layers) == 0
    assert len(layer._layers) == 1


def test_a_layer_called_in_a_trace_makes_its_weights_outside():
    layer = Chain()
    with Trace() as trace:
        x = trace.input((2, 3), "float32")
        program = trace.compile([layer(x)])
    np.testing.assert_allclose(np.asarray(program(np.ones((2, 3), "float32"))[0]), 1.5)
    layer.inner[0].factor.assign(np.ones(3))
    np.testing.assert_allclose(np.asarray(program(np.ones((2, 3), "float32"))[0]), 0.5)


def test_operators_of_keras_tensors_are_nodes():
    x = keras.Input((3,))
    y = abs(-x[:, 1:] + 1.0) ** 2.0
    model = keras.Model(x, y)
    values = np.array([[1.0, 2.0, 5.0]], "float32")
    np.testing.assert_allclose(np.asarray(model(values)), [[1.0, 16.0]], rtol=1e-6)
    with pytest.raises(TypeError, match="boolean"):
        bool(x)
    with pytest.raises(ValueError, match="symbolic"):
        np.asarray(x)


def test_shape_inference_keeps_unknown_dimensions():
    x = keras.KerasTensor((None, None, 4))
    assert ops.reshape(x, (-1, 4)).shape == (None, 4)
    assert ops.sum(x, axis=0).shape == (None, 4)
    assert ops.concatenate([x, x], axis=1).shape == (None, None, 8 // 2)
    assert ops.ones_like(x).shape == (None, None, 4)
    assert (x + np.ones((4,), "float32")).dtype == "float32"


def test_errors_of_ops_name_the_innermost_layer() -> None:
    class Wrong(keras.layers.Layer):
        def call(self, x):
            return keras.ops.matmul(x, np.ones((5, 2), "float32"))

    expected = r"^Wrong 'w': matmul: inner dimensions must match\. Received: x1\.shape=\(2, 3\)"
    with pytest.raises(ValueError, match=expected):
        layers.Activation(Wrong(name="w"))(np.ones((2, 3), "float32"))


def test_errors_of_a_layer_of_ones_own_stay() -> None:
    class Wrong(keras.layers.Layer):
        def call(self, x):
            raise ValueError("No such thing")

    with pytest.raises(ValueError, match="^No such thing$"):
        Wrong()(np.ones((2, 3), "float32"))
