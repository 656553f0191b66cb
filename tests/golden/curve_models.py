"""Networks and data of the golden loss curves, for pronghorn (the test) and Keras alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

STEPS = 10


def _data(shape: tuple[int, ...], classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((STEPS * 16, *shape)).astype("float32")
    y = rng.integers(0, classes, STEPS * 16).astype("int32")
    return x, y


def mlp(k: Any) -> Any:
    """Dense layers with Adam."""
    model = k.Sequential(
        [
            k.Input((20,)),
            k.layers.Dense(32, activation="relu"),
            k.layers.Dense(16, activation="tanh"),
            k.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def cnn(k: Any) -> Any:
    """Convolutions and pooling with momentum."""
    model = k.Sequential(
        [
            k.Input((12, 12, 3)),
            k.layers.Conv2D(8, 3, activation="relu"),
            k.layers.MaxPooling2D(2),
            k.layers.Conv2D(8, 3, padding="same", strides=2, activation="relu"),
            k.layers.AveragePooling2D(2, padding="same"),
            k.layers.Flatten(),
            k.layers.Dropout(0.0),
            k.layers.Dense(5),
        ]
    )
    loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(k.optimizers.SGD(0.05, momentum=0.9), loss, metrics=["accuracy"])
    return model


def batch_norm(k: Any) -> Any:
    """A convolution with batch normalization, and an L2 penalty, with RMSprop."""
    model = k.Sequential(
        [
            k.Input((8, 8, 2)),
            k.layers.Conv2D(6, 3, use_bias=False, kernel_regularizer=k.regularizers.L2(0.01)),
            k.layers.BatchNormalization(),
            k.layers.Activation("relu"),
            k.layers.GlobalAveragePooling2D(),
            k.layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def regression(k: Any) -> Any:
    """Two outputs, weighted, from two inputs, with AdamW."""
    a, b = k.Input((6,), name="a"), k.Input((3,), name="b")
    h = k.layers.Dense(12, activation="gelu")(k.layers.Concatenate()([a, b]))
    h = k.layers.LayerNormalization()(h)
    model = k.Model([a, b], [k.layers.Dense(1, name="p")(h), k.layers.Dense(4, name="q")(h)])
    model.compile(
        k.optimizers.AdamW(0.01), ["mse", "huber"], loss_weights=[1.0, 0.3], metrics=[["mae"], []]
    )
    return model


def _regression_data() -> tuple[Any, Any]:
    rng = np.random.default_rng(4)
    a = rng.standard_normal((STEPS * 16, 6)).astype("float32")
    b = rng.standard_normal((STEPS * 16, 3)).astype("float32")
    p = a[:, :1] - b[:, :1]
    q = np.tanh(a[:, :4])
    return [a, b], [p, q]


CASES: dict[str, tuple[Callable[[Any], Any], Callable[[], tuple[Any, Any]]]] = {
    "mlp": (mlp, lambda: _data((20,), 10, 0)),
    "cnn": (cnn, lambda: _data((12, 12, 3), 5, 1)),
    "batch_norm": (batch_norm, lambda: _data((8, 8, 2), 4, 2)),
    "regression": (regression, _regression_data),
}


# Curves under a policy of mixed precision: case, policy. No mlp in float16: the scaled gradient of
# its probabilities leaves float16 in Keras (a step is skipped), and is never formed in pronghorn.
MIXED = [
    ("mlp", "mixed_bfloat16"),
    ("cnn", "mixed_bfloat16"),
    ("batch_norm", "mixed_bfloat16"),
    ("cnn", "mixed_float16"),
    ("batch_norm", "mixed_float16"),
]


def initial_weights(model: Any) -> list[np.ndarray]:
    """The same weights for both libraries, from the shapes alone."""
    rng = np.random.default_rng(9)
    found = []
    for variable in model.weights:
        shape = tuple(variable.shape)
        if variable.name in ("gamma", "moving_variance"):
            found.append(np.ones(shape, "float32"))
        elif variable.name in ("bias", "beta", "moving_mean"):
            found.append(np.zeros(shape, "float32"))
        else:
            scale = 1 / np.sqrt(np.prod(shape[:-1]))
            found.append((rng.standard_normal(shape) * scale).astype("float32"))
    return found


def slices(values: Any, step: int) -> Any:
    """Batch number `step`."""
    rows = slice(step * 16, (step + 1) * 16)
    return [v[rows] for v in values] if isinstance(values, list) else values[rows]


def curve(k: Any, name: str, policy: str = "float32") -> dict[str, np.ndarray]:
    """Losses and metrics of ten steps (each batch seen once), and of the evaluation after them."""
    make, data = CASES[name]
    before = k.config.dtype_policy()
    k.config.set_dtype_policy(policy)
    try:
        model = make(k)
    finally:
        k.config.set_dtype_policy(before)
    model.set_weights(initial_weights(model))
    x, y = data()
    steps: dict[str, list[float]] = {}
    for step in range(STEPS):
        model.reset_metrics()
        logs = model.train_on_batch(slices(x, step), slices(y, step), return_dict=True)
        for key, value in logs.items():
            steps.setdefault(key, []).append(float(np.asarray(value)))
    result = {key: np.array(values, "float64") for key, values in steps.items()}
    after = model.evaluate(x, y, batch_size=48, verbose=0, return_dict=True)
    for key, value in after.items():
        result[f"evaluate_{key}"] = np.array(float(np.asarray(value)), "float64")
    return result
