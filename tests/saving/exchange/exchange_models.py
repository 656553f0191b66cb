"""Models of each kind: sequential, functional, nested, subclassed, with custom objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from exchange_case import ExchangeCase

MODELS: list[ExchangeCase] = []


def floats(*shapes: tuple[int, ...]) -> Any:
    rng = np.random.default_rng(4)
    found = [rng.standard_normal((4, *shape)).astype("float32") for shape in shapes]
    return found if len(found) > 1 else found[0]


def model(inputs: Callable[[], Any], **options: Any) -> Callable[[Any], Any]:
    """Records a function that makes a model as a case of its name."""

    def record(make: Callable[[Any], Any]) -> Any:
        MODELS.append(ExchangeCase(make.__name__, make, inputs, **options))
        return make

    return record


@model(lambda: floats((8, 8, 3)))
def convolutions(k: Any) -> Any:
    layers = k.layers
    made = k.Sequential(
        [
            k.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.SeparableConv2D(5, 3, strides=2, padding="same"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    made.compile(k.optimizers.SGD(0.05, momentum=0.9), "mse", metrics=["mae"])
    return made


@model(lambda: floats((5,)))
def sequential_built_by_a_call(k: Any) -> Any:
    made = k.Sequential([k.layers.Dense(4, activation="relu"), k.layers.Dense(2)])
    made.compile("sgd", "mse")
    made.build((None, 5))
    return made


@model(lambda: floats((5,)))
def nested(k: Any) -> Any:
    layers = k.layers
    inner = k.Sequential([k.Input((4,)), layers.Dense(4), layers.LayerNormalization()])
    a = k.Input((4,))
    middle = k.Model(a, layers.Add()([a, inner(a)]), name="middle")
    x = k.Input((5,))
    y = layers.Dense(4)(x)
    made = k.Model(x, layers.Dense(2)(middle(middle(y))), name="outer")
    made.compile(k.optimizers.SGD(0.05, momentum=0.9), "mse")
    return made


@model(lambda: {"a": floats((5,)), "b": floats((5,)) * 2})
def shared_and_dicts(k: Any) -> Any:
    layers = k.layers
    a, b = k.Input((5,), name="a"), k.Input((5,), name="b")
    shared = layers.Dense(4, activation="tanh")
    x, y = shared(a), shared(b)
    outputs = {"sum": layers.Add()([x, y]), "first": layers.Dense(3)(x)}
    made = k.Model({"a": a, "b": b}, outputs)
    made.compile(
        k.optimizers.SGD(0.1, momentum=0.9),
        {"sum": "mse", "first": k.losses.MeanAbsoluteError()},
        loss_weights={"sum": 0.3, "first": 2.0},
        metrics={"sum": ["mae", "mse"], "first": [k.metrics.RootMeanSquaredError()]},
    )
    return made


@model(lambda: [floats((5,)), {"b": floats((3,)), "c": (floats((2,)),)}])
def nested_structures(k: Any) -> Any:
    layers = k.layers
    a, b, c = k.Input((5,), name="a"), k.Input((3,), name="b"), k.Input((2,), name="c")
    x = layers.Concatenate()([a, b, c])
    made = k.Model([a, {"b": b, "c": (c,)}], [layers.Dense(2)(x), layers.Dense(1)(x)])
    made.compile("rmsprop", ["mse", "mae"], loss_weights=[1.0, 0.5], metrics=[["mae"], ["mse"]])
    return made


@model(lambda: floats((4, 6)))
def operations(k: Any) -> Any:
    ops = k.ops
    x = k.Input((4, 6))
    y = k.layers.Dense(6)(x)
    y = (y + 1) * 2.0 - x / 3.0
    y = ops.concatenate([y, ops.relu(x)], axis=-1)
    y = ops.reshape(y[:, 1:, ::2], (-1, 18)) ** 2
    y = 1.0 - ops.tanh(-y)
    y = ops.stack([y, ops.exp(-ops.abs(y))], axis=1)
    y = ops.transpose(y, (0, 2, 1)) @ ops.ones((2, 3))
    y = ops.sum(y, axis=1, keepdims=True) + ops.mean(x, axis=(1, 2), keepdims=True)
    y = ops.where(ops.greater(y, 0.5), y, ops.multiply(y, 0.1))
    y = ops.expand_dims(ops.squeeze(y, axis=1), -1)
    y = ops.clip(ops.pad(y, ((0, 0), (1, 0), (0, 0))), -3.0, 30.0)
    made = k.Model(x, ops.cast(y, "float32"))
    made.compile("sgd", "mse")
    return made


@model(lambda: floats((4, 6)), backend="jax")
def constants(k: Any) -> Any:
    x = k.Input((4, 6))
    table = np.arange(6, dtype="float32") / 7
    y = k.layers.Dense(6)(x) * table + k.ops.array([[1.0] * 6] * 4)
    y = k.ops.maximum(y, 0.25) + k.ops.sum(y[..., -1:], axis=1, keepdims=True)
    made = k.Model(x, y)
    made.compile("sgd", "mse")
    return made


@model(lambda: np.random.default_rng(1).integers(0, 6, (4, 7)))
def masks(k: Any) -> Any:
    layers = k.layers
    x = k.Input((7,), dtype="int32")
    y = layers.Embedding(6, 4, mask_zero=True)(x)
    y = layers.Bidirectional(layers.GRU(3, return_sequences=True))(y)
    y = layers.MultiHeadAttention(2, 3)(y, y)
    made = k.Model(x, layers.LSTM(3)(y))
    made.compile(k.optimizers.SGD(0.05, momentum=0.9), "mse")
    return made


@model(lambda: [floats((5, 4)), np.random.default_rng(1).random((4, 5)) < 0.7, floats((3,))])
def call_arguments(k: Any) -> Any:
    layers = k.layers
    x, mask, state = k.Input((5, 4)), k.Input((5,), dtype="bool"), k.Input((3,))
    y = layers.GRU(3, return_sequences=True)(x, mask=mask, initial_state=state)
    y = layers.Attention()([y, y], mask=[mask, mask], use_causal_mask=True)
    made = k.Model([x, mask, state], layers.Dense(2)(y))
    made.compile("sgd", "mse")
    return made


@model(lambda: floats((6, 4)))
def several_outputs_of_a_layer(k: Any) -> Any:
    layers = k.layers
    x = k.Input((6, 4))
    y, h, c = layers.LSTM(3, return_sequences=True, return_state=True)(x)
    z = layers.LSTM(3)(y, initial_state=[h, c])
    made = k.Model(x, [z, layers.Add()([h, c])])
    made.compile(k.optimizers.SGD(0.05, momentum=0.9), "mse")
    return made


@model(lambda: floats((5,)))
def frozen(k: Any) -> Any:
    layers = k.layers
    a = k.Input((5,))
    base = k.Model(a, layers.BatchNormalization()(layers.Dense(4)(a)), name="base")
    base.trainable = False
    x = k.Input((5,))
    head = layers.Dense(3, name="head")
    made = k.Model(x, layers.Dense(2)(head(base(x))))
    head.trainable = False
    made.compile(k.optimizers.SGD(0.05, momentum=0.9), "mse")
    return made


@model(lambda: floats((5,)), trained=False, unit=2.0**-8)
def mixed_policies(k: Any) -> Any:
    layers = k.layers
    x = k.Input((5,))
    y = layers.Dense(4, dtype="mixed_bfloat16")(x)
    y = layers.LayerNormalization(dtype="float32")(y)
    y = layers.Dense(4, dtype=k.DTypePolicy("mixed_float16"))(y)
    return k.Model(x, layers.Dense(2, dtype="float32")(y))


@model(lambda: floats((5,)), trained=False, unit=2.0**-8)
def low_precision_weights(k: Any) -> Any:
    layers = k.layers
    x = k.Input((5,))
    y = layers.Dense(4, dtype="bfloat16")(x)
    return k.Model(x, layers.Dense(2, dtype="float32")(layers.Dense(3, dtype="float16")(y)))


@model(lambda: np.random.default_rng(1).integers(0, 6, (4, 7)))
def tied_embeddings(k: Any) -> Any:
    layers = k.layers
    x = k.Input((7,), dtype="int32")
    table = layers.ReversibleEmbedding(6, 4, tie_weights=False)
    y = layers.Dense(4)(table(x))
    made = k.Model(x, table(y, reverse=True))
    made.compile(k.optimizers.SGD(0.05, momentum=0.9), "mse")
    return made


def custom_classes(k: Any) -> dict[str, Any]:
    """Returns classes and functions that are no part of the library."""
    layers, ops = k.layers, k.ops

    class Scale(layers.Layer):
        def __init__(self, start: float = 1.0, inner: Any = None, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.start, self.inner = start, inner

        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(
                shape=(shape[-1],), initializer=k.initializers.Constant(self.start), name="scale"
            )
            if not self.inner.built:
                self.inner.build(shape)

        def call(self, x: Any) -> Any:
            return self.inner(x) * self.scale

        def get_config(self) -> dict[str, Any]:
            inner = k.saving.serialize_keras_object(self.inner)
            return {**super().get_config(), "start": self.start, "inner": inner}

        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Any:
            config["inner"] = k.saving.deserialize_keras_object(config["inner"])
            return cls(**config)

    class Blocks(layers.Layer):
        """Layers in lists and dicts, and variables that it saves itself."""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.first = layers.Dense(4)
            self.many = [layers.Dense(4), [layers.Dense(4), layers.Dense(4)]]
            self.named = {"a": layers.Dense(4), "b": layers.LayerNormalization()}

        def build(self, shape: Any) -> None:
            self.offset = self.add_weight(shape=(4,), name="offset")
            if not self.first.built:
                self.first.build(shape)
            for layer in (self.many[0], *self.many[1], *self.named.values()):
                if not layer.built:
                    layer.build((*shape[:-1], 4))

        def call(self, x: Any) -> Any:
            x = self.first(x)
            for layer in (self.many[0], *self.many[1], *self.named.values()):
                x = x + layer(x)
            return x + self.offset

        def save_own_variables(self, store: Any) -> None:
            store["the_offset"] = ops.convert_to_numpy(self.offset)

        def load_own_variables(self, store: Any) -> None:
            self.offset.assign(np.array(store["the_offset"]))

    class Cell(layers.Layer):
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = self.state_size = units

        def build(self, shape: Any) -> None:
            self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")

        def call(self, x: Any, states: Any) -> Any:
            y = ops.tanh(ops.matmul(x, self.kernel) + 0.5 * states[0])
            return y, [y]

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    class Distance(k.losses.Loss):
        def __init__(self, power: float = 2.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.power = power

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return ops.mean(ops.abs(y_true - y_pred) ** self.power, axis=-1)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "power": self.power}

    class Largest(k.metrics.Metric):
        def __init__(self, name: str = "largest", **kwargs: Any) -> None:
            super().__init__(name=name, **kwargs)
            self.value = self.add_variable(shape=(), initializer="zeros", name="value")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.value.assign(ops.maximum(self.value, ops.max(y_pred)))

        def result(self) -> Any:
            return self.value

    def bent(x: Any) -> Any:
        return ops.tanh(x) + 0.1 * x

    class Network(k.Model):
        def __init__(self, units: int = 3, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.dense = layers.Dense(units, activation=bent)
            self.blocks = [Blocks(), layers.Dense(2)]
            self.normalize = layers.BatchNormalization()
            self.tail = [[layers.Dense(2), {"a": layers.Dense(2)}], layers.Dense(2)]

        def call(self, x: Any, training: bool = False) -> Any:
            x = self.normalize(self.dense(x), training=training)
            for block in self.blocks:
                x = block(x)
            return self.tail[1](self.tail[0][1]["a"](self.tail[0][0](x)))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    found = (Scale, Blocks, Cell, Distance, Largest, bent, Network)
    return {item.__name__: item for item in found}


@model(lambda: floats((5,)), custom=custom_classes)
def custom_layers(k: Any) -> Any:
    custom = custom_classes(k)
    x = k.Input((5,))
    y = k.layers.Dense(4, activation=custom["bent"])(x)
    y = custom["Scale"](0.7, k.layers.Dense(4))(custom["Blocks"]()(y))
    made = k.Model(x, y)
    made.compile(
        k.optimizers.SGD(0.05, momentum=0.9), custom["Distance"](1.5), metrics=[custom["Largest"]()]
    )
    return made


@model(lambda: floats((4, 5)), custom=custom_classes)
def custom_cells(k: Any) -> Any:
    custom = custom_classes(k)
    cells = [custom["Cell"](3), k.layers.LSTMCell(2)]
    with k.saving.custom_object_scope(custom):  # Bidirectional copies its layer by the config
        both = k.layers.Bidirectional(k.layers.RNN(custom["Cell"](3)))
    made = k.Sequential([k.Input((4, 5)), k.layers.RNN(cells, return_sequences=True), both])
    made.compile("sgd", "mse")
    return made


@model(lambda: floats((5,)), custom=custom_classes)
def subclassed(k: Any) -> Any:
    made = custom_classes(k)["Network"](4)
    made.compile(k.optimizers.SGD(0.05, momentum=0.9), "mse")
    made(floats((5,)))
    return made


def text_classes(k: Any) -> dict[str, Any]:
    """Returns a model that has a layer of text, which is called before it."""

    class Texts(k.Model):
        def __init__(self, text: Any, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.text, self.dense = text, k.layers.Dense(2)

        def build(self, shape: Any) -> None:
            self.dense.build(shape)
            self.built = True

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "text": k.saving.serialize_keras_object(self.text)}

        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Any:
            return cls(**{**config, "text": k.saving.deserialize_keras_object(config["text"])})

    return {"Texts": Texts}


def learned(layer: Any) -> Any:
    layer.adapt(np.array(["b a b", "c é a b", "b"]))
    return layer


TEXTS: dict[str, Callable[[Any], Any]] = {
    "indices": lambda k: learned(k.layers.TextVectorization(output_sequence_length=4)),
    "pairs": lambda k: learned(k.layers.TextVectorization(ngrams=2, output_mode="count")),
    "weighted": lambda k: learned(k.layers.TextVectorization(max_tokens=9, output_mode="tf_idf")),
    "given": lambda k: k.layers.TextVectorization(vocabulary=["b", "a"], standardize="lower"),
    "lookup": lambda k: learned(k.layers.StringLookup(mask_token="", num_oov_indices=2)),
}
for how, made_text in TEXTS.items():

    def _texts(k: Any, made_text: Any = made_text) -> Any:
        found = text_classes(k)["Texts"](made_text(k))
        found.build((None, 3))
        return found

    def _found(found: Any) -> dict[str, Any]:
        vocabulary = [str(token) for token in found.text.get_vocabulary()]
        return {
            "vocabulary": np.array(vocabulary),
            "called": np.asarray(found.text(np.array(["b x", "a b q", "c"]))).astype("float32"),
        }

    MODELS.append(
        ExchangeCase(
            f"text_{how}",
            _texts,
            lambda: floats((3,)),
            trained=False,
            custom=text_classes,
            more=_found,
            backend="tensorflow",
        )
    )


def registered_classes(k: Any) -> dict[str, Any]:
    """Registers a class with the library and returns it; nothing is to be passed for loading."""
    custom = custom_classes(k)
    for name in ("Network", "Blocks", "bent"):
        k.saving.register_keras_serializable("exchange")(custom[name])
    return custom


@model(lambda: floats((5,)), custom=lambda k: registered_classes(k) and {})
def registered(k: Any) -> Any:
    custom = registered_classes(k)
    x = k.Input((5,))
    y = k.layers.Dense(4, activation=custom["bent"])(x)
    made = k.Model(x, custom["Network"](3)(y))
    made.compile("sgd", "mse")
    return made


@model(lambda: floats((5,)))
def vector_inputs_of_one_element(k: Any) -> Any:
    x = k.Input((5,))
    made = k.Model([x], [k.layers.Dense(2)(x)])
    made.compile("sgd", ["mse"], metrics=[["mae"]])
    return made
