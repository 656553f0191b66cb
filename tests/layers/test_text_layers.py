"""Text and category layers: special cases and errors that the golden numbers do not cover."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers


class TestStringLookup:
    def test_inverts(self) -> None:
        layer = layers.StringLookup(vocabulary=["a", "b"], mask_token="", invert=True)
        found = layer(np.array([[0, 1], [2, 3], [9, -1]]))
        assert found.tolist() == [["", "[UNK]"], ["a", "b"], ["[UNK]", "[UNK]"]]

    def test_special_tokens_in_the_vocabulary(self) -> None:
        layer = layers.StringLookup(vocabulary=["", "[UNK]", "a"], mask_token="")
        assert layer.get_vocabulary() == ["", "[UNK]", "a"]
        assert layer.get_vocabulary(include_special_tokens=False) == ["a"]
        assert layer.vocabulary_size() == 3

    @pytest.mark.parametrize(
        ("vocabulary", "match"),
        [
            ([], "empty vocabulary"),
            (["a", "b", "a"], "repeated term"),
            (["a", "[UNK]"], "reserved OOV token"),
            (["a", 3], "expected strings"),
            ("/no/such/file", "does not exist"),
        ],
    )
    def test_vocabularies_that_are_refused(self, vocabulary: Any, match: str) -> None:
        layer = layers.StringLookup(vocabulary=["x"])
        with pytest.raises((ValueError, TypeError), match=match):
            layer.set_vocabulary(vocabulary)
        assert layer.get_vocabulary() == ["[UNK]", "x"]

    def test_too_long_a_vocabulary(self) -> None:
        with pytest.raises(ValueError, match="at most `max_tokens`"):
            layers.StringLookup(vocabulary=["a", "b"], max_tokens=2)

    def test_vocabulary_file(self, tmp_path: pathlib.Path) -> None:
        path = tmp_path / "words.txt"
        path.write_text("b\na\né\n", encoding="utf-8")
        layer = layers.StringLookup(vocabulary=str(path))
        assert layer(["é", "b"]).numpy().tolist() == [3, 1]
        config = layer.get_config()
        assert config["vocabulary"] is None and config["vocabulary_size"] == 4
        with pytest.raises(ValueError, match="must hold its vocabulary"):
            layers.StringLookup.from_config({**config, "vocabulary": str(path)})

    def test_bytes_and_their_errors(self) -> None:
        layer = layers.StringLookup(vocabulary=["é"])
        assert layer([["é".encode()], [b"x"]]).numpy().tolist() == [[1], [0]]
        latin = layers.StringLookup(vocabulary=["é"], encoding="latin-1")
        assert latin(["é".encode("latin-1")]).numpy().tolist() == [1]
        with pytest.raises(ValueError, match=r"position \(1, 0\) is not valid utf-8"):
            layer([[b"ok"], ["é".encode("latin-1")]])
        with pytest.raises(TypeError, match="expected strings"):
            layer(np.arange(3))
        with pytest.raises(ValueError, match="equal lengths"):
            layer([["a"], ["b", "c"]])

    def test_no_index_for_unknown_strings(self) -> None:
        layer = layers.StringLookup(vocabulary=["a"], num_oov_indices=0)
        with pytest.raises(ValueError, match=r"\['z', 'y'\] \(position 1\)"):
            layer(["a", "z", "y"])

    def test_without_a_vocabulary(self) -> None:
        with pytest.raises(ValueError, match="no vocabulary yet"):
            layers.StringLookup()(["a"])

    def test_inside_a_model(self) -> None:
        with pytest.raises(TypeError, match="before the model"):
            layers.StringLookup(vocabulary=["a"])(keras.Input((1,)))

    def test_config_and_idf(self) -> None:
        layer = layers.StringLookup(output_mode="tf_idf", max_tokens=5, pad_to_max_tokens=True)
        layer.adapt([["a", "b"], ["b", "c"]])
        data = [["a", "a", "z"], ["c", "b", "b"]]
        copy = layers.StringLookup.from_config(
            {
                **layer.get_config(),
                "vocabulary": layer.get_vocabulary(),
                "idf_weights": layer.idf_weights,
            }
        )
        np.testing.assert_array_equal(copy(data), layer(data))
        again = layers.StringLookup.from_config(copy.get_config())
        np.testing.assert_array_equal(again(data), layer(data))
        assert copy(data).shape == (2, 5) == copy.compute_output_shape((2, 3))

    def test_batches_and_steps(self) -> None:
        layer = layers.StringLookup()
        layer.adapt(iter([np.array(["a"]), np.array(["b"]), np.array(["c"])]), steps=2)
        assert sorted(layer.get_vocabulary(False)) == ["a", "b"]


class TestIntegerLookup:
    @pytest.mark.parametrize(
        "arguments",
        [
            {},
            {"num_oov_indices": 3},
            {"mask_token": 7},
            {"mask_token": 7, "output_mode": "multi_hot"},
            {"output_mode": "one_hot"},
            {"output_mode": "count"},
        ],
        ids=str,
    )
    def test_the_same_inside_a_model(self, arguments: dict[str, Any]) -> None:
        layer = layers.IntegerLookup(vocabulary=[12, -3, 1000, 40], **arguments)
        x = np.array([[12, 7, 5], [-3, 1000, -4], [40, 41, 6]])
        inputs = keras.Input((3,), dtype="int64")
        model = keras.Model(inputs, layer(inputs))
        found = model.predict(x, verbose=0)
        np.testing.assert_array_equal(found, layer(x))
        assert model.output_shape[1:] == found.shape[1:]

    def test_inside_a_model_unknown_tokens_need_an_index(self) -> None:
        layer = layers.IntegerLookup(vocabulary=[1], num_oov_indices=0)
        inputs = keras.Input((3,), dtype="int64")
        model = keras.Model(inputs, layer(inputs))
        with pytest.raises(ValueError, match="unknown tokens need one index"):
            model.predict(np.ones((1, 3), "int64"), verbose=0)

    def test_errors(self) -> None:
        with pytest.raises(ValueError, match="vocabulary_dtype"):
            layers.IntegerLookup(vocabulary_dtype="float32")
        with pytest.raises(TypeError, match="expected integers"):
            layers.IntegerLookup(vocabulary=[1])(np.array([1.5]))
        with pytest.raises(ValueError, match="`salt` can only be used"):
            layers.IntegerLookup(vocabulary=[1], salt=3)


class TestTextVectorization:
    def test_shapes(self) -> None:
        layer = layers.TextVectorization(vocabulary=["a", "b"])
        assert layer("a b").shape == (2,)
        assert layer(["a b", "a"]).shape == (2, 2)
        assert layer([["a b"], ["a"]]).shape == (2, 2)
        assert layer([]).shape == (0, 0)
        with pytest.raises(ValueError, match="expected strings of shape"):
            layer([["a", "b"]])

    def test_own_functions(self) -> None:
        layer = layers.TextVectorization(
            standardize=lambda text: text.replace("x", " "), split=lambda text: text.split(" ")
        )
        layer.adapt(["axb", "bxc"])
        assert layer.get_vocabulary(False) == ["b", "c", "a"]
        assert layer(["bxcxa"]).numpy().tolist() == [[2, 3, 4]]

    def test_config(self) -> None:
        layer = layers.TextVectorization(ngrams=(1, 2), output_mode="tf_idf")
        layer.adapt(["one two three", "two three"])
        copy = layers.TextVectorization.from_config(layer.get_config())
        assert copy.vocabulary_size() == layer.vocabulary_size()
        copy.set_vocabulary(layer.get_vocabulary(), layer._lookup_layer.idf_weights)
        np.testing.assert_array_equal(copy(["two three four"]), layer(["two three four"]))

    @pytest.mark.parametrize(
        ("arguments", "match"),
        [
            ({"standardize": "upper"}, "standardize"),
            ({"split": "letters"}, "split"),
            ({"ngrams": 0}, "ngrams"),
            ({"output_mode": "vector"}, "output_mode"),
            ({"output_mode": "count", "output_sequence_length": 3}, "output_sequence_length"),
            ({"output_sequence_length": 0}, "output_sequence_length"),
            ({"ragged": True}, "not ragged"),
            ({"sparse": True, "output_mode": "count"}, "dense"),
        ],
        ids=str,
    )
    def test_arguments_that_are_refused(self, arguments: dict[str, Any], match: str) -> None:
        with pytest.raises(ValueError, match=match):
            layers.TextVectorization(**arguments)

    def test_not_text(self) -> None:
        layer = layers.TextVectorization(vocabulary=["a"])
        with pytest.raises(ValueError, match="is not valid utf-8"):
            layer([b"\xff"])
        with pytest.raises(TypeError, match="before the model"):
            layer(keras.Input((1,)))
        with pytest.raises(ValueError, match="no vocabulary yet"):
            layers.TextVectorization()(["a"])


def test_hashing_and_crossing_refuse() -> None:
    with pytest.raises(ValueError, match="num_bins"):
        layers.Hashing(0)
    with pytest.raises(ValueError, match="salt"):
        layers.Hashing(3, salt="x")
    with pytest.raises(ValueError, match="integer type"):
        layers.Hashing(3, dtype="float32")
    with pytest.raises(TypeError, match="integers or strings"):
        layers.Hashing(3)(np.array([1.5]))
    crossing = layers.HashedCrossing(4, output_mode="one_hot")
    assert crossing((np.array(["a", "b"]), np.array([1, 2]))).shape == (2, 4)
    with pytest.raises(ValueError, match="equal shape"):
        crossing((np.array(["a", "b"]), np.array([1, 2, 3])))
    with pytest.raises(ValueError, match="at least two"):
        crossing((np.array(["a", "b"]),))


def test_counts_of_long_texts_take_little_memory() -> None:
    # One-hot vectors of all words would be 60 GB.
    layer = layers.TextVectorization(50000, output_mode="count", pad_to_max_tokens=True)
    layer.adapt(["a b c"])
    texts = [f"{'a ' * 3000}b qux"] * 100
    counts = np.array(layer(texts))
    index = layer.get_vocabulary().index("a")
    assert counts.shape == (100, 50000)
    assert (counts[:, index] == 3000).all()
    assert (counts[:, 0] == 1).all()
    assert (counts.sum(1) == 3002).all()


@pytest.mark.parametrize("data", [np.array(["the cat"]), np.array([b"c"], object)])
def test_strings_given_to_a_model_say_where_they_belong(data) -> None:
    model = keras.Sequential([layers.Embedding(3, 2)])
    with pytest.raises(ValueError, match="TextVectorization.*on the data, before the model"):
        model(data)


def test_boundaries_from_what_tf_keras_stores(tmp_path) -> None:
    h5py = pytest.importorskip("h5py")
    layer = layers.Discretization(num_bins=4)
    model = keras.Sequential([keras.Input((1,)), layer])
    path = tmp_path / "a.weights.h5"
    with h5py.File(path, "w") as file:
        # Ten values, 1 to 10, of which each was there twice.
        file["layers/discretization/vars/0"] = np.array([np.arange(1, 11), [2] * 10], "float32")
    model.load_weights(path)
    np.testing.assert_allclose(layer.bin_boundaries, [2.5, 5.0, 7.5])
    with h5py.File(path, "w") as file:
        file["layers/discretization/vars/0"] = np.ones((3, 2), "float32")
    with pytest.raises(ValueError, match=r"Discretization .* expected shape \(2, -1\)"):
        model.load_weights(path)
