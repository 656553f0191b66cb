"""Writes files of models with the Keras of the environment, and the outputs that it computes.

Run by hand, once with each version: `python make_corpus.py keras` (Keras 3: `.keras` and `.h5`) or
`python make_corpus.py tf_keras` (Keras 2: `.h5`, and `.keras` where it writes them), with names of
models where a version cannot save all, or `old_optimizers`. Files are called
`<model>-<version>.<ending>`; `outputs-<version>.npz` holds what the models predict for the inputs
of `inputs`. Keras 3 needs no backend but NumPy: `KERAS_BACKEND=numpy`.
"""

from __future__ import annotations

import importlib
import pathlib
import sys
from typing import Any

import numpy as np

HERE = pathlib.Path(__file__).parent


def convolutions(keras: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu", padding="same", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.MaxPooling2D(),
            layers.SeparableConv2D(5, 3, strides=2, padding="same"),
            layers.DepthwiseConv2D(2, depth_multiplier=2),
            layers.Conv2DTranspose(3, 3, strides=2),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def branches(keras: Any) -> Any:
    layers = keras.layers
    a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
    shared = layers.Dense(4, activation="tanh", name="shared")
    inner_input = keras.Input((4,))
    inner = keras.Model(inner_input, layers.LayerNormalization()(layers.Dense(4)(inner_input)))
    x, y = inner(shared(a)), inner(shared(b))
    both = layers.Concatenate()([x, layers.Multiply()([x, y])])
    frozen = layers.Dense(2, name="frozen", trainable=False)
    model = keras.Model([a, b], [layers.Add()([x, y]), frozen(both)])
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True), ["mse", "mae"])
    return model


def sequences(keras: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((7,)),
            layers.Embedding(11, 4, mask_zero=True),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.GRU(4, return_sequences=True, recurrent_activation="hard_sigmoid"),
            layers.RNN([layers.GRUCell(3), layers.LSTMCell(2)], return_sequences=True),
            layers.TimeDistributed(layers.Dense(4, activation="gelu")),
            layers.SimpleRNN(3, go_backwards=True),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.RMSprop(0.01), keras.losses.BinaryCrossentropy())
    return model


def attention(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input((6, 8))
    y = layers.MultiHeadAttention(2, 4)(x, x)
    y = layers.Attention(use_scale=True)([y, x])
    y = layers.Conv1D(6, 2, padding="causal", dilation_rate=2, activation="elu")(y)
    y = layers.GlobalMaxPooling1D()(y)
    return keras.Model(x, layers.PReLU()(y))


def stateful(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input(batch_shape=(3, 6, 4))
    y = layers.Masking(0.0)(x)
    y = layers.LSTM(3, stateful=True, unit_forget_bias=False, return_sequences=True)(y)
    y = layers.Bidirectional(layers.GRU(2, stateful=True, reset_after=False), merge_mode="sum")(y)
    model = keras.Model(x, y)
    model.compile("adagrad", "mean_squared_error")
    return model


def frames(keras: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((3, 5, 5, 2)),
            layers.ConvLSTM2D(2, 3, padding="same", return_sequences=True),
            layers.BatchNormalization(center=False),
            layers.TimeDistributed(layers.Flatten()),
            layers.BatchNormalization(scale=False, momentum=0.9),
            layers.Permute((2, 1)),
            layers.Conv1D(4, 2, strides=3, activation="softplus"),
            layers.GlobalMaxPooling1D(),
        ]
    )
    model.compile("adamax", "mean_absolute_error")
    return model


def lambdas(keras: Any) -> Any:
    layers = keras.layers
    code = layers.Lambda(lambda x: x * 2, name="code")
    return keras.Sequential([keras.Input((5,)), layers.Dense(3), code])


def time_major(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential([keras.Input((5, 2)), layers.LSTM(3, time_major=True, name="steps")])


def old_optimizers(keras: Any) -> dict[str, Any]:
    """Returns models with the optimizers of tf.keras before 2.11, which later ones still have."""
    old = keras.optimizers.legacy
    found = {}
    for name, optimizer in {
        "adam": old.Adam(0.01, amsgrad=True),
        "rmsprop": old.RMSprop(0.01, momentum=0.9, centered=True),
        "sgd": old.SGD(0.01, momentum=0.9, decay=0.5),
        "nadam": old.Nadam(0.01),
        "ftrl": old.Ftrl(0.01),
        "adadelta": old.Adadelta(0.01),
        "adamax": old.Adamax(0.01),
        "adagrad": old.Adagrad(0.01),
    }.items():
        layers = keras.layers
        model = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.Dense(4)])
        model.compile(optimizer, "mse")
        rng = np.random.RandomState(0)
        model.fit(rng.rand(8, 4), rng.rand(8, 4), batch_size=4, verbose=0)
        found[f"optimizer_{name}"] = model
    return found


MODELS = [convolutions, branches, sequences, attention, stateful, frames]
# Of tf.keras only; they are refused.
REFUSED = [lambdas, time_major]


def inputs(name: str) -> list[np.ndarray]:
    """Returns the inputs of a model, the same in every environment."""
    rng = np.random.RandomState(7)
    if name == "convolutions":
        return [rng.rand(3, 8, 8, 3).astype("float32")]
    if name == "branches":
        return [rng.rand(3, 5).astype("float32"), rng.rand(3, 5).astype("float32")]
    if name == "sequences":
        return [rng.randint(0, 11, (3, 7)).astype("int32")]
    shapes = {
        "attention": (3, 6, 8),
        "stateful": (3, 6, 4),
        "frames": (3, 3, 5, 5, 2),
        "custom": (3, 5),
        "cudnn": (3, 6, 4),
    }
    return [rng.rand(*shapes[name]).astype("float32")]


def main(library: str, names: list[str]) -> None:
    keras = importlib.import_module(library)
    is_keras_3 = library == "keras"
    version = keras.__version__
    outputs: dict[str, np.ndarray] = {}
    for make in MODELS:
        name = make.__name__
        if names and name not in names:
            continue
        model = make(keras)
        rng = np.random.RandomState(3)
        weights = [
            rng.uniform(0.1, 0.9, np.shape(w)).astype("float32") for w in model.get_weights()
        ]
        model.set_weights([w - 0.5 if w.ndim > 1 else w for w in weights])
        if getattr(model, "optimizer", None) is not None:
            model.optimizer.build(model.trainable_variables)
        x = inputs(name)
        found = model.predict(x if len(x) > 1 else x[0], verbose=0)
        for i, y in enumerate(found if isinstance(found, (list, tuple)) else [found]):
            outputs[f"{name}/{i}"] = np.asarray(y)
        # `.h5` last: to write it takes the optimizer out of the model's compile config.
        if is_keras_3 or name != "attention":
            model.save(HERE / f"{name}-{version}.keras")
        try:
            model.save(HERE / f"{name}-{version}.h5")
        except ValueError as error:  # Keras 3 before 3.12 gave two weights of a layer one name
            print(f"{name}: no .h5: {error}")
            (HERE / f"{name}-{version}.h5").unlink()
        if name == "branches":
            ending = "weights.h5" if is_keras_3 else "h5"
            model.save_weights(HERE / f"branches_weights-{version}.{ending}")
    for make in REFUSED:
        if not is_keras_3 and (not names or make.__name__ in names):
            make(keras).save(HERE / f"{make.__name__}-{version}.h5")
    if not is_keras_3 and "old_optimizers" in names:
        for name, model in old_optimizers(keras).items():
            model.save(HERE / f"{name}-{version}.h5")
        return
    np.savez_compressed(HERE / f"outputs-{version}.npz", **outputs)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
