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
