"""`model(x)` gives the same whether it runs layer by layer or as a program."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers, ops

X = np.random.default_rng(0).standard_normal((4, 6)).astype("float32")


def _programs(model: Any) -> int:
    kept = model.__dict__.get("_call_programs")
    return 0 if kept is None else sum(call is not None for call in kept.programs.values())


def _mlp(*more: Any) -> Any:
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((6,)), layers.Dense(5, "relu"), *more, layers.Dense(3)])


def _functional() -> Any:
    x = keras.Input((6,))
    y = layers.Dense(5, "tanh")(x)
    y = layers.LayerNormalization()(y)
    return keras.Model(x, ops.softmax(layers.Dense(3)(y) * 2.0))


@pytest.mark.parametrize("make", [_mlp, _functional])
@pytest.mark.parametrize(
    "convert", [np.asarray, ops.convert_to_tensor, np.float64, np.asfortranarray]
)
def test_repeated_calls_agree(make: Any, convert: Any) -> None:
    model = make()
    x = convert(X)
    first = model(x)
    for _ in range(4):
        y = model(x)
        assert (y.shape, y.dtype) == (first.shape, first.dtype)
        np.testing.assert_allclose(y, first, rtol=1e-5, atol=1e-6)
    assert _programs(model) == 1
    np.testing.assert_allclose(model(x[:1]), first[:1], rtol=1e-5, atol=1e-6)


def test_results_are_tensors_of_their_own() -> None:
    model = _mlp()
    results = [model(X + i) for i in range(6)]
    for i, y in enumerate(results):
        np.testing.assert_allclose(y, model(X + i), rtol=1e-5, atol=1e-6)


def test_weights_that_change_are_seen() -> None:
    model = _mlp()
    for step in range(5):
        model.layers[-1].bias.assign(np.full(3, step, np.float32))
        expected = model.layers[1](model.layers[0](X))
        np.testing.assert_allclose(model(X), expected, rtol=1e-5, atol=1e-5)


def test_training_updates_moving_statistics_and_draws_as_before() -> None:
    def run(eager: bool) -> tuple[list[Any], list[Any]]:
        keras.utils.set_random_seed(5)
        model = keras.Sequential(
            [keras.Input((6,)), layers.BatchNormalization(), layers.Dropout(0.5, seed=3)]
        )
        model.run_eagerly = eager
        results = [model(X * (i + 1), training=True).numpy() for i in range(5)]
        results += [model(X, training=False).numpy() for _ in range(3)] + [model(X).numpy()] * 3
        assert (_programs(model) > 0) is not eager
        return results, model.get_weights()

    for a, b in zip(run(True), run(False)):
        assert len(a) == len(b)
        for p, q in zip(a, b):
            np.testing.assert_allclose(p, q, rtol=1e-5, atol=1e-6)


def test_training_flags_are_kept_apart() -> None:
    model = _mlp(layers.Dropout(0.9, seed=1))
    plain = model(X, training=False).numpy()
    for _ in range(3):
        assert (model(X, training=True).numpy() != plain).any()
        np.testing.assert_allclose(model(X, training=False), plain, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(model(X), plain, rtol=1e-5, atol=1e-6)


def test_attributes_that_change_are_seen() -> None:
    model = _mlp()
    for _ in range(3):
        model(X)
    assert _programs(model) == 1
    model.layers[0].activation = keras.activations.tanh
    expected = model.layers[1](model.layers[0](X))
    for _ in range(3):
        np.testing.assert_allclose(model(X), expected, rtol=1e-5, atol=1e-5)
    norm = layers.BatchNormalization()
    frozen = keras.Sequential([keras.Input((6,)), norm])
    for _ in range(3):
        frozen(X, training=True)
    before = frozen(X, training=True).numpy()
    norm.trainable = False
    for _ in range(3):
        assert np.abs(frozen(X, training=True).numpy() - before).max() > 1e-3


def test_layers_that_come_and_go() -> None:
    model = _mlp()
    for _ in range(3):
        assert model(X).shape == (4, 3)
    model.add(layers.Dense(2))
    for _ in range(3):
        assert model(X).shape == (4, 2)
    model.pop()
    for _ in range(3):
        assert model(X).shape == (4, 3)


def test_python_of_the_user_runs_each_time() -> None:
    calls: list[str] = []

    class Noting(layers.Layer):
        def call(self, x: Any) -> Any:
            calls.append("layer")
            return x

    def note(x: Any) -> Any:
        calls.append("function")
        return x

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x: Any) -> Any:
            calls.append("model")
            return self.dense(x)

    for model, expected in (
        (_mlp(Noting()), "layer"),
        (_mlp(layers.Lambda(note)), "function"),
        (_mlp(layers.Dense(4, activation=note)), "function"),
        (Own(), "model"),
    ):
        calls.clear()
        model(X)
        calls.clear()
        for _ in range(4):
            model(X)
        assert calls == [expected] * 4
        assert _programs(model) == 0


def test_an_instance_attribute_in_place_of_call() -> None:
    model = _mlp()
    for _ in range(3):
        model(X)
    dense = model.layers[0]
    dense.call = lambda x: ops.zeros((4, 5))
    for _ in range(3):
        np.testing.assert_allclose(model(X), np.zeros((4, 3)), atol=1e-6)


def test_losses_of_calls_stay() -> None:
    model = _mlp(layers.ActivityRegularization(l2=0.1))
    for factor in (1, 2, 3, 4):
        model(X * factor)
        assert len(model.losses) == 1
    assert float(model.losses[0]) > 0
    assert _programs(model) == 0


def test_masks_are_carried() -> None:
    model = keras.Sequential([keras.Input((5,)), layers.Embedding(7, 3, mask_zero=True)])
    x = np.array([[1, 2, 0, 0, 0]])
    for _ in range(3):
        y = model(x)
        assert y._keras_mask.numpy().tolist() == [[True, True, False, False, False]]


def test_gradients_through_a_model() -> None:
    model = _mlp()
    x = ops.convert_to_tensor(X)
    for _ in range(3):
        model(x)
    for _ in range(3):
        with keras.GradientTape() as tape:
            loss = ops.sum(model(x))
        (gradient,) = tape.gradient(loss, [model.layers[-1].bias])
        np.testing.assert_allclose(gradient, np.full(3, 4.0))


def test_inputs_and_outputs_in_structures() -> None:
    a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
    model = keras.Model({"a": a, "b": b}, {"sum": a + b, "both": [a * 2.0, b]})
    for _ in range(4):
        y = model({"a": ops.convert_to_tensor(X), "b": ops.convert_to_tensor(X * 3)})
        np.testing.assert_allclose(y["sum"], X * 4, rtol=1e-6)
        np.testing.assert_allclose(y["both"][0], X * 2)
        np.testing.assert_allclose(y["both"][1], X * 3)
    assert _programs(model) == 1
    pair = keras.Model([a, b], a - b)
    for _ in range(4):
        np.testing.assert_allclose(pair([X, X * 3]), X * -2, rtol=1e-6)
    assert _programs(pair) == 1


def test_wrong_inputs_complain_each_time() -> None:
    model = _mlp()
    for _ in range(3):
        model(X)
    for _ in range(3):
        with pytest.raises(ValueError, match="incompatible"):
            model(np.ones((2, 7), "float32"))
    a, b = keras.Input((6,)), keras.Input((6,))
    pair = keras.Model([a, b], a - b)
    for _ in range(3):
        with pytest.raises(ValueError, match="mix tensors"):
            pair([X, ops.convert_to_tensor(X)])
        with pytest.raises(ValueError, match="mix tensors"):
            pair([ops.convert_to_tensor(X), X])


def test_run_eagerly_and_fit_in_between() -> None:
    model = _mlp()
    model.compile("sgd", "mse")
    for _ in range(3):
        model(X)
        model.fit(X, np.ones((4, 3)), verbose=0)
        np.testing.assert_allclose(model(X), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    model.run_eagerly = True
    np.testing.assert_allclose(model(X), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


def test_copies_and_pickles_have_programs_of_their_own() -> None:
    model = _mlp()
    for _ in range(3):
        model(X)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        other.layers[-1].bias.assign(np.full(3, 7.0, np.float32))
        for _ in range(3):
            np.testing.assert_allclose(other(X), model(X).numpy() + 7.0, rtol=1e-4, atol=1e-4)


def test_many_shapes_keep_few_programs() -> None:
    model = keras.Sequential([keras.Input((None, 6)), layers.Dense(2)])
    for length in range(1, 40):
        x = np.ones((1, length, 6), "float32")
        for _ in range(2):
            assert model(x).shape == (1, length, 2)
    assert _programs(model) <= 16


def test_threads_call_one_model() -> None:
    model = _mlp()
    expected = model(X).numpy()
    wrong: list[Any] = []

    def ask() -> None:
        for _ in range(50):
            if not np.allclose(model(X), expected, rtol=1e-5, atol=1e-6):
                wrong.append(1)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_predict_of_one_sample() -> None:
    model = _mlp()
    for x in (X[:1], X[1:3], X[::2], X[:1].astype(np.float64), X[:1].astype(">f4")):
        first = model.predict(x, verbose=0)
        assert first.flags.writeable
        for _ in range(3):
            again = model.predict(x, verbose=0)
            assert again.dtype == np.float32
            assert not np.shares_memory(again, first)
            np.testing.assert_array_equal(again, first)
    with pytest.raises(ValueError, match="batch_size"):
        model.predict(X[:1], batch_size=0)


def test_predict_of_one_batch_of_bfloat16() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="pip install ml_dtypes")
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3, dtype="mixed_bfloat16")])
    x = np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 6)
    wanted = np.asarray(model(x))
    for _ in range(3):  # the second call takes the short way
        found = model.predict(x, verbose=0)
        assert found.dtype == ml_dtypes.bfloat16 and found.shape == (2, 3)
        np.testing.assert_array_equal(found.astype(np.float32), wanted.astype(np.float32))
