"""A workload in the words of Keras, for every library that speaks them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.workers.protocol import per_call
from bench.workloads import CLASSES, WORKLOADS, data


def layer(keras: Any, kind: str, arguments: list[Any]) -> Any:
    """A layer of the workload."""
    layers = keras.layers
    if kind == "dense":
        units, activation = arguments
        return layers.Dense(units, activation=activation)
    if kind == "conv":
        filters, size, stride, padding, activation = arguments
        return layers.Conv2D(filters, size, stride, padding=padding, activation=activation)
    if kind == "depthwise":
        size, stride, padding, activation = arguments
        return layers.DepthwiseConv2D(size, stride, padding=padding, activation=activation)
    if kind == "lstm":
        units, sequences = arguments
        return layers.LSTM(units, return_sequences=sequences)
    makers: dict[str, Callable[..., Any]] = {
        "maxpool": layers.MaxPooling2D,
        "flatten": layers.Flatten,
        "average": layers.GlobalAveragePooling2D,
        "mean": layers.GlobalAveragePooling1D,
        "batchnorm": layers.BatchNormalization,
        "relu": layers.ReLU,
        "embedding": layers.Embedding,
    }
    return makers[kind](*arguments)


def _transformer(keras: Any, x: Any, heads: int, hidden: int) -> Any:
    layers, size = keras.layers, x.shape[-1]
    attention = layers.MultiHeadAttention(heads, size // heads)
    x = layers.LayerNormalization()(layers.Add()([x, attention(x, x)]))
    y = layers.Dense(size)(layers.Dense(hidden, activation="relu")(x))
    return layers.LayerNormalization()(layers.Add()([x, y]))


def _through(keras: Any, described: list[Any], x: Any) -> Any:
    for kind, *arguments in described:
        if kind == "residual":
            x = keras.layers.ReLU()(keras.layers.Add()([x, _through(keras, arguments[0], x)]))
        elif kind == "transformer":
            x = _transformer(keras, x, *arguments)
        else:
            x = layer(keras, kind, arguments)(x)
    return x


def build(keras: Any, name: str) -> Any:
    """The compiled model: Sequential, or functional where it branches."""
    workload = WORKLOADS[name]
    dtype = "int32" if "vocabulary" in workload else "float32"
    x = keras.Input(workload["x"], dtype=dtype)
    if any(kind in ("residual", "transformer") for kind, *_ in workload["layers"]):
        model = keras.Model(x, _through(keras, workload["layers"], x))
    else:
        model = keras.Sequential([x, *(layer(keras, k, a) for k, *a in workload["layers"])])
    assert model.output_shape[-1] == CLASSES
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def actions(keras: Any, name: str, bf16: bool, calls: int) -> dict[str, Callable[[], float]]:
    """What a worker can time; `calls` of one sample make one timing."""
    workload = WORKLOADS[name]
    x, y = data(name)
    batch: int = workload["batch"]
    steps: int = workload["steps"]
    keras.utils.set_random_seed(0)
    if bf16:
        keras.config.set_dtype_policy("mixed_bfloat16")
    model = build(keras, name)
    sample = x[:1]

    def train() -> float:
        start = time.perf_counter()
        model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
        return (time.perf_counter() - start) / steps * 1e3

    def infer() -> float:
        start = time.perf_counter()
        model.predict(x, batch_size=batch, verbose=0)
        return (time.perf_counter() - start) / steps * 1e3

    return {
        "train": train,
        "infer": infer,
        "predict": per_call(lambda: model.predict(sample, verbose=0), calls),
        "call": per_call(lambda: model(sample), calls),
    }
