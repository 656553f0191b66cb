"""KerasFileEditor: arrays of a file are listed, compared, renamed, added, removed and written."""

import doctest

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers
from pronghorn.saving import KerasFileEditor, file_editor


def model(units=4, name="dense"):
    inner = keras.Sequential([layers.Dense(3), layers.BatchNormalization()], name="inner")
    found = keras.Sequential([keras.Input((2,)), layers.Dense(units, name=name), inner])
    found.compile("adam", "mse")
    return found


@pytest.fixture(params=[".keras", ".weights.h5"])
def path(request, tmp_path):
    found = str(tmp_path / f"m{request.param}")
    (model().save if request.param == ".keras" else model().save_weights)(found)
    return found


def test_summary_and_dict(path, capsys) -> None:
    editor = KerasFileEditor(path)
    editor.summary()
    lines = capsys.readouterr().out.splitlines()
    assert "    0: shape=(2, 4), dtype=float32" in lines
    assert "    layers" in lines and "      batch_normalization" in lines
    inner = editor.weights_dict["layers"]["sequential"]["layers"]
    assert inner["dense"]["0"].shape == (4, 3)
    assert len(inner["batch_normalization"]) == 4


def test_what_was_saved_comes_back(path, tmp_path) -> None:
    first = model()
    first.fit(np.ones((4, 2)), np.ones((4, 3)), verbose=0)
    first.save(path) if path.endswith(".keras") else first.save_weights(path)
    copy = str(tmp_path / "copy.weights.h5")
    KerasFileEditor(path).save(copy)
    second = model()
    second.load_weights(copy)
    for a, b in zip(first.get_weights(), second.get_weights()):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(first.optimizer.variables, second.optimizer.variables):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_compare(path, capsys) -> None:
    editor = KerasFileEditor(path)
    found = editor.compare(model())
    assert found == {"status": "success", "error_count": 0, "match_count": 10}
    found = editor.compare(model(units=5))
    assert found == {"status": "error", "error_count": 3, "match_count": 7}
    assert "Array layers/dense/0: model (2, 5), file (2, 4)" in capsys.readouterr().out
    other = keras.Sequential([keras.Input((2,)), layers.Dense(4), layers.Dense(3)])
    found = editor.compare(other)
    assert found == {"status": "error", "error_count": 4, "match_count": 2}


def test_a_file_is_changed_until_a_model_reads_it(path, tmp_path) -> None:
    editor = KerasFileEditor(path)
    kernel = editor.weights_dict["layers"]["dense"]["0"]
    editor.delete_object("sequential")
    editor.rename_object("layers/dense", "dense_1")
    editor.delete_weight("dense_1", "1")
    editor.add_weights("dense_1", {"1": np.full(4, 2.0, "float32")})
    editor.add_object("layers/dense", {"0": np.eye(2, dtype="float32"), "1": np.zeros(2)})
    editor.delete_object("optimizer")
    target = keras.Sequential([keras.Input((2,)), layers.Dense(2), layers.Dense(4)])
    assert editor.compare(target)["status"] == "success"
    changed = str(tmp_path / "new.weights.h5")
    editor.resave_weights(changed)
    target.load_weights(changed)
    for a, b in zip(target.get_weights(), [np.eye(2), np.zeros(2), kernel, np.full(4, 2.0)]):
        np.testing.assert_array_equal(a, b)


def test_bfloat16_and_scalars_stay(tmp_path) -> None:
    path = str(tmp_path / "m.weights.h5")
    first = keras.Sequential([keras.Input((2,)), layers.Dense(4, dtype="bfloat16")])
    first.save_weights(path)
    editor = KerasFileEditor(path)
    editor.add_weights("dense", {"2": np.float32(7.0)})
    editor.save(path)
    again = KerasFileEditor(path)
    assert again.weights_dict["layers"]["dense"]["2"] == 7.0
    again.delete_weight("dense", "2")
    again.save(path)
    second = keras.Sequential([keras.Input((2,)), layers.Dense(4, dtype="bfloat16")])
    second.load_weights(path)
    assert second.layers[0].kernel.dtype == "bfloat16"
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(keras.ops.cast(second.layers[0].kernel, "float32")),
        keras.ops.convert_to_numpy(keras.ops.cast(first.layers[0].kernel, "float32")),
    )


@pytest.mark.parametrize(
    ("act", "match"),
    [
        (lambda e: e.rename_object("nothing", "x"), "does not appear in the model"),
        (lambda e: e.rename_object("sequential", "dense"), "there already"),
        (lambda e: e.rename_object("sequential", "a/b"), "should not be a path"),
        (lambda e: e.delete_object("x/dense"), "does not appear"),
        (lambda e: e.delete_weight("layers/dense", "7"), "does not appear in object"),
        (lambda e: e.add_object("layers/dense", {}), "there already"),
        (lambda e: e.add_object("nowhere/dense", {}), "Parent 'nowhere'"),
        (lambda e: e.add_object("/", {}), "should be a path"),
        (lambda e: e.add_weights("layers/dense", {"0": np.zeros(2)}), "already"),
        (lambda e: e.add_weights("layers/dense", {"a/b": np.zeros(2)}), "plain text"),
        (lambda e: e.add_weights("layers/dense", {"a": "text"}), "should hold numbers"),
        (lambda e: e.add_weights("layers/dense", [1.0]), "should be a dict"),
        (lambda e: e.save("x.keras"), "expected a `.weights.h5`"),
        (lambda e: e.rename_object("dense", "x"), "more than once"),
    ],
)
def test_errors(act, match, path) -> None:
    editor = KerasFileEditor(path)
    before = str(editor.weights_dict)
    with pytest.raises(ValueError, match=match):
        act(editor)
    assert str(editor.weights_dict) == before


def test_wrong_files(tmp_path) -> None:
    with pytest.raises(ValueError, match="expected a `.keras` or"):
        KerasFileEditor(tmp_path / "a.txt")
    with pytest.raises(FileNotFoundError, match="expected an existing file"):
        KerasFileEditor(tmp_path / "a.keras")
    (tmp_path / "a.weights.h5").write_bytes(b"text")
    with pytest.raises(ValueError, match="expected an HDF5 file"):
        KerasFileEditor(tmp_path / "a.weights.h5")


def test_example_in_docstring() -> None:
    assert doctest.testmod(file_editor).failed == 0
