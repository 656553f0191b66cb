"""Pickling, `copy.deepcopy` and clones: the same numbers, and training that goes on alike."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from keras_process import EXCHANGE

import pronghorn as keras
from pronghorn import constraints, initializers, layers, losses, metrics, optimizers, regularizers

sys.path.insert(0, str(EXCHANGE))
from exchange_case import made, step  # noqa: E402
from exchange_models import MODELS  # noqa: E402
from exchange_optimizers import OPTIMIZERS  # noqa: E402


def pickled(x: Any) -> Any:
    return pickle.loads(pickle.dumps(x))


def state(model: Any) -> list[np.ndarray]:
    optimizer = getattr(model, "optimizer", None)
    variables = [*model.weights, *(optimizer.variables if optimizer is not None else [])]
    return [np.array(v.numpy()) for v in variables]


def assert_same(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    assert len(found) == len(expected)
    for a, b in zip(found, expected):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("case", [*MODELS, *OPTIMIZERS], ids=lambda case: case.name)
def test_models_train_on_alike(case) -> None:
    model = made(keras, case)
    # Classes of the cases are made in functions, where pickle cannot find them.
    copies = [copy.deepcopy(model)] + ([pickled(model)] if case.custom is None else [])
    for each in copies:
        assert_same(state(each), state(model))
        assert_same(
            keras.tree.flatten(each.predict(case.inputs(), verbose=0)),
            keras.tree.flatten(model.predict(case.inputs(), verbose=0)),
        )
    if not case.trained:
        return
    before = state(model)
    for each in [*copies, model]:
        step(keras, case, each)
    assert any(not np.array_equal(a, b) for a, b in zip(state(model), before))
    for each in copies:
        assert_same(state(each), state(model))


def test_a_copy_has_weights_of_its_own() -> None:
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2)])
    other = pickled(model)
    other.set_weights([w * 0 for w in other.get_weights()])
    assert model.get_weights()[0].any()


def test_random_numbers_go_on() -> None:
    model = keras.Sequential([keras.Input((40,)), layers.Dropout(0.5), layers.GaussianNoise(0.5)])
    x = np.ones((2, 40), "float32")
    model(x, training=True)
    other = pickled(model)
    np.testing.assert_array_equal(other(x, training=True), model(x, training=True))
    generator = keras.random.SeedGenerator(3)
    keras.random.normal((2,), seed=generator)
    other = copy.deepcopy(generator)
    np.testing.assert_array_equal(
        keras.random.normal((2,), seed=other), keras.random.normal((2,), seed=generator)
    )


@pytest.mark.parametrize(
    "variable",
    [
        keras.Variable([[1.0, 2.0]], name="w"),
        keras.Variable([1, 2], dtype="int32", trainable=False),
        keras.Variable([1.5], dtype="bfloat16"),
    ],
    ids=lambda v: str(v.dtype),
)
def test_variables(variable) -> None:
    for each in (pickled(variable), copy.deepcopy(variable)):
        assert (each.name, each.dtype, each.trainable) == (
            variable.name,
            variable.dtype,
            variable.trainable,
        )
        np.testing.assert_array_equal(each.value, variable.value)
        each.assign(each.value * 0)
        assert np.asarray(variable.value * 1.0 != 0).all()


BASES = ("Loss", "Metric", "Optimizer", "Initializer", "Regularizer")


def _plain_objects() -> list[Any]:
    found: list[Any] = []
    for module in (losses, metrics, initializers, regularizers, constraints, optimizers):
        for name in module.__all__:
            cls = getattr(module, name)
            if not inspect.isclass(cls) or inspect.isabstract(cls):
                continue
            signature = inspect.signature(cls)
            needed = [
                p
                for p in signature.parameters.values()
                if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
            ]
            if not needed and name not in (
                "Loss",
                "Metric",
                "Optimizer",
                "Initializer",
                "Regularizer",
            ):
                found.append(cls())
    return [
        *found,
        metrics.MeanIoU(3),
        metrics.TopKCategoricalAccuracy(2),
        metrics.MeanMetricWrapper(losses.mean_squared_error),
        optimizers.LossScaleOptimizer(optimizers.Adam()),
        optimizers.SGD(optimizers.schedules.CosineDecay(0.1, 10)),
    ]


@pytest.mark.parametrize("plain", _plain_objects(), ids=lambda x: type(x).__name__)
def test_objects(plain) -> None:
    for each in (pickled(plain), copy.deepcopy(plain)):
        assert type(each) is type(plain)
        assert each.get_config() == plain.get_config()


def test_metrics_keep_what_they_have_seen() -> None:
    metric = metrics.MeanSquaredError()
    metric.update_state([1.0, 2.0], [1.5, 4.0])
    other = pickled(metric)
    assert float(other.result()) == float(metric.result())
    other.update_state([1.0], [1.0])
    assert float(other.result()) != float(metric.result())


def test_histories_and_vocabularies() -> None:
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2, verbose=0)
    assert pickled(history).history == history.history
    layer = layers.TextVectorization(output_mode="tf_idf")
    layer.adapt(["a b", "b c"])
    for other in (pickled(layer), copy.deepcopy(layer)):
        np.testing.assert_array_equal(other(["a c"]), layer(["a c"]))


def test_joblib(tmp_path) -> None:
    joblib = pytest.importorskip("joblib", reason="pip install joblib")
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2)])
    joblib.dump(model, tmp_path / "model.joblib", compress=3)
    assert_same(state(joblib.load(tmp_path / "model.joblib")), state(model))


PROGRAM = """
import multiprocessing
import numpy as np
import pronghorn as keras


class Network(keras.Model):
    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(units)

    def call(self, x):
        return self.dense(x)


def work(model):
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    return model


if __name__ == "__main__":
    model = Network()
    model.compile(keras.optimizers.Adam(0.1), "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.map(work, [model])[0]
    work(model)
    for a, b in zip(there.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert int(there.optimizer.iterations) == 2
"""


def test_spawned_processes_and_classes_of_main(tmp_path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr
