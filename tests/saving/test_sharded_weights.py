"""Weights in several files and their map: round trips, sizes, names, and maps that are refused."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers

pytest.importorskip("h5py")
# A GiB less than this many bytes; the largest array of the model has 4,096.
SHARD = 5000 / 2**30


def network(seed=0):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((32,)),
            layers.Dense(32, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(24),
            layers.Dense(1, dtype="bfloat16"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    model.fit(np.ones((4, 32)), np.ones((4, 1)), verbose=0)
    return model


def state(model):
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables)]


def assert_same(a, b):
    for x, y in zip(state(a), state(b), strict=True):
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))


def weights_map(path):
    return json.loads(path.read_text())


def shards(path):
    names = set()
    for found in weights_map(path)["weight_map"].values():
        names.update([found] if isinstance(found, str) else found)
    return names


def test_round_trip(tmp_path) -> None:
    model, other = network(), network(1)
    path = tmp_path / "m.weights.json"
    model.save_weights(path, max_shard_size=SHARD)
    names = shards(path)
    assert len(names) > 3
    assert names == {f"m_{i:05}.weights.h5" for i in range(len(names))}
    assert {p.name for p in tmp_path.iterdir()} == {*names, path.name}
    assert weights_map(path)["metadata"]["total_size"] < sum(
        os.path.getsize(tmp_path / name) for name in names
    )
    other.load_weights(path)
    assert_same(other, model)


def test_a_second_save_leaves_no_old_files(tmp_path) -> None:
    path = tmp_path / "m.weights.json"
    (tmp_path / "m_notes.weights.h5").write_text("not ours")
    network().save_weights(path, max_shard_size=SHARD)
    before = shards(path)
    model = network(2)
    model.save_weights(path, max_shard_size=1)
    assert len(shards(path)) == 1 and not shards(path) & before
    kept = {path.name, "m_00000.weights.h5", "m_notes.weights.h5", *shards(path)}
    assert {p.name for p in tmp_path.iterdir()} == kept
    other = network(3)
    other.load_weights(path)
    assert_same(other, model)
    with pytest.raises(FileExistsError):
        model.save_weights(path, overwrite=False, max_shard_size=1)


def test_an_error_leaves_the_old_files(tmp_path, monkeypatch) -> None:
    path = tmp_path / "m.weights.json"
    model = network()
    model.save_weights(path, max_shard_size=SHARD)
    files = {p.name for p in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="expected arrays of at most max_shard_size"):
        model.save_weights(path, max_shard_size=4000 / 2**30)
    last = model.layers[-1]
    monkeypatch.setattr(
        type(last), "save_own_variables", lambda self, store: (_ for _ in ()).throw(OSError("full"))
    )
    with pytest.raises(OSError, match="full"):
        model.save_weights(path, max_shard_size=SHARD)
    monkeypatch.undo()
    assert {p.name for p in tmp_path.iterdir()} == files
    other = network(1)
    other.load_weights(path)
    assert_same(other, model)


def test_the_ending_h5_becomes_json(tmp_path) -> None:
    with pytest.warns(UserWarning, match=r"m\.weights\.json"):
        network().save_weights(tmp_path / "m.weights.h5", max_shard_size=1)
    network().load_weights(tmp_path / "m.weights.json")


@pytest.mark.parametrize("size", [0, -1, "5", True, float("nan")])
def test_sizes_that_are_none(size, tmp_path) -> None:
    with pytest.raises(ValueError, match="max_shard_size must be a positive number"):
        network().save_weights(tmp_path / "m.weights.json", max_shard_size=size)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name",
    [
        "../m_00001.weights.h5",
        "/tmp/m.weights.h5",
        "a/m.weights.h5",
        "a\\m.weights.h5",
        "c:m.weights.h5",
        "..",
        ".weights.h5",
        "m.h5",
        "m.weights.h5\0",
        3,
        None,
        ["m.weights.h5", ["m.weights.h5"]],
    ],
)
def test_names_that_are_refused(name, tmp_path) -> None:
    path = tmp_path / "m.weights.json"
    path.write_text(json.dumps({"weight_map": {"/layers/dense/vars": name}}))
    with pytest.raises(ValueError, match="is refused: it names"):
        network().load_weights(path)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[]", "expected a map"),
        ('{"weight_map": 3}', "expected a map"),
        ("{", "JSON"),
        ('{"weight_map": {"a": "x.weights.h5", "a": "y.weights.h5"}}', "twice"),
        ('{"weight_map": {"a": "missing.weights.h5"}}', "expected the file 'missing"),
        ('{"weight_map": {}}', "the file has 0"),
        (
            json.dumps({"weight_map": {f"{i}": f"{i}.weights.h5" for i in range(10_001)}}),
            "at most 10000 files",
        ),
    ],
)
def test_maps_that_are_refused(text, match, tmp_path) -> None:
    path = tmp_path / "m.weights.json"
    path.write_text(text)
    model, other = network(), network()
    with pytest.raises(ValueError, match=match):
        model.load_weights(path)
    assert_same(model, other)


def test_a_weight_in_two_files(tmp_path) -> None:
    path = tmp_path / "m.weights.json"
    model = network()
    model.save_weights(path, max_shard_size=1)
    (name,) = shards(path)
    (tmp_path / "copy.weights.h5").write_bytes((tmp_path / name).read_bytes())
    found = weights_map(path)
    found["weight_map"]["/layers/dense/vars"] = [name, "copy.weights.h5"]
    path.write_text(json.dumps(found))
    with pytest.raises(ValueError, match="in two of its files"):
        model.load_weights(path)


@pytest.mark.parametrize("ending", [".weights.h5", ".weights.json"])
def test_objects_to_skip(ending, tmp_path) -> None:
    model, other = network(), network(1)
    before = state(other)
    size = {"max_shard_size": 1} if ending == ".weights.json" else {}
    path = tmp_path / f"m{ending}"
    keras.saving.save_weights(model, path, objects_to_skip=[model.optimizer], **size)
    skipped = [other.layers[0], other.optimizer]
    keras.saving.load_weights(other, path, objects_to_skip=skipped)
    np.testing.assert_array_equal(other.layers[0].kernel, before[0])
    np.testing.assert_array_equal(other.layers[2].kernel, model.layers[2].kernel)
    assert int(other.optimizer.iterations) == 1
    with pytest.raises(ValueError, match="objects are left out"):
        keras.saving.save_weights(model, tmp_path / "m.npz", objects_to_skip=skipped)


def test_checkpoints_of_tensorflow(tmp_path) -> None:
    (tmp_path / "model.index").write_bytes(b"")
    for name in ("model", "model.ckpt-3", "model.index"):
        with pytest.raises(ValueError, match="checkpoint of TensorFlow"):
            network().load_weights(tmp_path / name)
    with pytest.raises(ValueError, match="folders are not read"):
        keras.saving.load_model(tmp_path)
