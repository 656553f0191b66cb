"""Archives and HDF5 files built to hurt their readers: refused with one line, in little memory."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from hostile import bounded, valid_members, write_archive

import pronghorn as keras
from pronghorn import layers
from pronghorn.cli import main

h5py = pytest.importorskip("h5py")


def small_model():
    return keras.Sequential([keras.Input((3,)), layers.Dense(2)])


def refused(path, match: str) -> None:
    """All readers of the file refuse it; weights stay."""
    model = small_model()
    before = [w.tobytes() for w in model.get_weights()]
    with bounded(), pytest.raises(ValueError, match=match) as caught:
        model.load_weights(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 2000
    assert [w.tobytes() for w in model.get_weights()] == before
    if str(path).endswith(".keras"):
        with bounded(), pytest.raises(ValueError, match=match):
            keras.saving.load_model(path)
    with bounded():
        assert main(["scan", str(path)]) == 1


def weights_file(tmp_path, change) -> str:
    data = io.BytesIO(valid_members()["model.weights.h5"])
    with h5py.File(data, "r+") as file:
        change(file["layers/dense/vars"])
    path = tmp_path / "a.weights.h5"
    path.write_bytes(data.getvalue())
    return str(path)


# Archives.


def test_a_directory_that_fills_memory(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    data = (tmp_path / "a.keras").read_bytes()
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entries = data[start:end] * 100_000
    tail = bytearray(data[end:])
    struct.pack_into("<HHII", tail, 8, 65535, 65535, len(entries), start)
    (tmp_path / "a.keras").write_bytes(data[:start] + entries + tail)
    refused(tmp_path / "a.keras", "a directory of 5700000 bytes")


@pytest.mark.parametrize(("offset", "value"), [(26 + 4, b"X"), (8, b"\x08"), (22, b"\x01")])
def test_a_member_described_twice(offset, value, tmp_path) -> None:
    """Its own header names another file, method or size than the directory."""
    write_archive(tmp_path / "a.keras", valid_members())
    data = bytearray((tmp_path / "a.keras").read_bytes())
    at = data.rindex(b"PK\x03\x04")
    data[at + offset : at + offset + 1] = value
    (tmp_path / "a.keras").write_bytes(data)
    refused(tmp_path / "a.keras", "described in two ways")


def test_a_name_that_goes_on(tmp_path) -> None:
    write_archive(tmp_path / "a.keras", {**valid_members(), "assets/xyz": b"x"})
    data = (tmp_path / "a.keras").read_bytes().replace(b"assets/xyz", b"assets/\0yz")
    (tmp_path / "a.keras").write_bytes(data)
    refused(tmp_path / "a.keras", "leaves the archive")


def npz(tmp_path, **members: bytes) -> str:
    return write_archive(tmp_path / "a.npz", {f"{k}.npy": v for k, v in members.items()})


def npy(header: str, data: bytes = b"", version: int = 1) -> bytes:
    text = header.encode() + b"\n"
    size = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + data


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -4), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (10**9, 10**9), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (100000000000,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': " + "(" * 200 + ")" * 200 + ", }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': " + "-" * 9000 + "1, }",
        "{'descr': '<f4', 'fortran_order': __import__('os'), 'shape': (4,), }",
        "{",
        "",
    ],
)
def test_headers_of_npz(header, tmp_path) -> None:
    refused(npz(tmp_path, x=npy(header, b"\0" * 16)), "is refused")


def test_pickles_in_npz(tmp_path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([print, "x"], dtype=object))
    refused(tmp_path / "a.npz", "has dtype object")


# HDF5.


def bomb_in_a_chunk(group) -> None:
    """A chunk of 16 KB that unpacks to 16 MB, whatever its shape says."""
    del group["0"]
    dataset = group.create_dataset("0", (3, 2), "f4", chunks=(3, 2), compression="gzip")
    dataset.id.write_direct_chunk((0, 0), zlib.compress(bytes(2**24)))


def huge_chunk(group) -> None:
    del group["0"]
    options = {"maxshape": (None, 2), "chunks": (10**8, 2), "compression": "gzip"}
    dataset = group.create_dataset("0", (3, 2), "f4", **options)
    dataset.id.write_direct_chunk((0, 0), zlib.compress(bytes(24)))


def filters_twice(group) -> None:
    del group["0"]
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((3, 2))
    for _ in range(3):
        properties.set_deflate(9)
    space = h5py.h5s.create_simple((3, 2))
    h5py.h5d.create(group.id, b"0", h5py.h5t.IEEE_F32LE, space, properties)


def many_zeros(group) -> None:
    del group["0"]
    for i in range(3):
        data = np.zeros(2**25, "u1")
        group.create_dataset(f"x{i}", data=data, chunks=(2**20,), compression=1)


def missing_chunks(group) -> None:
    del group["0"]
    group.create_dataset("0", (3, 2), "f4", chunks=(1, 2), compression="gzip")[0] = 1


def records(group) -> None:
    del group["0"]
    record = np.dtype([("a", "f4"), ("b", h5py.string_dtype())])
    group.create_dataset("0", (3, 2), record)


def references(group) -> None:
    del group["0"]
    group.create_dataset("0", (3, 2), dtype=h5py.ref_dtype)


CHANGES = {
    bomb_in_a_chunk: "unpacks to",
    huge_chunk: "has chunks of shape",
    filters_twice: "HDF5 filter 1",
    many_zeros: "packed arrays of more than 20 times",
    missing_chunks: "chunks",
    records: "expected numbers|bytes behind it",
    references: "expected numbers|bytes behind it",
}


@pytest.mark.parametrize(
    ("change", "match"), CHANGES.items(), ids=lambda c: getattr(c, "__name__", "")
)
def test_hdf5(change, match, tmp_path) -> None:
    path = weights_file(tmp_path, change)
    model = small_model()
    with bounded(), pytest.raises(ValueError, match=match):
        model.load_weights(path)


def loops(data: bytes) -> dict[str, bytes]:
    """A file whose trees, heaps or headers lead back to themselves."""
    found = {}
    for name, signature, at, value in (
        ("a heap of texts without an end", b"GCOL", 16, b"\x01\0\0\0\0\0\0\0" + b"\xff" * 8),
        ("a tree that is its own branch", b"TREE", 5, b"\xff"),
        ("many entries", b"SNOD", 6, b"\xff\xff"),
        ("names without an end", b"HEAP", 8, b"\xff" * 8),
    ):
        changed = bytearray(data)
        place = data.find(signature)
        assert place >= 0, signature
        changed[place + at : place + at + len(value)] = value
        found[name] = bytes(changed)
    return found


@pytest.mark.parametrize("name", list(loops(b"GCOLTREESNODHEAP" + bytes(64))))
def test_loops(name, tmp_path) -> None:
    """libhdf5 itself does not come back from the first."""
    held = io.BytesIO(valid_members()["model.weights.h5"])
    with h5py.File(held, "r+") as file:
        file.attrs["model_config"] = "{}"
        file.attrs["keras_version"] = "3"
    (tmp_path / "a.h5").write_bytes(loops(held.getvalue())[name])
    with bounded(), pytest.raises(ValueError) as caught:
        keras.saving.load_model(tmp_path / "a.h5")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["external", "soft", "no run", "cut off"])
def test_backups(kind, tmp_path) -> None:
    model = small_model()
    model.compile("adam", "mse")
    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    backup = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    model.fit(x, y, verbose=0, callbacks=[backup])
    path = tmp_path / "latest.backup.h5"
    if kind == "cut off":
        path.write_bytes(path.read_bytes()[:-2000])
    else:
        with h5py.File(path, "r+") as file:
            if kind == "no run":
                del file.attrs["run"]
            else:
                del file["model/0"]
                link = h5py.ExternalLink("/etc/passwd", "/x") if kind == "external" else None
                file["model/0"] = link or h5py.SoftLink("/model/1")
    with bounded(), pytest.raises(ValueError, match="Remove it to begin anew"):
        model.fit(x, y, epochs=2, verbose=0, callbacks=[backup])
