"""Token ids outside of an Embedding's vocabulary: named before anything runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers

ROWS = 40


def _model(dtype: str = "int32", **kwargs: Any) -> Any:
    model = keras.Sequential(
        [
            keras.Input((6,), dtype=dtype),
            layers.Embedding(10, 4, name="words", **kwargs),
            layers.LSTM(3),
            layers.Dense(2),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def _data(row: int, column: int, value: float, dtype: str = "int32") -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 10, (ROWS, 6)).astype(dtype)
    x[row, column] = value
    return x, rng.integers(0, 2, ROWS)


def _state(model: Any) -> list[np.ndarray]:
    return [np.array(v) for v in (*model.weights, *model.optimizer.variables)]


def _message(row: Any, column: int, value: Any) -> str:
    return (
        r"Embedding 'words': expected ids from 0 to 9, the size of its vocabulary being 10. "
        rf"Received: inputs\[{row}, {column}\]={value}\."
    )


@pytest.mark.parametrize("value", [-1, 10, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("shuffle", [False, True])
def test_fit_names_row_and_step_and_changes_nothing(value: int, shuffle: bool) -> None:
    model = _model()
    good, y = _data(0, 0, 1)
    model.fit(good, y, batch_size=8, verbose=0)
    before = _state(model)
    x, _ = _data(33, 4, value)
    with pytest.raises(ValueError, match=_message(33, 4, value)):
        model.fit(x, y, batch_size=8, verbose=0, shuffle=shuffle)
    for a, b in zip(before, _state(model), strict=True):
        np.testing.assert_array_equal(a, b)
    model.fit(good, y, batch_size=8, verbose=0)


def test_a_short_last_batch_and_batches_of_a_generator() -> None:
    model = _model()
    x, y = _data(38, 1, 12)
    with pytest.raises(ValueError, match=_message(r"\d+", 1, 12)):
        model.fit(x, y, batch_size=16, verbose=0, shuffle=False)
    with pytest.raises(ValueError, match=_message(6, 1, 12)):
        model.fit(((x[i : i + 8], y[i : i + 8]) for i in range(0, ROWS, 8)), verbose=0)
    with pytest.raises(ValueError, match=_message(38, 1, 12)):
        model.train_on_batch(x, y)


def test_predict_evaluate_and_calls() -> None:
    model = _model()
    x, y = _data(3, 5, -7)
    for run in (
        lambda: model.predict(x, verbose=0),
        lambda: model.predict(x[:4], verbose=0),
        lambda: model.evaluate(x, y, verbose=0),
        lambda: model(x),
        lambda: layers.Embedding(10, 2, name="words")(x),
        lambda: keras.function(layers.Embedding(10, 2, name="words"))(x),
    ):
        with pytest.raises(ValueError, match=_message(3, 5, -7)):
            run()
    assert model.predict(x[:3], verbose=0).shape == (3, 2)
    with pytest.raises(ValueError, match=_message(0, 5, -7)):
        model.predict(x[3:4], verbose=0)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "int16", "float32"])
def test_other_dtypes_of_ids(dtype: str) -> None:
    model = _model(dtype)
    x, _ = _data(2, 2, 10, dtype)
    with pytest.raises(ValueError, match=_message(2, 2, 10)):
        model.predict(x, verbose=0)
    x[2, 2] = 9
    assert model.predict(x, verbose=0).shape == (ROWS, 2)
    if dtype == "float32":
        x[2, 2] = np.nan
        with pytest.raises(ValueError, match=_message(2, 2, "nan")):
            model.predict(x, verbose=0)
        x[2, 2] = 9.5  # cut off, as a cast does
        assert model.predict(x, verbose=0).shape == (ROWS, 2)


def test_two_tables_have_bounds_of_their_own() -> None:
    a, b = keras.Input((3,), dtype="int32"), keras.Input((2, 2), dtype="int32")
    y = layers.Add()(
        [
            layers.GlobalAveragePooling1D()(layers.Embedding(5, 4, name="first")(a)),
            layers.Flatten()(layers.Embedding(7, 1, name="second")(b)),
        ]
    )
    model = keras.Model([a, b], y)
    first, second = np.full((2, 3), 4), np.full((2, 2, 2), 6)
    assert model.predict([first, second], verbose=0).shape == (2, 4)
    with pytest.raises(ValueError, match=r"'first': .* 0 to 4, .*inputs\[0, 0\]=5"):
        model.predict([first + 1, second], verbose=0)
    second[1, 0, 1] = 7
    with pytest.raises(ValueError, match=r"'second': .* 0 to 6, .*inputs\[1, 0, 1\]=7"):
        model.predict([first, second], verbose=0)


def test_computed_ids_are_not_checked() -> None:
    x = keras.Input((3,), dtype="int32")
    model = keras.Model(x, layers.Embedding(4, 2)(x + 2))
    y = model.predict(np.array([[0, 1, 2]]), verbose=0)
    assert np.isfinite(y[0, :2]).all() and np.isnan(y[0, 2]).all()
