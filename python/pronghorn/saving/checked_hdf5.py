"""HDF5 files that nobody vouches for: opened, checked whole, then read one dataset at a time.

HDF5 can point into other files, follow links, run filters from plugins and declare shapes without
bytes behind them. Files of weights need none of that, so a file that has any is refused.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pronghorn.array_in_file import ArrayInFile
from pronghorn.saving.hdf5 import Group, Hdf5Error, Source, root_group
from pronghorn.saving.hdf5.chunks import read_chunks
from pronghorn.saving.hdf5.dataset import Dataset
from pronghorn.saving.hdf5.group import is_group
from pronghorn.saving.hdf5.object_header import read_messages
from pronghorn.saving.hdf5.source import ReadAt
from pronghorn.saving.read_at import read_at

MAX_OBJECTS = 200_000
MAX_DEPTH = 64
# What packed datasets may be in all, in bytes of the file: floats of trained weights pack to 0.9,
# an optimizer's zeros to nothing.
MAX_RATIO = 20
_SLACK = 64 * 2**20


@contextlib.contextmanager
def open_hdf5(file: Any, source: str) -> Iterator[CheckedHdf5]:
    """Context manager that gives the checked file, opened for reading.

    Args:
        file: Path, or a seekable binary file.
        source: What the file is, for errors.

    Raises:
        ValueError: If it is no HDF5 file, damaged, or has what files of weights have no use for.
    """
    if isinstance(file, (str, os.PathLike)):
        with open(file, "rb") as opened:
            size = os.fstat(opened.fileno()).st_size
            descriptor = opened.fileno()
            yield CheckedHdf5(lambda at, memory: read_at(descriptor, at, memory), size, source)
        return
    size = file.seek(0, io.SEEK_END)
    reader = file.read_at if hasattr(file, "read_at") else _seeking(file)
    yield CheckedHdf5(reader, size, source)


def _seeking(file: Any) -> ReadAt:
    def read(offset: int, memory: memoryview) -> int:
        file.seek(offset)
        return int(file.readinto(memory))

    return read


class CheckedHdf5:
    """An HDF5 file of which each object has been looked at, none read.

    Args:
        reader: Fills memory with the file's bytes from an offset.
        size: Bytes of the file.
        source: What the file is, for errors.

    Attributes:
        arrays: The datasets by path, such as `"layers/dense/vars/0"`.
        groups: For the path of each group its own datasets by name; `""` is the root.
        attributes: For the path of each group and dataset its attributes by name: bytes for text,
            a list of them, or a NumPy array of numbers.
        root: The root group, whose `attrs` and inner groups are had as those of an `h5py.File`.

    Raises:
        ValueError: If it is refused.
    """

    def __init__(self, reader: ReadAt, size: int, source: str) -> None:
        self.source = source
        self.arrays: dict[str, ArrayInFile] = {}
        self.groups: dict[str, dict[str, ArrayInFile]] = {}
        self.attributes: dict[str, Mapping[str, Any]] = {}
        self._bytes = Source(reader, size)
        self._datasets: dict[int, Dataset] = {}
        self._seen: set[int] = set()
        self._left = size * MAX_RATIO + _SLACK
        self._plain = 0
        with self.naming(""):
            root = root_group(self._bytes)
        self._check_group(root, "", 0)
        self.root = GroupView(self, "")

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, those under two names once; at most 21 times those of the file."""
        return sum(dataset.nbytes for dataset in self._datasets.values())

    @contextlib.contextmanager
    def naming(self, name: str) -> Iterator[None]:
        """Context manager in which errors of the format get the file's name and the object's."""
        try:
            yield
        except Hdf5Error as error:
            reason = str(error)
            if reason.startswith("expected"):
                raise ValueError(f"{self.source}: {reason}.") from None
            raise self._refuse(name, reason) from None

    def _refuse(self, name: str, reason: str) -> ValueError:
        return ValueError(f"{self.source} is refused: '{name[:200] or '/'}' {reason}.")

    def _check_group(self, group: Group, name: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self._refuse(name, f"is nested deeper than {MAX_DEPTH} groups")
        if group.address in self._seen:
            raise self._refuse(name, "is a group that is linked twice")
        self._seen.add(group.address)
        own = self.groups[name] = {}
        self.attributes[name] = _NamedAttributes(group.attributes, self, name)
        if len(self.groups) + len(self.arrays) + len(group.links) > MAX_OBJECTS:
            raise self._refuse(name, f"has one of more than {MAX_OBJECTS} objects")
        for key, address in group.links.items():
            path = f"{name}/{key}" if name else key
            if address in self._seen:
                raise self._refuse(path, "is a group that is linked twice")
            with self.naming(path):
                child = self._open(address)
            if isinstance(child, Group):
                self._check_group(child, path, depth + 1)
            else:
                own[key] = self.arrays[path] = self._checked_dataset(child, path)

    def _open(self, address: int) -> Group | Dataset:
        found = self._datasets.get(address)
        if found is not None:
            return found
        messages = read_messages(self._bytes, address)
        if is_group(messages):
            return Group(self._bytes, address, messages)
        dataset = self._datasets[address] = Dataset(self._bytes, messages)
        if not dataset.filters:
            self._plain += dataset.nbytes
            if self._plain > self._bytes.size:
                raise Hdf5Error("shares its bytes with other arrays")
        return dataset

    def _checked_dataset(self, dataset: Dataset, name: str) -> ArrayInFile:
        self.attributes[name] = _NamedAttributes(dataset.attributes, self, name)
        if dataset.filters:
            self._left -= dataset.nbytes
            if self._left < 0:
                raise self._refuse(
                    name,
                    f"declares shape {dataset.shape}, {dataset.nbytes} bytes: packed arrays of "
                    f"more than {MAX_RATIO} times the {self._bytes.size} bytes behind it",
                )
        dtype = dataset.datatype.numpy
        if dtype == "V2" and "dtype" in dataset.attributes:
            if self.attributes[name]["dtype"] != b"bfloat16":
                raise self._refuse(name, "is no bfloat16")
            dtype = "bfloat16"
        if dtype != "bfloat16" and (not dtype or dtype[0] in "SVt"):
            return _NoNumbers(dataset, self.source, name)
        is_plain = dtype == "bfloat16" or (dtype != "|b1" and np.dtype(dtype).isnative)
        if is_plain and dataset.offset is not None:
            return _PlainBytes(dataset, self.source, name)
        return _Converted(dataset, dtype, self, name)


class GroupView:
    """A group of a checked file: its attributes and the groups in it.

    Args:
        file: The file.
        path: Path of the group.
    """

    def __init__(self, file: CheckedHdf5, path: str) -> None:
        self._file = file
        self._path = path
        self.name = f"/{path}"
        self.attrs = file.attributes[path]

    def _inner(self, name: str) -> str:
        return f"{self._path}/{name}" if self._path else name

    def __contains__(self, name: str) -> bool:
        return self._inner(name) in self._file.groups

    def __getitem__(self, name: str) -> GroupView:
        if name not in self:
            raise KeyError(name)
        return GroupView(self._file, self._inner(name))

    def get(self, name: str, default: GroupView) -> GroupView:
        """Returns the group of that name, `default` if there is none."""
        try:
            return self[name]
        except KeyError:
            return default


class _NamedAttributes(Mapping[str, Any]):
    """Attributes whose errors name the object."""

    def __init__(self, attributes: Mapping[str, Any], file: CheckedHdf5, name: str) -> None:
        self._attributes = attributes
        self._file = file
        self._name = name

    def __getitem__(self, key: str) -> Any:
        with self._file.naming(self._name):
            return self._attributes[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)


def check_filtered(arrays: list[ArrayInFile]) -> None:
    """Reads those arrays once that are packed, so that damage is found before any is used.

    Raises:
        ValueError: If one is damaged.
    """
    for array in arrays:
        if isinstance(array, _Converted) and array.is_filtered:
            np.asarray(array)


def check_readable(arrays: list[ArrayInFile]) -> None:
    """Finds what would be an error when these arrays are read, before any is used.

    Raises:
        ValueError: If one holds no numbers, or is packed and damaged.
    """
    for array in arrays:
        if isinstance(array, _NoNumbers):
            raise ValueError(array.problem)
    check_filtered(arrays)


def _tensor_dtype(dtype: str) -> str:
    return dtype if dtype == "bfloat16" else np.dtype(dtype).name


class _Converted(ArrayInFile):
    """A dataset in chunks, or of another byte order, or in its header."""

    def __init__(self, dataset: Dataset, dtype: str, file: CheckedHdf5, name: str) -> None:
        super().__init__(dataset.shape, _tensor_dtype(dtype))
        self.is_filtered = bool(dataset.filters)
        self._dataset = dataset
        self._dtype = "uint16" if dtype == "bfloat16" else dtype
        self._file = file
        self._name = name

    def read_into(self, memory: memoryview) -> None:
        dataset = self._dataset
        with self._file.naming(self._name):
            if dataset.inline is not None:
                raw = np.frombuffer(dataset.inline[: dataset.nbytes], np.uint8)
            elif dataset.chunk is not None:
                raw = read_chunks(dataset).reshape(-1)
            else:
                assert dataset.offset is not None
                raw = np.empty(dataset.nbytes, np.uint8)
                if dataset.source.read_at(dataset.offset, raw.data) != dataset.nbytes:
                    raise Hdf5Error("is cut off")
        array = raw.view(self._dtype)
        if array.dtype.kind == "b":
            array = raw != 0
        memory[:] = array.astype(array.dtype.newbyteorder("="), copy=False).view(np.uint8).data


class _PlainBytes(ArrayInFile):
    """A dataset whose numbers lie in the file as they are in memory."""

    def __init__(self, dataset: Dataset, source: str, name: str) -> None:
        dtype = dataset.datatype.numpy
        super().__init__(dataset.shape, "bfloat16" if dtype == "V2" else _tensor_dtype(dtype))
        assert dataset.offset is not None
        self._read_at = dataset.source.read_at
        self._offset = dataset.offset
        self._source = source
        self._name = name

    def read_into(self, memory: memoryview) -> None:
        if self._read_at(self._offset, memory) != len(memory):
            raise ValueError(f"{self._source} is damaged: '{self._name}' is cut off.")


class _NoNumbers(ArrayInFile):
    """A dataset of something else, which a file may have as long as nobody asks for it."""

    def __init__(self, dataset: Dataset, source: str, name: str) -> None:
        super().__init__(dataset.shape, "uint8")
        kind = dataset.datatype
        self.problem = (
            f"{source} is refused: '{name}' holds {kind.description} of {kind.size} bytes, "
            "expected numbers."
        )

    def read_into(self, memory: memoryview) -> None:
        raise ValueError(self.problem)
