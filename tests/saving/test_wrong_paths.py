"""Paths of no format, of no folder, of an older save's arguments: one clear error each."""

import os

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers


@pytest.fixture
def model():
    return keras.Sequential([keras.Input((3,)), layers.Dense(2)])


@pytest.mark.parametrize("name", ["a.txt", "a", "a.pb", "a.safetensors"])
def test_files_of_no_model(name, model, tmp_path) -> None:
    (tmp_path / name).write_bytes(b"text")
    with pytest.raises(ValueError, match="File format not supported: filepath=.*load_weights"):
        keras.saving.load_model(tmp_path / name)


@pytest.mark.parametrize("name", ["a.txt", "a", "a.pb"])
def test_files_of_no_weights(name, model, tmp_path) -> None:
    (tmp_path / name).write_bytes(b"text")
    before = model.get_weights()
    with pytest.raises(ValueError, match="File format not supported: filepath="):
        model.load_weights(tmp_path / name)
    for a, b in zip(model.get_weights(), before):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("save_format", ["tf", "h5", "keras", None])
def test_save_format_is_named(save_format, model, tmp_path) -> None:
    with pytest.raises(ValueError, match="The `save_format` argument is deprecated"):
        model.save(tmp_path / "a.keras", save_format=save_format)
    assert os.listdir(tmp_path) == []


def test_folders_of_legacy_files_are_made(model, tmp_path) -> None:
    model.save(tmp_path / "a/b/m.h5")
    assert (tmp_path / "a/b/m.h5").exists()
    for name in ("c/m.keras", "c/m.weights.h5", "c/m.safetensors", "c/m.npz"):
        save = model.save if name.endswith(".keras") else model.save_weights
        with pytest.raises(FileNotFoundError, match="expected an existing folder"):
            save(tmp_path / name)
    assert not (tmp_path / "c").exists()


def test_files_under_the_name_of_another_format(model, tmp_path) -> None:
    model.save(tmp_path / "a.keras")
    model.save(tmp_path / "a.h5")
    (tmp_path / "a.h5").rename(tmp_path / "is_h5.keras")
    (tmp_path / "a.keras").rename(tmp_path / "is_keras.h5")
    for name, what in {"is_h5.keras": "an HDF5 file", "is_keras.h5": "a zip archive"}.items():
        with pytest.raises(ValueError, match=f"expected .* Received: {what}"):
            keras.saving.load_model(tmp_path / name)
    for name in ("empty.keras", "empty.h5"):
        (tmp_path / name).touch()
        with pytest.raises(ValueError, match="Received: an empty file"):
            keras.saving.load_model(tmp_path / name)
    with pytest.raises(ValueError, match="File not found.*get_file"):
        keras.saving.load_model("https://example.com/a.keras")
    with pytest.raises(TypeError, match="custom_objects must be a dict"):
        keras.saving.load_model(tmp_path / "empty.h5", custom_objects=[model])


@pytest.mark.parametrize("ending", ["weights.h5", "safetensors", "npz", "keras", "h5"])
def test_weights_for_a_model_that_is_not_built(ending, model, tmp_path) -> None:
    path = tmp_path / f"a.{ending}"
    (model.save if ending in ("keras", "h5") else model.save_weights)(path)
    with pytest.raises(ValueError, match="is not built.*Call it on data"):
        keras.Sequential([layers.Dense(2)]).load_weights(path)


def test_models_with_a_call_of_their_own_are_no_h5_files(tmp_path) -> None:
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="Sequential and functional models. Received: Own"):
        Own().save(tmp_path / "a.h5")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["{}", "[1]", "1", '{"a": 1}'])
def test_json_that_is_no_model(text) -> None:
    with pytest.raises(ValueError, match="JSON object with a class_name"):
        keras.models.model_from_json(text)
    with pytest.raises(TypeError, match="must be the text"):
        keras.models.model_from_json({"class_name": "Dense"})
