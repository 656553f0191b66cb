"""Models under mixed_bfloat16 and mixed_float16: what is in 16 bits, and what stays in float32."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers, ops

POLICIES = ("mixed_bfloat16", "mixed_float16")


@pytest.fixture(params=POLICIES)
def compute(request: pytest.FixtureRequest) -> Iterator[str]:
    """Sets the global policy; gives the compute dtype."""
    keras.config.set_dtype_policy(request.param)
    yield request.param.removeprefix("mixed_")
    keras.config.set_dtype_policy("float32")


def images(n: int = 32) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, n).astype("int32")
    return rng.standard_normal((n, 8, 8, 2)).astype("float32") + y[:, None, None, None], y


def network(**last: Any) -> Any:
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(6, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(2),
            layers.DepthwiseConv2D(2, activation="relu"),
            layers.Flatten(),
            layers.LayerNormalization(),
            layers.Dropout(0.1),
            layers.Dense(8, activation="gelu"),
            layers.Dense(3, **last),
        ]
    )


LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class Recorder(keras.optimizers.SGD):
    """Keeps the dtypes of what it is given."""

    def __init__(self) -> None:
        super().__init__(0.01)
        self.seen: set[str] = set()

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        self.seen |= {gradient.dtype, variable.dtype}
        super().update_step(gradient, variable, learning_rate)


def test_activations_are_narrow_and_variables_wide(compute: str) -> None:
    model = network()
    x, _ = images()
    every = keras.Model(model.inputs, [layer.output for layer in model.layers])
    assert {y.dtype for y in every(x)} == {compute}
    assert {w.dtype for w in model.weights} == {"float32"}
    assert {layer.compute_dtype for layer in model.layers} == {compute}


def test_gradients_reach_the_optimizer_in_float32(compute: str) -> None:
    model, optimizer = network(), Recorder()
    model.compile(optimizer, LOSS, auto_scale_loss=False)
    model.fit(*images(), verbose=0)
    assert optimizer.seen == {"float32"}
    adam = keras.optimizers.Adam()
    model.compile(adam, LOSS)
    model.fit(*images(), verbose=0)
    assert {v.dtype for v in adam.variables if v.ndim > 0} == {"float32"}


def test_losses_and_metrics_are_computed_in_float32(compute: str) -> None:
    seen = []

    def loss(y_true: Any, y_pred: Any) -> Any:
        seen.append((y_true.dtype, y_pred.dtype))
        return ops.mean(ops.square(y_true - y_pred), axis=-1)

    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    metric = keras.metrics.MeanAbsoluteError()
    model.compile("sgd", loss, metrics=[metric])
    x = np.random.default_rng(0).standard_normal((20, 4)).astype("float32")
    logs = model.evaluate(x, x[:, :2], verbose=0, return_dict=True)
    model.fit(x, x[:, :2], verbose=0)
    assert set(seen) == {("float32", "float32")}
    assert {v.dtype for v in metric.variables} == {"float32"}
    error = model.predict(x, verbose=0).astype("float64")
    assert np.isfinite(error).all() and 0 < logs["loss"] < 100


def test_predictions_have_the_compute_dtype(compute: str) -> None:
    x, _ = images(5)
    dtype = np.dtype(ml_dtypes.bfloat16 if compute == "bfloat16" else "float16")
    model = network()
    for found in (model.predict(x, verbose=0), model.predict_on_batch(x), np.asarray(model(x))):
        assert found.dtype == dtype
    wide = network(activation="softmax", dtype="float32")
    found = wide.predict(x, verbose=0)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-6)


def test_training_follows_float32(compute: str) -> None:
    x, y = images(96)
    histories = []
    for policy in (f"mixed_{compute}", "float32"):
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(3)
        model = network()
        model.compile(keras.optimizers.Adam(0.01), LOSS, metrics=["accuracy"])
        histories.append(model.fit(x, y, epochs=8, verbose=0).history)
    narrow, wide = histories
    assert narrow["accuracy"][-1] >= wide["accuracy"][-1] - 0.1
    # A few roundings a layer, and steps that feed into each other.
    assert abs(narrow["loss"][0] - wide["loss"][0]) < 10 * 2.0**-8


def test_float16_scales_the_loss_by_itself() -> None:
    for policy, scaled in (("mixed_float16", True), ("mixed_bfloat16", False)):
        keras.config.set_dtype_policy(policy)
        model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
        keras.config.set_dtype_policy("float32")
        model.compile("adam", "mse")
        assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) == scaled
        model.compile("adam", "mse", auto_scale_loss=False)
        assert not isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)


def test_an_overflow_skips_the_step() -> None:
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, dtype="mixed_float16")])
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), 2.0**15)
    model.compile(optimizer, "mse")
    before = [w.copy() for w in model.get_weights()]
    model.train_on_batch(np.full((4, 2), 6e4, "float32"), np.full((4, 1), -6e4, "float32"))
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert float(optimizer.dynamic_scale) == 2.0**14


def test_a_policy_is_part_of_a_config(compute: str) -> None:
    layer = layers.Dense(2)
    other = layers.Dense.from_config(layer.get_config())
    assert other.dtype_policy == layer.dtype_policy == keras.DTypePolicy(f"mixed_{compute}")
    assert keras.mixed_precision.dtype_policy().name == f"mixed_{compute}"


def test_without_ml_dtypes_errors_say_what_to_do() -> None:
    code = """
import sys
sys.modules["ml_dtypes"] = None
import numpy as np
import pronghorn as keras
keras.config.set_dtype_policy("mixed_bfloat16")
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
x = np.ones((2, 4), "float32")
for f in (lambda: model.predict(x, verbose=0), lambda: np.asarray(model(x))):
    try:
        f()
    except (ImportError, TypeError) as error:
        print(error)
print(keras.ops.cast(model(x), "float32").numpy().dtype)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "ml_dtypes" in run[0] and "dtype='float32'" in run[0]
    assert "ml_dtypes" in run[1]
    assert run[2:] == ["float32"]
