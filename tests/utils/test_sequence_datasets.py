"""pad_sequences, split_dataset, windows of series, texts of a directory."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers
from pronghorn.utils import (
    pad_sequences,
    split_dataset,
    text_dataset_from_directory,
    timeseries_dataset_from_array,
)


def test_pad_sequences() -> None:
    rows = [[1], [2, 3], [], [4, 5, 6]]
    assert pad_sequences(rows).tolist() == [[0, 0, 1], [0, 2, 3], [0, 0, 0], [4, 5, 6]]
    post = pad_sequences(rows, 2, padding="post", truncating="post", value=9)
    assert post.tolist() == [[1, 9], [2, 3], [9, 9], [4, 5]]
    assert pad_sequences(rows, 2).tolist()[-1] == [5, 6]
    vectors = pad_sequences([np.ones((1, 2)), np.ones((3, 2))], dtype="float32")
    assert vectors.shape == (2, 3, 2)
    words = pad_sequences([["a"], ["b", "c"]], dtype=object, value="-")
    assert words.tolist() == [["-", "a"], ["b", "c"]]
    assert pad_sequences([]).shape == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (([1, 2],), "non-iterable: 1 at position 0"),
        ((3,), "must be iterable"),
        (([[1]], None, "int32", "both"), "`padding`"),
        (([[1]], -1), "maxlen"),
        (([[1]], None, "int32", "pre", "pre", "x"), "dtype=object"),
        (([np.ones((2, 2)), np.ones((2, 3))],), "position 1"),
    ],
)
def test_pad_sequences_refuses(arguments: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        pad_sequences(*arguments)


def test_windows() -> None:
    x = np.arange(20)
    cases = ((3, 1, 1, None, None), (4, 2, 3, 2, 18), (1, 5, 1, 0, 19))
    for length, stride, rate, start, end in cases:
        data = timeseries_dataset_from_array(
            x, x * 10, length, stride, rate, batch_size=3, start_index=start, end_index=end
        )
        first, last = start or 0, len(x) if end is None else end
        starts = range(first, last - (length - 1) * rate, stride)
        expected = [[s + j * rate for j in range(length)] for s in starts]
        windows, targets = (np.concatenate(part).tolist() for part in zip(*data))
        assert windows == expected
        assert targets == [s * 10 for s in starts]
    alone = timeseries_dataset_from_array(x, None, 5, batch_size=None)
    assert len(alone) == 16
    assert alone[15].tolist() == [15, 16, 17, 18, 19]
    few = timeseries_dataset_from_array(x, x[:4], 5)
    assert len(few[0][1]) == 4


def test_windows_are_shuffled_by_seed() -> None:
    x = np.random.default_rng(0).random((100, 2)).astype("float32")

    def passes(seed: int) -> list[list[float]]:
        data = timeseries_dataset_from_array(x, x[:, 0], 3, shuffle=True, seed=seed, batch_size=7)
        return [np.concatenate([y for _, y in data]).tolist() for _ in range(2)]

    first = passes(1)
    assert first == passes(1)
    assert first[0] != first[1]
    assert first[0] != passes(2)[0]
    assert sorted(first[0]) == sorted(x[:98, 0].tolist())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"sequence_length": 0}, "sequence_length"),
        ({"sampling_rate": 0}, "sampling_rate"),
        ({"sequence_stride": 10}, "lower than the length"),
        ({"start_index": 10}, "start_index"),
        ({"start_index": 5, "end_index": 5}, "end_index"),
        ({"end_index": 11}, "end_index"),
        ({"sequence_length": 11}, "room for a window"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_windows_refuse(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        timeseries_dataset_from_array(np.arange(10), None, **{"sequence_length": 2, **arguments})


def test_fit_on_windows() -> None:
    series = np.sin(np.arange(300) / 5).astype("float32")[:, None]
    data = timeseries_dataset_from_array(series[:-8], series[8:], 8, batch_size=32, shuffle=True)
    model = keras.Sequential([keras.Input((8, 1)), layers.Flatten(), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.05), "mse")
    history = model.fit(data, epochs=30, verbose=0).history["loss"]
    assert history[-1] < 0.01


def test_split_dataset() -> None:
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    left, right = split_dataset((x, y), left_size=0.7)
    assert (len(left), len(right)) == (7, 3)
    assert right[0][0].tolist() == [14, 15]
    batches = list(left.batch(4))
    assert [b[0].shape for b in batches] == [(4, 2), (3, 2)]
    assert len(left.batch(4, drop_remainder=True)) == 1
    parts = split_dataset({"a": x}, left_size=2, right_size=3, shuffle=True, seed=1)
    rows = [int(s["a"][0]) for part in parts for s in part]
    assert len(set(rows)) == 5
    again = split_dataset({"a": x}, left_size=2, right_size=3, shuffle=True, seed=1)
    assert rows == [int(s["a"][0]) for part in again for s in part]
    nested, _ = split_dataset(left, right_size=0.5)
    assert len(nested) == 3


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((np.arange(5),), ValueError, "At least one"),
        ((np.arange(5), 1.5), ValueError, "left_size"),
        ((np.arange(5), 5), ValueError, "left_size"),
        ((np.arange(5), 3, 3), ValueError, "at most"),
        (([np.arange(5), np.arange(4)], 2), ValueError, "one number of rows"),
        ((iter([1]), 2), TypeError, "samples by number"),
    ],
)
def test_split_dataset_refuses(arguments: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        split_dataset(*arguments)


def test_texts(tmp_path: Path) -> None:
    texts = {"good": ["a fine day", "fine and größer"], "bad": ["a rainy day", "rainy and cold"]}
    for name, of_class in texts.items():
        (tmp_path / name).mkdir()
        for i, text in enumerate(of_class):
            (tmp_path / name / f"{i}.txt").write_text(text, encoding="utf-8")
    data = text_dataset_from_directory(tmp_path, shuffle=False, batch_size=3, verbose=False)
    x, y = data[0]
    assert x.tolist() == ["a rainy day", "rainy and cold", "a fine day"]
    assert y.tolist() == [0, 0, 1]
    cut = text_dataset_from_directory(tmp_path, max_length=3, shuffle=False, verbose=False)
    assert cut[0][0].tolist() == ["a r", "rai", "a f", "fin"]

    vectorize = layers.TextVectorization(output_mode="multi_hot")
    vectorize.adapt(np.array([text for of_class in texts.values() for text in of_class]))
    mapped = data.map(lambda texts, labels: (vectorize(texts), labels))
    keras.utils.set_random_seed(1)
    model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    model.fit(mapped, epochs=40, verbose=0)
    assert model.evaluate(mapped, verbose=0)[1] == 1.0

    (tmp_path / "good" / "2.txt").write_bytes("größer".encode("latin-1"))
    data = text_dataset_from_directory(tmp_path, verbose=False)
    with pytest.raises(ValueError, match=r"2\.txt, whose byte 2 is 0xf6.*iconv"):
        list(data)
    with pytest.raises(ValueError, match="max_length"):
        text_dataset_from_directory(tmp_path, max_length=0)


@pytest.mark.parametrize("name", ["sequences", "samples", "timeseries_dataset"])
def test_examples_in_docstrings(name: str) -> None:
    module = importlib.import_module(f"pronghorn.utils.{name}")
    assert doctest.testmod(module).failed == 0
