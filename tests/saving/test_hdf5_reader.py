"""The reader of HDF5 files against files that the HDF5 library writes."""

from __future__ import annotations

import io

import numpy as np
import pytest

from pronghorn.saving.checked_hdf5 import open_hdf5

h5py = pytest.importorskip("h5py")
VERSIONS = ["earliest", "v108", "v110", "latest"]


def written(fill, **options) -> io.BytesIO:
    file = io.BytesIO()
    with h5py.File(file, "w", **options) as opened:
        fill(opened)
    return file


def read(file: io.BytesIO):
    with open_hdf5(file, "the file") as opened:
        return {path: np.asarray(array) for path, array in opened.arrays.items()}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "dtype",
    [
        "<f2",
        "<f4",
        "<f8",
        ">f2",
        ">f4",
        ">f8",
        "<i1",
        "<i2",
        ">i4",
        "<i8",
        "<u1",
        ">u2",
        "<u8",
        "?",
    ],
)
def test_dtypes_and_shapes(dtype, version) -> None:
    rng = np.random.default_rng(0)
    shapes = [(), (0,), (1,), (7,), (3, 0, 2), (3, 4), (2, 3, 4, 5)]
    arrays = {f"{i}": rng.integers(-9, 9, shape).astype(dtype) for i, shape in enumerate(shapes)}

    def fill(file) -> None:
        for name, array in arrays.items():
            file[f"a/b/{name}"] = array

    found = read(written(fill, libver=version))
    assert sorted(found) == [f"a/b/{name}" for name in sorted(arrays)]
    for name, array in arrays.items():
        assert found[f"a/b/{name}"].dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(found[f"a/b/{name}"], array)


@pytest.mark.parametrize("shape", [(1,), (100,), (37, 53), (5, 7, 11)])
@pytest.mark.parametrize(
    "options",
    [
        {"chunks": True},
        {"compression": "gzip"},
        {"compression": "gzip", "shuffle": True, "fletcher32": True},
        {"fletcher32": True},
        {"shuffle": True, "chunks": True},
        {"maxshape": True, "compression": "gzip", "compression_opts": 9},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["f4", "u1", ">i2"])
def test_chunks(shape, options, dtype) -> None:
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    if "maxshape" in options:
        options = {**options, "maxshape": (None,) * len(shape)}

    def fill(file) -> None:
        file.create_dataset("x", data=array, **options)
        small = tuple(min(4, n) for n in shape)
        file.create_dataset("y", data=array, **{**options, "chunks": small})

    found = read(written(fill))
    np.testing.assert_array_equal(found["x"], array)
    np.testing.assert_array_equal(found["y"], array)


def test_many_objects() -> None:
    """B-trees of several levels, headers in several blocks."""

    def fill(file) -> None:
        for i in range(3000):
            file[f"group/{i:04d}"] = np.float32(i)
        file.create_dataset("chunked", data=np.arange(20_000), chunks=(3,))
        for i in range(200):
            file["group"].attrs[f"name {i}"] = f"é{i}"

    file = written(fill)
    found = read(file)
    np.testing.assert_array_equal(found.pop("chunked"), np.arange(20_000))
    assert {name: float(a) for name, a in found.items()} == {
        f"group/{i:04d}": float(i) for i in range(3000)
    }
    with open_hdf5(file, "the file") as opened:
        attributes = opened.attributes["group"]
        assert {k: v.decode() for k, v in attributes.items()} == {
            f"name {i}": f"é{i}" for i in range(200)
        }


@pytest.mark.parametrize("version", ["earliest", "v108", "latest"])
def test_attributes(version) -> None:
    def fill(file) -> None:
        file.attrs["text"] = "x" * 70_000
        file.attrs["bytes"] = b"abc"
        file.attrs["fixed"] = np.bytes_(b"abc\0d")
        file.attrs["list"] = [b"a", b"bcd"]
        file.attrs["texts"] = ["a", "", "é"]
        file.attrs["numbers"] = np.arange(6, dtype=">i4").reshape(2, 3)

    with open_hdf5(written(fill, libver=version), "the file") as opened:
        found = dict(opened.root.attrs)
    np.testing.assert_array_equal(found.pop("numbers"), np.arange(6).reshape(2, 3))
    assert found == {
        "text": b"x" * 70_000,
        "bytes": b"abc",
        "fixed": b"abc\0d",
        "list": [b"a", b"bcd"],
        "texts": [b"a", b"", "é".encode()],
    }


def test_bfloat16() -> None:
    def fill(file) -> None:
        file["x"] = np.array([0x3F80, 0x4000], "<u2").view("V2")
        file["x"].attrs["dtype"] = "bfloat16"

    with open_hdf5(written(fill), "the file") as opened:
        assert opened.arrays["x"].tensor_dtype == "bfloat16"
        np.testing.assert_array_equal(np.asarray(opened.arrays["x"]), [1.0, 2.0])


def test_what_is_no_number() -> None:
    def fill(file) -> None:
        file["text"] = "text"
        file["fixed"] = np.array([b"ab"])
        file["record"] = np.zeros(2, [("a", "f4"), ("b", "i4")])
        file["complex"] = np.zeros(2, "c8")
        file["opaque"] = np.zeros(2, "V5")
        file["numbers"] = [1, 2]

    with open_hdf5(written(fill), "the file") as opened:
        assert len(opened.arrays) == 6
        for name in ("text", "fixed", "record", "complex", "opaque"):
            with pytest.raises(ValueError, match=f"'{name}' holds .*, expected numbers"):
                np.asarray(opened.arrays[name])


def test_damaged_chunks() -> None:
    def fill(file) -> None:
        data = np.arange(1000, dtype="f4")
        file.create_dataset("x", data=data, compression="gzip", fletcher32=True)

    file = written(fill)
    data = file.getvalue()
    with h5py.File(file) as opened:
        info = opened["x"].id.get_chunk_info(0)
    for at in range(info.byte_offset + 2, info.byte_offset + info.size, 37):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(ValueError, match="'x' is damaged"):
            read(io.BytesIO(changed))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"userblock_size": 512}, "expected an HDF5 file"),
        ({"libver": "latest", "track_order": True}, "keeps its links in a heap"),
    ],
    ids=["userblock", "heap"],
)
def test_refused_forms(options, match) -> None:
    def fill(file) -> None:
        for i in range(20):
            file[f"{i}"] = i

    with pytest.raises(ValueError, match=match):
        read(written(fill, **options))
