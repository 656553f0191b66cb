"""Layers for text and categories, and what they are called on: used with Keras and pronghorn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

_WORDS = [
    *("", "a", "ab", "abcd", "abcdefgh", "abcdefghijklmnop", "abcdefghijklmnopqrstu", "x" * 33),
    *("y" * 64, "z" * 65, "hello world " * 12, "w" * 128, "q" * 200, "été", "日本語"),
]
_DOCUMENTS = [
    "The cat sat, on the mat!",
    "A dog sat. on THE log",
    "cats & dogs: the end",
    "déjà vu the cat",
]
_STRINGS = [["a", "b", ""], ["b", "c", "b"], ["d", "a", "e"]]
_INTEGERS = [[5, 5, 0], [7, 7, 7], [9, 5, 2]]

_VECTORIZATION: list[dict[str, Any]] = [
    {},
    {"max_tokens": 6},
    {"output_mode": "multi_hot"},
    {"output_mode": "count", "pad_to_max_tokens": True, "max_tokens": 30},
    {"output_mode": "tf_idf"},
    {"ngrams": 2},
    {"ngrams": (1, 3)},
    {"split": "character"},
    {"standardize": "lower"},
    {"standardize": None},
    {"output_sequence_length": 3},
    {"split": None, "standardize": "strip_punctuation"},
]
_STRING_LOOKUP: list[dict[str, Any]] = [
    {},
    {"num_oov_indices": 3},
    {"num_oov_indices": 4, "salt": [3, 5]},
    {"mask_token": ""},
    {"output_mode": "multi_hot"},
    {"output_mode": "tf_idf"},
    {"output_mode": "count", "mask_token": ""},
]
_INTEGER_LOOKUP: list[dict[str, Any]] = [
    {},
    {"num_oov_indices": 3},
    {"num_oov_indices": 3, "oov_method": "farmhash"},
    {"mask_token": 0},
    {"output_mode": "one_hot"},
    {"max_tokens": 3},
]


def results(layers: Any) -> Iterator[tuple[str, Any]]:
    """Yields names, and outputs or vocabularies, of the layers of a library."""
    words = np.array(_WORDS)
    yield "hashing", layers.Hashing(1000003)(words)
    yield "hashing salt", layers.Hashing(1000003, salt=[133, 137])(words)
    yield "hashing integers", layers.Hashing(97)(np.array([1, 2, -5, 100000]))
    yield "hashing mask", layers.Hashing(5, mask_value="a")(words)
    letters, numbers = np.array(["A", "B", "A"]), np.array([101, 101, -102])
    yield "crossing", layers.HashedCrossing(1000)((letters, numbers))
    third = np.array(["x", "y", "zzz"])
    yield "crossing of three", layers.HashedCrossing(1000)((letters, np.abs(numbers), third))
    for cls, cases, data, inputs in (
        ("TextVectorization", _VECTORIZATION, _DOCUMENTS, ["the cat & the bird", "", "zzz"]),
        ("StringLookup", _STRING_LOOKUP, _STRINGS, [["a", "zz", ""], ["yy", "xx", "b"]]),
        ("IntegerLookup", _INTEGER_LOOKUP, np.array(_INTEGERS), [[5, 1, 0], [7, 100, -3]]),
    ):
        for arguments in cases:
            layer = getattr(layers, cls)(**arguments)
            layer.adapt(data)
            yield f"{cls} {arguments} vocabulary", layer.get_vocabulary()
            yield f"{cls} {arguments}", layer(np.array(inputs))
