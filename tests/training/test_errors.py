"""Bad input: an error in the user's words, before a kernel runs, and nothing changed."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers

X = np.random.default_rng(0).random((20, 4), "float32")
Y = np.arange(20) % 3


def model() -> keras.Model:
    found = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    found.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return found


def generator():
    yield X, Y


RAGGED = np.array([[1.0, 2.0], [3.0]], dtype=object)
CASES = {
    "empty": (lambda m: m.fit(X[:0], Y[:0]), ValueError, r"at least one sample.*\(0, 4\)"),
    "nothing": (lambda m: m.fit(), ValueError, "expected arrays"),
    "lengths": (lambda m: m.fit(X, Y[:7]), ValueError, r"len\(x\)=20, len\(y\)=7"),
    "weights": (
        lambda m: m.fit(X, Y, sample_weight=np.ones(3)),
        ValueError,
        r"len\(sample_weight\)=3",
    ),
    "objects": (lambda m: m.fit(RAGGED, Y[:2]), ValueError, "dtype=object.*pad them"),
    "strings": (lambda m: m.fit(np.array(["a"] * 20), Y), ValueError, "numbers or booleans"),
    "lists": (lambda m: m.fit([X.tolist(), "a"], Y), ValueError, r"np\.array\(x\)"),
    "lists of rows that differ": (lambda m: m.fit([[1, 2], [1]], [1, 2]), ValueError, "pad|Pad"),
    "rows of a batch": (lambda m: m.train_on_batch(X, Y[:7]), ValueError, "for each sample"),
    "scalar": (lambda m: m.fit(np.float32(1), Y), ValueError, "expected arrays|scalar"),
    "rank": (lambda m: m.fit(X[:, None, None], Y), ValueError, r"\(.*1, 1, 4\)"),
    "width": (lambda m: m.fit(X[:, :3], Y), ValueError, r"4.*3|3.*4"),
    "label": (
        lambda m: m.fit(X, np.where(np.arange(20) == 11, 3, Y)),
        ValueError,
        r"(?s)11.*",
    ),
    "negative label": (lambda m: m.fit(X, Y - 1), ValueError, "-1"),
    "one-hot": (lambda m: m.fit(X, np.eye(3)[Y]), ValueError, r"\(20, 3\)"),
    "rows in a list": (lambda m: m.fit(list(X), Y), ValueError, "21 arrays: is it a list of rows"),
    "deque": (lambda m: m.fit(deque([(X, Y)] * 2)), ValueError, "x of type deque"),
    "halves": (lambda m: m.fit(X, Y + 0.5), ValueError, "whole numbers"),
    "one-hot hint": (lambda m: m.fit(X, np.eye(3)[Y]), ValueError, "categorical_crossentropy"),
    "validation labels": (
        lambda m: m.fit(X, Y, validation_data=(X, Y + 1)),
        ValueError,
        r"y_true\[2\]=3",
    ),
    "split labels": (
        lambda m: m.fit(X, np.where(np.arange(20) == 19, 3, Y), validation_split=0.2),
        ValueError,
        "=3",
    ),
    "validation width": (
        lambda m: m.fit(X, Y, validation_data=(X[:, :3], Y)),
        ValueError,
        "3",
    ),
    "validation one-hot": (
        lambda m: m.fit(X, Y, validation_data=(X, np.eye(3)[Y])),
        ValueError,
        "categorical_crossentropy",
    ),
    "validation without targets": (
        lambda m: m.fit(X, Y, validation_data=X),
        ValueError,
        "needs targets",
    ),
    "weights of another type": (lambda m: m.set_weights(3), ValueError, "of type int"),
    "no targets": (lambda m: m.fit(X), ValueError, "needs targets"),
    "batch_size 0": (lambda m: m.fit(X, Y, batch_size=0), ValueError, "batch_size=0"),
    "batch_size 1.5": (lambda m: m.fit(X, Y, batch_size=1.5), ValueError, r"batch_size=1\.5"),
    "epochs": (lambda m: m.fit(X, Y, epochs=-1), ValueError, "epochs=-1"),
    "steps": (lambda m: m.fit(X, Y, steps_per_epoch=0), ValueError, "steps_per_epoch=0"),
    "verbose": (lambda m: m.fit(X, Y, verbose=7), ValueError, "verbose=7"),
    "shuffle": (lambda m: m.fit(X, Y, shuffle="rows"), ValueError, "shuffle='rows'"),
    "split": (lambda m: m.fit(X, Y, validation_split=1.5), ValueError, "validation_split=1.5"),
    "small split": (lambda m: m.fit(X, Y, validation_split=0.99), ValueError, "not sufficient"),
    "split of a generator": (
        lambda m: m.fit(generator(), validation_split=0.1),
        ValueError,
        "only supported for tensors or NumPy arrays",
    ),
    "y beside a generator": (lambda m: m.fit(generator(), Y), ValueError, "y: must not be given"),
    "frequency": (
        lambda m: m.fit(X, Y, validation_data=(X, Y), validation_freq=0),
        ValueError,
        "validation_freq=0",
    ),
    "class weights": (lambda m: m.fit(X, Y, class_weight=[1, 2]), ValueError, r"\[1, 2\]"),
    "callback": (
        lambda m: m.fit(X, Y, callbacks=[keras.callbacks.History]),
        ValueError,
        "instances",
    ),
    "empty generator": (lambda m: m.fit(iter(())), ValueError, "at least one batch"),
    "unknown evaluate": (lambda m: m.evaluate(X, Y, workers=2), ValueError, "workers"),
    "predict rank": (lambda m: m.predict(X[:, :2]), ValueError, "2"),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_changes_nothing(name: str) -> None:
    call, error, message = CASES[name]
    trained = model()
    trained.fit(X, Y, verbose=0)
    weights = trained.get_weights()
    state = [v.numpy() for v in trained.optimizer.variables]
    with pytest.raises(error, match=message):
        call(trained)
    assert all(np.array_equal(a, b) for a, b in zip(weights, trained.get_weights()))
    after = [v.numpy() for v in trained.optimizer.variables]
    assert all(np.array_equal(a, b) for a, b in zip(state, after))
    trained.fit(X, Y, verbose=0)


def test_wrong_labels_name_label_and_index() -> None:
    y = Y.copy()
    y[11] = 7
    with pytest.raises(ValueError) as caught:
        model().fit(X, y)
    assert "7" in str(caught.value) and "11" in str(caught.value)


def test_wrong_labels_are_found_where_steps_run_eagerly() -> None:
    found = model()
    found.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    with pytest.raises(ValueError, match=r"y_true\[2\]=3"):
        found.fit(X, Y + 1, shuffle=False, verbose=0)
    with pytest.raises(FileNotFoundError, match="existing file"):
        found.load_weights("nowhere.weights.h5")


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_methods_before_compile(method: str) -> None:
    with pytest.raises(ValueError, match=r"compile\(\)"):
        getattr(keras.Sequential([layers.Dense(1)]), method)(X, Y)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "mean_sqared_error"}, "(?s)mean_sqared_error.*mean_squared_error"),
        ({"metrics": ["acuracy"]}, "(?s)acuracy.*accuracy"),
        ({"optimizer": "adan"}, "(?s)adan.*adam"),
        ({"metrics": "accuracy"}, "list"),
        ({"metrics": [3]}, "3"),
        ({"jit_compile": "yes"}, "jit_compile"),
        ({"steps_per_execution": 0}, "steps_per_execution=0"),
        ({"loss_weights": "a"}, "loss_weights"),
    ],
)
def test_compile_checks_its_arguments(settings, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        keras.Sequential([layers.Dense(1)]).compile(**{"loss": "mse", **settings})


def test_a_loss_for_an_output_that_does_not_exist() -> None:
    inputs = keras.Input((4,))
    found = keras.Model(
        inputs, [layers.Dense(1, name="a")(inputs), layers.Dense(1, name="b")(inputs)]
    )
    found.compile("sgd", loss={"a": "mse", "bb": "mse"})
    with pytest.raises(ValueError, match="'bb'.*Did you mean 'b'"):
        found.fit(X, [X[:, :1], X[:, :1]], verbose=0)


def test_no_loss_at_all() -> None:
    found = keras.Sequential([layers.Dense(1)])
    found.compile("sgd")
    with pytest.raises(ValueError, match="no loss to compute"):
        found.fit(X, Y, verbose=0)


def test_nan_names_the_step() -> None:
    x = X.copy()
    x[13] = np.nan
    found = model()
    callback = keras.callbacks.TerminateOnNaN(raise_error=True)
    with pytest.raises(RuntimeError, match="epoch 1, batch 3"):
        found.fit(x, Y, batch_size=4, shuffle=False, callbacks=[callback], verbose=0)


def test_a_python_branch_on_data_says_how_to_run_it() -> None:
    class Branching(keras.Model):
        def call(self, x):
            return x if float(keras.ops.sum(x)) > 0 else -x

    with pytest.raises(Exception, match="symbolic|trace"):
        Branching().predict(X)
