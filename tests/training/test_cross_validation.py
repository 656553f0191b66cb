"""k_fold and cross_validate: every row is held back once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers
from pronghorn.utils import k_fold


@pytest.mark.parametrize("rows,k", [(10, 5), (11, 3), (7, 7), (2, 2)])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("stratify", [False, True])
def test_every_row_is_held_back_once(rows: int, k: int, shuffle: bool, stratify: bool) -> None:
    labels = np.arange(rows) % 3 if stratify else None
    folds = k_fold(rows, k, shuffle, labels, seed=1)
    assert len(folds) == k
    assert sorted(np.concatenate([test for _, test in folds]).tolist()) == list(range(rows))
    for train, test in folds:
        assert sorted([*train, *test]) == list(range(rows))
        assert len(test) in (rows // k, rows // k + 1)


@pytest.mark.parametrize("one_hot", [False, True])
def test_parts_have_their_share_of_each_class(one_hot: bool) -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 7])
    given = keras.utils.to_categorical(labels) if one_hot else labels
    for _, test in k_fold(87, 4, stratify=given, seed=0):
        counts = np.bincount(labels[test], minlength=3)
        assert np.all(np.abs(counts - np.array([50, 30, 7]) / 4) < 1.01)


def test_seeds() -> None:
    def parts(seed: int | None) -> list[list[int]]:
        return [test.tolist() for _, test in k_fold(20, 4, seed=seed)]

    assert parts(1) == parts(1) != parts(2)
    keras.utils.set_random_seed(5)
    first, second = parts(None), parts(None)
    keras.utils.set_random_seed(5)
    assert first == parts(None) and first != second


def _model() -> keras.Model:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, activation="softmax")])
    model.compile(
        keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def _data() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(120, 3)).astype("float32")
    return x, (x[:, 0] > 0).astype("int32")


def test_cross_validate() -> None:
    x, y = _data()
    model = _model()
    before = model.get_weights()
    keras.utils.set_random_seed(0)
    scores = model.cross_validate(x, y, k=4, stratify=True, epochs=10, batch_size=16, verbose=0)
    assert set(scores) == {"loss", "accuracy"}
    assert len(scores["accuracy"]) == 4 and min(scores["accuracy"]) > 0.85
    for now, then in zip(model.get_weights(), before):
        np.testing.assert_array_equal(now, then)
    assert not model.optimizer.built


def test_several_inputs_and_weights() -> None:
    a, b = keras.Input((3,)), keras.Input((1,))
    model = keras.Model({"a": a, "b": b}, layers.Dense(1)(layers.concatenate([a, b])))
    model.compile("sgd", "mean_squared_error")
    x, y = _data()
    inputs: Any = {"a": x, "b": x[:, :1].tolist()}
    scores = model.cross_validate(inputs, y, np.ones(120), k=3, epochs=1, verbose=0)
    assert len(scores["loss"]) == 3


def test_a_clone_never_sees_the_rows_held_back() -> None:
    x, y = _data()
    seen: list[set[float]] = []

    class Watch(keras.Model):
        def call(self, inputs: Any) -> Any:
            return inputs

        def fit(self, x: Any, y: Any = None, **kwargs: Any) -> Any:
            seen.append(set(x[:, 0].tolist()))

        def evaluate(self, x: Any, y: Any = None, **kwargs: Any) -> Any:
            assert not seen[-1] & set(x[:, 0].tolist())
            return {"loss": 0.0}

    model = Watch()
    model.compile("sgd", "mean_squared_error")
    assert model.cross_validate(x, x, k=3) == {"loss": [0.0, 0.0, 0.0]}
    assert [len(rows) for rows in seen] == [80, 80, 80]


def test_refusals() -> None:
    x, y = _data()
    for k in (1, 11, 2.5, True):
        with pytest.raises(ValueError) as info:
            k_fold(10, k)  # type: ignore[arg-type]
        assert str(info.value) == (
            f"k_fold: k must be an integer from 2 to the number of rows, 10. Received: k={k!r}."
        )
    with pytest.raises(ValueError) as shape:
        k_fold(10, 2, stratify=np.zeros(9))
    assert str(shape.value) == (
        "k_fold: stratify must be labels of shape (10,) or (10, classes). "
        "Received: stratify.shape=(9,)."
    )
    with pytest.raises(ValueError, match="so it takes no validation_data"):
        _model().cross_validate(x, y, validation_data=(x, y))
    with pytest.raises(ValueError) as lengths:
        _model().cross_validate(x, y[:-1])
    assert str(lengths.value) == (
        "cross_validate: expected the same number of samples in all arrays. Received: [119, 120]."
    )
