"""HDF5 files that nobody vouches for: opened, checked whole, then read one dataset at a time.

HDF5 can point into other files, follow links, run filters from plugins and declare shapes without
bytes behind them. Files of weights need none of that, so a file that has any is refused.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pronghorn.array_in_file import ArrayInFile
from pronghorn.saving.read_at import read_at

MAX_OBJECTS = 200_000
MAX_DEPTH = 64
MAX_RATIO = 1100  # deflate's own limit is 1,032
_DEFLATE, _SHUFFLE, _FLETCHER32 = 1, 2, 3


# Fills memory with bytes from an offset of the file; returns how many there were.
ReadAt = Callable[[int, memoryview], int]


@contextlib.contextmanager
def open_hdf5(file: Any, source: str) -> Iterator[CheckedHdf5]:
    """Context manager that gives the checked file, opened for reading.

    Args:
        file: Path, or a seekable binary file.
        source: What the file is, for errors.

    Raises:
        ValueError: If it is no HDF5 file, damaged, or has what files of weights have no use for.
    """
    import h5py

    try:
        opened = h5py.File(file, "r")
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        raise ValueError(f"{source}: expected an HDF5 file. Received: {error}.") from None
    with opened:
        try:
            checked = CheckedHdf5(opened, _reader(file, opened), source)
        except (OSError, RuntimeError, KeyError, TypeError, UnicodeDecodeError) as error:
            raise ValueError(f"{source} is damaged: {error}.") from None
        yield checked


class CheckedHdf5:
    """An HDF5 file of which each object has been looked at, none read.

    Args:
        root: The file, an `h5py.File`.
        read_at: Fills memory with the file's bytes from an offset, where they can be had past HDF5.
        source: What the file is, for errors.

    Attributes:
        arrays: The datasets by path, such as `"layers/dense/vars/0"`.
        groups: For the path of each group its own datasets by name; `""` is the root.
    """

    def __init__(self, root: Any, read_at: ReadAt | None, source: str) -> None:
        self.root = root
        self.source = source
        self.arrays: dict[str, ArrayInFile] = {}
        self.groups: dict[str, dict[str, ArrayInFile]] = {}
        self._read_at = read_at
        self._seen: set[int] = set()
        self._check_group(root.id, "", 0)

    def _refuse(self, name: str, reason: str) -> ValueError:
        return ValueError(f"{self.source} is refused: '{name[:200] or '/'}' {reason}.")

    def _check_group(self, group: Any, name: str, depth: int) -> None:
        from h5py import h5d, h5g, h5l, h5o

        if depth > MAX_DEPTH:
            raise self._refuse(name, f"is nested deeper than {MAX_DEPTH} groups")
        address = h5o.get_info(group).addr
        if address in self._seen:
            raise self._refuse(name, "is a group that is linked twice")
        self._seen.add(address)
        own = self.groups[name] = {}
        links: list[tuple[bytes, int]] = []
        group.links.iterate(lambda key, link: links.append((key, link.type)), info=True)
        if len(self.groups) + len(self.arrays) + len(links) > MAX_OBJECTS:
            raise self._refuse(name, f"has one of more than {MAX_OBJECTS} objects")
        for raw, kind in links:
            key = raw.decode("utf-8")
            path = f"{name}/{key}" if name else key
            if kind == h5l.TYPE_EXTERNAL:
                raise self._refuse(path, "is a link to another file")
            if kind != h5l.TYPE_HARD:
                raise self._refuse(path, "is a soft link")
            child = h5o.open(group, raw)
            if isinstance(child, h5g.GroupID):
                self._check_group(child, path, depth + 1)
            elif isinstance(child, h5d.DatasetID):
                own[key] = self.arrays[path] = self._checked_dataset(child, path)
            else:
                raise self._refuse(path, "is neither a group nor a dataset")

    def _checked_dataset(self, dataset: Any, name: str) -> ArrayInFile:
        from h5py import h5d, h5s

        properties = dataset.get_create_plist()
        if properties.get_layout() == h5d.VIRTUAL:
            raise self._refuse(name, "is a virtual dataset, which reads other files")
        if properties.get_external_count() > 0:
            raise self._refuse(name, "keeps its values in another file")
        filters = properties.get_nfilters()
        for i in range(filters):
            code = properties.get_filter(i)[0]
            if code not in (_DEFLATE, _SHUFFLE, _FLETCHER32):
                raise self._refuse(name, f"needs the HDF5 filter {code}")
        space = dataset.get_space()
        if space.get_simple_extent_type() == h5s.NULL:
            raise self._refuse(name, "has no shape")
        shape = tuple(int(n) for n in space.get_simple_extent_dims())
        stored = dataset.get_storage_size()
        size = math.prod(shape) * dataset.get_type().get_size()
        if size > stored * (MAX_RATIO if filters else 1):
            raise self._refuse(
                name, f"declares shape {shape}, {size} bytes, with {stored} bytes behind it"
            )
        dtype = dataset.dtype
        is_bfloat16 = dtype.kind == "V" and _is_bfloat16(dataset)
        if is_bfloat16 and dtype.itemsize != 2:
            raise self._refuse(name, "is no bfloat16")
        if dtype.kind not in "fiub" and not is_bfloat16:
            return _NoNumbers(shape, str(dtype), self.source, name)
        tensor_dtype = "bfloat16" if is_bfloat16 else dtype.name
        in_place = is_bfloat16 or (dtype.kind in "fiu" and dtype.isnative)
        offset = dataset.get_offset() if in_place and not filters else None
        if self._read_at is None or offset is None or properties.get_layout() != h5d.CONTIGUOUS:
            return _Dataset(dataset, shape, tensor_dtype, filters > 0, self.source, name)
        return _PlainBytes(self._read_at, offset, shape, tensor_dtype, self.source, name)


def check_filtered(arrays: list[ArrayInFile]) -> None:
    """Reads those arrays once that are packed, so that damage is found before any is used.

    Raises:
        ValueError: If one is damaged.
    """
    for array in arrays:
        if isinstance(array, _Dataset) and array.is_filtered:
            np.asarray(array)


class _Dataset(ArrayInFile):
    """A dataset that the HDF5 library reads."""

    def __init__(
        self,
        dataset: Any,
        shape: tuple[int, ...],
        tensor_dtype: str,
        is_filtered: bool,
        source: str,
        name: str,
    ) -> None:
        super().__init__(shape, tensor_dtype)
        self.is_filtered = is_filtered
        self._dataset = dataset
        self._source = source
        self._name = name

    def read_into(self, memory: memoryview) -> None:
        import h5py

        try:
            array = np.asarray(h5py.Dataset(self._dataset)[()])
        except OSError as error:
            raise ValueError(f"{self._source} is damaged: '{self._name}': {error}.") from None
        native = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False))
        memory[:] = native.reshape(-1).view(np.uint8).data


class _PlainBytes(ArrayInFile):
    """A dataset whose numbers lie in the file as they are in memory."""

    def __init__(
        self,
        read_at: ReadAt,
        offset: int,
        shape: tuple[int, ...],
        tensor_dtype: str,
        source: str,
        name: str,
    ) -> None:
        super().__init__(shape, tensor_dtype)
        self._read_at = read_at
        self._offset = offset
        self._source = source
        self._name = name

    def read_into(self, memory: memoryview) -> None:
        if self._read_at(self._offset, memory) != len(memory):
            raise ValueError(f"{self._source} is damaged: '{self._name}' is cut off.")


class _NoNumbers(ArrayInFile):
    """A dataset of something else, which a file may have as long as nobody asks for it."""

    def __init__(self, shape: tuple[int, ...], dtype: str, source: str, name: str) -> None:
        super().__init__(shape, "uint8")
        self._problem = f"{source} is refused: '{name}' has dtype {dtype}, expected numbers."

    def read_into(self, memory: memoryview) -> None:
        raise ValueError(self._problem)


def _is_bfloat16(dataset: Any) -> bool:
    from h5py import Dataset

    return str(Dataset(dataset).attrs.get("dtype")) == "bfloat16"


def _reader(file: Any, opened: Any) -> ReadAt | None:
    """Returns what reads the bytes of an opened file past HDF5; offsets are those of HDF5."""
    if hasattr(file, "read_at"):
        return file.read_at  # type: ignore[no-any-return]
    if not isinstance(file, (str, os.PathLike)):
        return None
    descriptor = opened.id.get_vfd_handle()
    return lambda offset, memory: read_at(descriptor, offset, memory)
