"""Vocabularies of `.keras` files: learned ones are assets, given ones are in the configuration."""

from __future__ import annotations

import json
import zipfile
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers

pytest.importorskip("h5py")


class Texts(keras.Model):
    """Holds layers of text, which are called before it."""

    def __init__(self, texts: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.texts = texts
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {**super().get_config(), "texts": keras.saving.serialize_keras_object(self.texts)}

    @classmethod
    def from_config(cls, config):
        texts = keras.saving.deserialize_keras_object(config["texts"])
        return cls(**{**config, "texts": texts})


def saved(path, *texts):
    model = Texts(list(texts))
    model(np.ones((1, 3), "float32"))
    model.save(path)
    return path


def loaded(path):
    return keras.saving.load_model(path, custom_objects={"Texts": Texts}).texts


def rewritten(path, change):
    """Writes the archive again with other members."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def words(**arguments):
    layer = layers.StringLookup(**arguments)
    layer.adapt(["b", "a", "é", "b"])
    return layer


ASSET = "assets/layers/string_lookup/vocabulary.txt"


def test_a_learned_vocabulary_is_an_asset(tmp_path) -> None:
    path = saved(tmp_path / "m.keras", words(mask_token=""))
    with zipfile.ZipFile(path) as archive:
        assert archive.read(ASSET).decode() == "\n[UNK]\nb\né\na"
        assert b"vocabulary_size" in archive.read("config.json")
        assert "é" not in archive.read("config.json").decode()
    (layer,) = loaded(path)
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "é", "a"]


def test_a_given_vocabulary_is_in_the_configuration(tmp_path) -> None:
    path = saved(tmp_path / "m.keras", layers.StringLookup(vocabulary=["x", "y"]))
    with zipfile.ZipFile(path) as archive:
        assert ASSET not in archive.namelist()
    assert loaded(path)[0].get_vocabulary() == ["[UNK]", "x", "y"]


def test_tokens_that_are_no_lines(tmp_path) -> None:
    layer = layers.TextVectorization(standardize=None, split="character")
    layer.adapt(["a\nb", "\u2028", ""])
    path = saved(tmp_path / "m.keras", layer)
    assert loaded(path)[0].get_vocabulary() == layer.get_vocabulary()


@pytest.mark.parametrize("pad", [False, True])
def test_weights_of_tokens(pad, tmp_path) -> None:
    layer = layers.TextVectorization(max_tokens=9, output_mode="tf_idf", pad_to_max_tokens=pad)
    layer.adapt(["a b", "b c", "c c d"])
    given = layers.TextVectorization(
        vocabulary=["u", "v"], idf_weights=[0.5, 2.0], output_mode="tf_idf"
    )
    path = saved(tmp_path / "m.keras", layer, given)
    for each, again in zip((layer, given), loaded(path)):
        data = ["a c e", "u v v"]
        np.testing.assert_array_equal(again(data), each(data))
        assert again.get_config() == {**each.get_config(), "dtype": again.get_config()["dtype"]}


def test_an_integer_lookup_inside_a_model(tmp_path) -> None:
    lookup = layers.IntegerLookup(output_mode="count")
    lookup.adapt(np.array([5, 5, 2, 9]))
    x = keras.Input((3,), dtype="int32")
    model = keras.Model(x, layers.Dense(2)(lookup(x)))
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    data = np.array([[5, 2, 7], [9, 9, 1]])
    np.testing.assert_array_equal(again.predict(data), model.predict(data))


def test_layers_that_have_learned_nothing(tmp_path) -> None:
    path = saved(tmp_path / "m.keras", layers.StringLookup(), layers.TextVectorization())
    for layer in loaded(path):
        with pytest.raises(ValueError, match="no vocabulary yet"):
            layer(["a"])
        layer.adapt(["a"])
        assert layer.get_vocabulary()[-1] == "a"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (b"[UNK]\na\na\nb", "repeated"),
        (b"[UNK]\na", "vocabulary of 4 tokens"),
        (b"[UNK]\na\xff\nb\nc", "UTF-8"),
        (b"x" * (2**26 + 1), "at most"),
    ],
)
def test_vocabularies_that_are_refused(text, match, tmp_path) -> None:
    path = saved(tmp_path / "m.keras", words())
    rewritten(path, lambda members: members.update({ASSET: text}))
    with pytest.raises(ValueError, match=match):
        loaded(path)


@pytest.mark.parametrize("size", [-1, "7", 2**40])
def test_a_size_that_is_none(size, tmp_path) -> None:
    path = saved(tmp_path / "m.keras", words())

    def change(members):
        config = json.loads(members["config.json"])
        config["config"]["texts"][0]["config"]["vocabulary_size"] = size
        members["config.json"] = json.dumps(config)

    with pytest.raises(ValueError, match="vocabulary_size must be a number of tokens"):
        loaded(rewritten(path, change))
