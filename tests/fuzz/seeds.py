"""Valid files that the fuzzer changes: models of this library and those of the corpus."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pathlib
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

CORPUS = pathlib.Path(__file__).parents[1] / "saving" / "corpus" / "files.tar.xz"


def _convolutions(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.ZeroPadding2D(1),
            layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2", dilation_rate=2),
            layers.BatchNormalization(),
            layers.UpSampling2D(2),
            layers.SeparableConv2D(3, 3),
            layers.Conv2DTranspose(2, 3, strides=2),
            layers.MaxPooling2D(3, padding="same"),
            layers.Cropping2D(1),
            layers.RandomFlip("horizontal", seed=3),
            layers.Resizing(6, 5),
            layers.GlobalAveragePooling2D(keepdims=True),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(2, activation="softmax", kernel_initializer="orthogonal"),
        ]
    )


def _functional(keras: Any) -> Any:
    layers, ops = keras.layers, keras.ops
    a, b = keras.Input((4,), name="a"), keras.Input((5,), dtype="int32", name="b")
    shared = layers.Dense(4, name="shared", kernel_constraint="max_norm")
    embedded = layers.Embedding(9, 4, mask_zero=True)(b)
    recurrent = layers.Bidirectional(layers.LSTM(2))(embedded)
    attention = layers.MultiHeadAttention(2, 2)(embedded, embedded)
    both = layers.Concatenate()([shared(a), recurrent, ops.mean(attention, axis=1)])
    both = layers.Reshape((3, 4))(both)
    both = layers.TimeDistributed(layers.Dense(3))(both)[:, 1:, ::2]
    both = layers.Permute((2, 1))(layers.RepeatVector(2)(layers.Flatten()(both)))
    inner = keras.Sequential([keras.Input((4, 2)), layers.GRU(2, return_sequences=True)])
    y = ops.concatenate([inner(both), ops.zeros((1, 4, 1)) + both[:, :, :1]], axis=-1)
    return keras.Model({"a": a, "b": b}, [layers.EinsumDense("abc,cd->abd", (None, 2))(y), both])


def _preprocessing(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input((6,))
    normal = layers.Normalization(mean=[1.0] * 6, variance=[2.0] * 6)(x)
    bins = layers.Discretization(bin_boundaries=[0.0, 1.0])(x)
    crossed = layers.CategoryEncoding(4, output_mode="multi_hot")(bins)
    return keras.Model(x, layers.Dense(1)(layers.Concatenate()([normal, crossed])))


def _text(keras: Any) -> Any:
    layers = keras.layers
    strings = layers.StringLookup(vocabulary=["a", "b"], output_mode="int", name="strings")
    words = layers.TextVectorization(vocabulary=["one", "two"], output_sequence_length=4)
    return keras.Sequential([strings, words])  # strings reach them before a model, it is not built


def _lookups(keras: Any) -> Any:
    layers = keras.layers
    i = keras.Input((3,), dtype="int64")
    integers = layers.IntegerLookup(vocabulary=[4, 5], output_mode="multi_hot")(i)
    hashed = layers.CategoryEncoding(5)(layers.Hashing(5)(i))
    x = layers.Embedding(9, 3)(layers.Hashing(9, salt=3)(i))
    x = layers.Conv1D(3, 2)(layers.LayerNormalization()(x))
    x = layers.GlobalMaxPooling1D()(layers.SimpleRNN(2, return_sequences=True)(x))
    return keras.Model(i, layers.Dense(1)(layers.Concatenate()([integers, hashed, x])))


MODELS: dict[str, Callable[[Any], Any]] = {
    "convolutions": _convolutions,
    "functional": _functional,
    "preprocessing": _preprocessing,
    "text": _text,
    "lookups": _lookups,
}


def _compiled(name: str) -> Any:
    import pronghorn as keras

    keras.utils.set_random_seed(1)
    model = MODELS[name](keras)
    if name in ("convolutions", "preprocessing"):
        rate = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
        model.compile(
            keras.optimizers.Adam(rate, clipnorm=1.0),
            keras.losses.MeanSquaredError(),
            metrics=["mae", keras.metrics.MeanSquaredError()],
        )
        model.optimizer.build(model.trainable_variables)
    return model


@functools.cache
def corpus() -> dict[str, bytes]:
    """Returns the files of the corpus by name."""
    found = {}
    with tarfile.open(CORPUS) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None and not member.name.endswith(".npz"):
                found[member.name] = file.read()
    return found


@functools.cache
def own(ending: str) -> dict[str, bytes]:
    """Returns what this library writes with an ending, for each of `MODELS`."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in MODELS:
            path = os.path.join(folder, f"{name}{ending}")
            model = _compiled(name)
            if ending != ".keras" and not model.built:
                continue
            if ending == ".keras":
                model.save(path)
            else:
                model.save_weights(path)
            found[name] = pathlib.Path(path).read_bytes()
    return found


@functools.cache
def exported() -> dict[str, bytes]:
    """Returns ONNX files."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("functional", "convolutions"):
            path = os.path.join(folder, f"{name}.onnx")
            model = _compiled(name)
            model.export(path, format="onnx", verbose=False)
            found[name] = pathlib.Path(path).read_bytes()
    return found


@functools.cache
def backups() -> dict[str, bytes]:
    """Returns the file of a BackupAndRestore in the middle of training."""
    import pronghorn as keras

    with tempfile.TemporaryDirectory() as folder:
        model, x, y = training()
        backup = keras.callbacks.BackupAndRestore(folder, delete_checkpoint=False, save_freq=1)
        model.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[backup])
        return {"backup": (pathlib.Path(folder) / "latest.backup.h5").read_bytes()}


def training() -> tuple[Any, Any, Any]:
    """Returns a compiled model and the data of `backups`."""
    import pronghorn as keras

    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dropout(0.5)])
    model.compile("adam", "mse", metrics=["mae"])
    return model, np.ones((12, 3), "float32"), np.ones((12, 2), "float32")


@functools.cache
def configs() -> list[Any]:
    """Returns configurations of models, layers and other objects: parts to put into others."""
    import pronghorn as keras

    found: list[Any] = []
    for data in [*own(".keras").values(), *_corpus_archives()]:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            with zipfile.ZipFile(file) as archive:
                found.append(json.loads(archive.read("config.json")))
    namespaces = (keras.layers, keras.initializers, keras.regularizers, keras.constraints)
    namespaces += (keras.losses, keras.metrics, keras.optimizers, keras.optimizers.schedules)
    for namespace in namespaces:
        for name in dir(namespace):
            made = _make(getattr(namespace, name))
            if made is not None:
                found.append(made)
    return found


def _corpus_archives() -> list[bytes]:
    return [data for name, data in corpus().items() if name.endswith(".keras") and "3.15" in name]


def _make(cls: Any) -> Any:
    import pronghorn as keras

    if not isinstance(cls, type):
        return None
    cell = keras.layers.LSTMCell(2) if issubclass(cls, keras.layers.Layer) else 0.1
    for args in ((), (2,), (2, 3), ((2, 2),), (cell,), (0.1, 10, 0.5), ("abc,cd->abd", (None, 2))):
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return keras.saving.serialize_keras_object(cls(*args))
    return None


@functools.cache
def names() -> list[str]:
    """Returns names of public classes and functions, and some that are not."""
    import pronghorn as keras

    spaces = (keras, keras.layers, keras.ops, keras.initializers, keras.losses, keras.saving)
    spaces += (keras.optimizers, keras.utils, keras.metrics, keras.activations, keras.config)
    found = {name for space in spaces for name in dir(space) if not name.startswith("_")}
    return [*sorted(found), "TorchModuleWrapper", "TFSMLayer", "Popen", "eval", "__lambda__", ""]
