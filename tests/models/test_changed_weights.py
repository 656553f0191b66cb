"""Values computed once from weights follow every change of the weights."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers, ops
from pronghorn.trace import Trace

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(4, 6)


def _model() -> Any:
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(5), layers.BatchNormalization(), layers.Dense(2)]
    )
    model.compile("sgd", "mean_squared_error")
    return model


def _expected(model: Any, x: Any) -> Any:
    kernel, bias, gamma, beta, mean, var, kernel2, bias2 = (
        w.numpy().astype(np.float64) for w in _weights(model)
    )
    h = (x @ kernel + bias - mean) / np.sqrt(var + 1e-3) * gamma + beta
    return h @ kernel2 + bias2


def _weights(model: Any) -> list[Any]:
    dense, norm, last = model.layers
    return [*dense.weights, norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance,
            *last.weights]  # fmt: skip


def _assign(model: Any, path: Path) -> None:
    model.layers[1].moving_variance.assign(np.full(5, 4.0, np.float32))


def _set_weights(model: Any, path: Path) -> None:
    model.set_weights([w * 1.5 + 0.25 for w in model.get_weights()])


def _load_weights(model: Any, path: Path) -> None:
    other = _model()
    _set_weights(other, path)
    other.save_weights(path / "other.weights.h5")
    model.load_weights(path / "other.weights.h5")


def _fit(model: Any, path: Path) -> None:
    model.fit(X, np.ones((4, 2), np.float32), epochs=2, batch_size=3, verbose=0)


def _train_on_batch(model: Any, path: Path) -> None:
    model.train_on_batch(X, np.ones((4, 2), np.float32))


def _eager_update(model: Any, path: Path) -> None:
    for layer in (model.layers[0], model.layers[2]):
        layer.kernel.assign_add(ops.ones_like(layer.kernel))


CHANGES: list[Callable[[Any, Path], None]] = [
    _assign, _set_weights, _load_weights, _fit, _train_on_batch, _eager_update,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_predict_sees_changed_weights(change: Callable[[Any, Path], None], tmp_path: Path) -> None:
    model = _model()
    before = model.predict(X, verbose=0)
    np.testing.assert_allclose(before, _expected(model, X), atol=1e-5)
    for _ in range(2):
        old = model.get_weights()
        change(model, tmp_path)
        changed = any((a != b).any() for a, b in zip(old, model.get_weights(), strict=True))
        np.testing.assert_allclose(
            model.predict(X, verbose=0), _expected(model, X), atol=1e-5, rtol=1e-5
        )
        np.testing.assert_allclose(
            model.predict(X[:1], verbose=0), _expected(model, X[:1]), atol=1e-5, rtol=1e-5
        )
    assert changed or change in (_assign, _load_weights)


def test_a_program_computes_a_function_of_a_weight_once() -> None:
    weight = keras.Variable(np.full((64, 64), 4.0, np.float32))
    with Trace() as trace:
        x = trace.input((2, 64), "float32")
        program = trace.compile([ops.matmul(x, ops.transpose(ops.sqrt(weight)))])
    assert program.kept_bytes == 64 * 64 * 4
    ones = np.ones((2, 64), np.float32)
    assert (program(ones)[0].numpy() == 128).all()
    weight.assign(np.full((64, 64), 9.0, np.float32))
    assert (program(ones)[0].numpy() == 192).all()


def test_threads_predict_while_weights_change_between_calls() -> None:
    weight = keras.Variable(np.zeros((128, 128), np.float32))
    with Trace() as trace:
        x = trace.input((1, 128), "float32")
        program = trace.compile([ops.matmul(x, ops.transpose(weight + 1.0))])
    ones = np.ones((1, 128), np.float32)
    wrong: list[float] = []
    for value in range(20):
        weight.assign(np.full((128, 128), value, np.float32))

        def ask(expected: float = 128.0 * (value + 1)) -> None:
            for _ in range(20):
                got = program(ones)[0].numpy()
                if (got != expected).any():
                    wrong.append(float(got[0, 0]))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
