"""Losses, their weights and metrics of models with one and with several outputs."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers

X = np.random.default_rng(0).random((20, 4), "float32")
Y = [np.arange(20) % 3, X[:, :1]]
LOSSES = ["sparse_categorical_crossentropy", "mse"]


def model(names: bool = False) -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    a = layers.Dense(3, activation="softmax", name="a")(inputs)
    b = layers.Dense(1, name="b")(inputs)
    return keras.Model(inputs, {"a": a, "b": b} if names else [a, b])


def by_name(values: list) -> dict:
    return dict(zip(["a", "b"], values))


@pytest.mark.parametrize("weights", [[2.0, 0.5], (2.0, 0.5), {"b": 0.5, "a": 2.0}])
@pytest.mark.parametrize("losses", [LOSSES, by_name(LOSSES)])
@pytest.mark.parametrize("names", [False, True])
def test_loss_weights_count_in_every_form(names, losses, weights) -> None:
    found = model(names)
    found.compile("sgd", loss=losses, loss_weights=weights)
    logs = found.evaluate(X, by_name(Y) if names else Y, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(2 * logs["a_loss"] + 0.5 * logs["b_loss"], rel=1e-6)


@pytest.mark.parametrize("weight", [0.5, [0.5], {"only": 0.5}])
def test_loss_weight_of_one_output(weight) -> None:
    found = keras.Sequential([keras.Input((4,)), layers.Dense(1, name="only")])
    found.compile("sgd", "mse")
    whole = found.evaluate(X, Y[1], verbose=0)
    found.compile("sgd", "mse", loss_weights=weight)
    assert found.evaluate(X, Y[1], verbose=0) == pytest.approx(whole / 2, rel=1e-6)


@pytest.mark.parametrize("losses", [LOSSES, by_name(LOSSES), "mse"])
@pytest.mark.parametrize("weights", [[1.0], [1.0, 2.0, 3.0], {"a": 1.0, "bb": 1.0}])
def test_loss_weights_that_fit_no_output(losses, weights) -> None:
    found = model()
    found.compile("sgd", loss=losses, loss_weights=weights)
    with pytest.raises(ValueError, match="loss_weights"):
        found.fit(X, [np.eye(3)[Y[0]], Y[1]] if losses == "mse" else Y, verbose=0)


def test_order_of_what_evaluate_returns() -> None:
    # As in Keras: the losses, then the metrics of the outputs by name.
    found = model()
    found.compile("sgd", loss=LOSSES, metrics={"b": ["mse", "mae"], "a": ["accuracy"]})
    logs = found.evaluate(X, Y, verbose=0, return_dict=True)
    expected = ["loss", "a_loss", "b_loss", "a_accuracy", "b_mae", "b_mse"]
    assert found.evaluate(X, Y, verbose=0) == [logs[name] for name in expected]
    # One output: the metrics in the order of compile.
    single = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    single.compile("sgd", "mse", metrics=["mse", "cosine_similarity", "mae"])
    logs = single.evaluate(X, Y[1], verbose=0, return_dict=True)
    expected = ["loss", "mse", "cosine_similarity", "mae"]
    assert single.evaluate(X, Y[1], verbose=0) == [logs[name] for name in expected]


def test_functions_as_metrics_have_their_names() -> None:
    def difference(y_true, y_pred):
        return y_true - y_pred

    found = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    found.compile("sgd", "mse", metrics=[difference, lambda y_true, y_pred: y_pred])
    logs = found.evaluate(X, Y[1], verbose=0, return_dict=True)
    assert list(logs) == ["difference", "lambda", "loss"]


def test_sample_weight_of_one_output_by_its_name() -> None:
    found = keras.Sequential([keras.Input((4,)), layers.Dense(1, name="only")])
    found.compile("sgd", "mse")
    weight = np.arange(20.0)
    expected = found.evaluate(X, Y[1], sample_weight=weight, verbose=0)
    assert found.evaluate(X, Y[1], sample_weight={"only": weight}, verbose=0) == expected
    with pytest.raises(ValueError, match="'onli'.*Did you mean 'only'"):
        found.evaluate(X, Y[1], sample_weight={"onli": weight}, verbose=0)
