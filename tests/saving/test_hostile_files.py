"""Files that would do harm elsewhere: each is refused, with its reason, quickly, in little memory.

Each case stands for a class of published holes in loaders of `.keras` and HDF5 files.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import zipfile

import numpy as np
import pytest
from hostile import bounded, layer_config, valid_members
from hostile import write_archive as write

import pronghorn as keras
from pronghorn import layers

h5py = pytest.importorskip("h5py")


@pytest.fixture(autouse=True)
def quick_and_small():
    """Each test takes under a second and 200 MB more."""
    keras.Sequential([keras.Input((2,)), layers.Dense(1)])  # imports are not counted
    with bounded():
        yield


def refused(path, match, error=ValueError, **kwargs) -> None:
    with pytest.raises(error, match=match):
        keras.saving.load_model(path, **kwargs)


def with_layer(layer: dict) -> dict[str, bytes]:
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [layer]},
        "registered_name": None,
    }
    return {**valid_members(), "config.json": json.dumps(config).encode()}


def test_the_valid_file_loads(tmp_path) -> None:
    write(tmp_path / "a.keras", valid_members())
    assert keras.saving.load_model(tmp_path / "a.keras").output_shape == (None, 2)
    write(tmp_path / "b.keras", valid_members(), zipfile.ZIP_DEFLATED)
    assert keras.saving.load_model(tmp_path / "b.keras").output_shape == (None, 2)


# Configurations that name code.


def test_lambda_bytecode(tmp_path) -> None:
    code = {"class_name": "__lambda__", "config": {"value": ["4wEAAAA=", None, None]}}
    write(tmp_path / "a.keras", with_layer(layer_config("Lambda", function=code)))
    refused(tmp_path / "a.keras", "arbitrary code")


def test_safe_mode_is_not_switched_by_the_file(tmp_path) -> None:
    code = {"class_name": "__lambda__", "config": {"value": ["4wEAAAA=", None, None]}}
    members = with_layer(layer_config("Lambda", function=code, safe_mode=False))
    config = json.loads(members["config.json"])
    config["safe_mode"] = config["config"]["safe_mode"] = False
    unsafe = layer_config("enable_unsafe_deserialization", "keras.config")
    config["config"]["layers"].insert(0, unsafe)
    members["config.json"] = json.dumps(config).encode()
    write(tmp_path / "a.keras", members)
    refused(tmp_path / "a.keras", "Cannot deserialize|Could not locate|arbitrary", Exception)
    assert not keras.config.is_unsafe_deserialization_enabled()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("subprocess", "Popen"),
        ("keras.utils", "get_file"),
        ("keras.saving", "load_model"),
        ("keras.models", "load_model"),
        ("keras.src.saving.lambda_code", "load_function"),
        ("keras.src.utils.file_utils", "get_file"),
        ("pronghorn.saving.model_file", "load_model"),
        ("keras.layers", "TorchModuleWrapper"),
        ("keras.layers", "TFSMLayer"),
        ("keras.layers", "__class__"),
        ("../../evil", "Layer"),
    ],
)
def test_modules_of_others(module, name, tmp_path) -> None:
    write(
        tmp_path / "a.keras", with_layer(layer_config(name, module, fname="x", origin="file:///"))
    )
    refused(
        tmp_path / "a.keras", "Could not (locate|parse)|Cannot deserialize", (TypeError, ValueError)
    )


def test_a_module_is_not_imported(tmp_path) -> None:
    (tmp_path / "evil_module.py").write_text("raise SystemExit('imported')")
    write(tmp_path / "a.keras", with_layer(layer_config("Layer", "evil_module")))
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        refused(tmp_path / "a.keras", "Could not locate", TypeError)
    finally:
        os.chdir(here)


@pytest.mark.parametrize("name", ["StringLookup", "TextVectorization"])
def test_vocabulary_path(name, tmp_path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    config = layer_config(name, vocabulary=str(tmp_path / "secret.txt"))
    write(tmp_path / "a.keras", with_layer(config))
    refused(tmp_path / "a.keras", "must hold its vocabulary")


# The archive.


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "assets/../../evil", "a\\b", "C:evil", "folder/x", "assets//x"]
)
def test_names_that_leave_the_archive(name, tmp_path) -> None:
    write(tmp_path / "a.keras", {**valid_members(), name: b"x"})
    refused(tmp_path / "a.keras", "is refused: its member")


def test_symbolic_link(tmp_path) -> None:
    write(tmp_path / "a.keras", valid_members())
    with zipfile.ZipFile(tmp_path / "a.keras", "a") as archive:
        info = zipfile.ZipInfo("assets/link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    refused(tmp_path / "a.keras", "symbolic link")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_member_twice(tmp_path) -> None:
    write(tmp_path / "a.keras", valid_members())
    with zipfile.ZipFile(tmp_path / "a.keras", "a") as archive:
        archive.writestr("config.json", "{}")
    refused(tmp_path / "a.keras", "is there twice")


def test_zip_bomb(tmp_path) -> None:
    members = {**valid_members(), "config.json": b" " * (60 * 2**20)}
    write(tmp_path / "a.keras", members, zipfile.ZIP_DEFLATED)
    refused(tmp_path / "a.keras", "zip bomb")


def test_overlapping_members(tmp_path) -> None:
    write(tmp_path / "a.keras", {**valid_members(), "assets/a": b"x" * 100, "assets/b": b"x" * 100})
    data = bytearray((tmp_path / "a.keras").read_bytes())
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        offsets = {i.filename: i.header_offset for i in archive.infolist()}
    at = data.rindex(b"assets/b") - 46 + 42  # the offset field of its central record
    data[at : at + 4] = offsets["assets/a"].to_bytes(4, "little")
    (tmp_path / "a.keras").write_bytes(data)
    refused(tmp_path / "a.keras", "shares bytes")


def test_many_members(tmp_path) -> None:
    write(tmp_path / "a.keras", {f"assets/{i}": b"" for i in range(10_001)})
    refused(tmp_path / "a.keras", "at most 10000 members")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_cut_off(part, tmp_path) -> None:
    write(tmp_path / "a.keras", valid_members())
    data = (tmp_path / "a.keras").read_bytes()
    (tmp_path / "a.keras").write_bytes(data[: int(len(data) * part)])
    refused(tmp_path / "a.keras", "expected a `.keras` zip archive|cut off")


def test_deep_json(tmp_path) -> None:
    write(tmp_path / "a.keras", {**valid_members(), "config.json": b'{"a":' * 5000})
    refused(tmp_path / "a.keras", "nested levels")


def test_key_twice(tmp_path) -> None:
    members = valid_members()
    members["config.json"] = members["config.json"].replace(b"{", b'{"module": "os", ', 1)
    write(tmp_path / "a.keras", members)
    refused(tmp_path / "a.keras", "'module' twice")


def test_variables_without_bytes(tmp_path) -> None:
    first = layer_config("InputLayer", batch_shape=[None, 100_000], dtype="float32", name="i")
    for units in (10**6, 10**12):
        members = with_layer(first)
        config = json.loads(members["config.json"])
        config["config"]["layers"].append(layer_config("Dense", units=units, name="d"))
        members["config.json"] = json.dumps(config).encode()
        write(tmp_path / "a.keras", members)
        refused(tmp_path / "a.keras", "bytes of weights behind it")


# HDF5.


def with_weights(change) -> bytes:
    members = valid_members()
    data = io.BytesIO(members["model.weights.h5"])
    with h5py.File(data, "r+") as file:
        change(file["layers/dense/vars"])
    return data.getvalue()


def shape_bomb(group) -> None:
    del group["0"]
    group.create_dataset("0", shape=(10**6, 10**6), dtype="f4")


def chunked_shape_bomb(group) -> None:
    del group["0"]
    group.create_dataset("0", shape=(10**6, 10**6), dtype="f4", chunks=(10, 10), compression="gzip")


def external_storage(group) -> None:
    del group["0"]
    group.create_dataset("0", shape=(3, 2), dtype="f4", external=[("/etc/passwd", 0, 24)])


def external_link(group) -> None:
    del group["0"]
    group["0"] = h5py.ExternalLink("/etc/passwd", "/x")


def soft_link(group) -> None:
    del group["0"]
    group["0"] = h5py.SoftLink("/layers/dense/vars/1")


def virtual_dataset(group) -> None:
    del group["0"]
    layout = h5py.VirtualLayout(shape=(3, 2), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(3, 2))
    group.create_virtual_dataset("0", layout)


def other_filter(group) -> None:
    del group["0"]
    group.create_dataset("0", data=np.zeros((3, 2), "f4"), compression="lzf")


def loop(group) -> None:
    group["again"] = group


def objects(group) -> None:
    del group["0"]
    group.create_dataset("0", (3, 2), dtype=h5py.string_dtype())


CHANGES = {
    shape_bomb: "bytes behind it",
    chunked_shape_bomb: "bytes behind it",
    external_storage: "another file",
    external_link: "link to another file",
    soft_link: "soft link",
    virtual_dataset: "virtual",
    other_filter: "HDF5 filter 32000",
    loop: "linked twice",
    objects: "expected numbers|bytes behind it",
}


@pytest.mark.parametrize(
    ("change", "match"), CHANGES.items(), ids=lambda c: getattr(c, "__name__", "")
)
def test_weights(change, match, tmp_path) -> None:
    data = with_weights(change)
    write(tmp_path / "a.keras", {**valid_members(), "model.weights.h5": data})
    refused(tmp_path / "a.keras", match)
    (tmp_path / "a.weights.h5").write_bytes(data)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    before = model.get_weights()
    with pytest.raises(ValueError, match=match):
        model.load_weights(tmp_path / "a.weights.h5")
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


@pytest.mark.parametrize("seed", range(20))
def test_flipped_bytes(seed, tmp_path) -> None:
    """Damaged files load or are refused; no other error, no crash."""
    rng = np.random.default_rng(seed)
    write(tmp_path / "a.keras", valid_members())
    data = bytearray((tmp_path / "a.keras").read_bytes())
    for at in rng.integers(0, len(data), 12):
        data[at] = rng.integers(0, 256)
    (tmp_path / "a.keras").write_bytes(data)
    with contextlib.suppress(ValueError, TypeError):
        keras.saving.load_model(tmp_path / "a.keras")
