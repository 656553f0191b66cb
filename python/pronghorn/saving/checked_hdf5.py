"""HDF5 files that nobody vouches for: opened, checked whole, then read one dataset at a time.

HDF5 can point into other files, follow links, run filters from plugins and declare shapes without
bytes behind them. Files of weights need none of that, so a file that has any is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

MAX_OBJECTS = 200_000
MAX_DEPTH = 64
MAX_RATIO = 1100  # deflate's own limit is 1,032
_DEFLATE, _SHUFFLE, _FLETCHER32 = 1, 2, 3


@contextlib.contextmanager
def open_hdf5(file: Any, source: str) -> Iterator[Any]:
    """Context manager that gives the checked `h5py.File`, opened for reading.

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
            _Checker(source).check_group(opened, "", 0)
        except (OSError, RuntimeError, KeyError, TypeError, UnicodeDecodeError) as error:
            raise ValueError(f"{source} is damaged: {error}.") from None
        yield opened


class _Checker:
    def __init__(self, source: str) -> None:
        self.source = source
        self.groups: set[int] = set()
        self.objects = 0

    def refuse(self, name: str, reason: str) -> ValueError:
        return ValueError(f"{self.source} is refused: '{name[:200] or '/'}' {reason}.")

    def check_group(self, group: Any, name: str, depth: int) -> None:
        import h5py

        if depth > MAX_DEPTH:
            raise self.refuse(name, f"is nested deeper than {MAX_DEPTH} groups")
        address = h5py.h5o.get_info(group.id).addr
        if address in self.groups:
            raise self.refuse(name, "is a group that is linked twice")
        self.groups.add(address)
        for key in group:
            path = f"{name}/{key}" if name else key
            self.objects += 1
            if self.objects > MAX_OBJECTS:
                raise self.refuse(path, f"is one of more than {MAX_OBJECTS} objects")
            link = group.get(key, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise self.refuse(path, "is a link to another file")
            if not isinstance(link, h5py.HardLink):
                raise self.refuse(path, "is a soft link")
            child = group[key]
            if isinstance(child, h5py.Group):
                self.check_group(child, path, depth + 1)
            elif isinstance(child, h5py.Dataset):
                self.check_dataset(child, path)
            else:
                raise self.refuse(path, "is neither a group nor a dataset")

    def check_dataset(self, dataset: Any, name: str) -> None:
        import h5py

        properties = dataset.id.get_create_plist()
        if properties.get_layout() == h5py.h5d.VIRTUAL:
            raise self.refuse(name, "is a virtual dataset, which reads other files")
        if properties.get_external_count() > 0:
            raise self.refuse(name, "keeps its values in another file")
        for i in range(properties.get_nfilters()):
            code = properties.get_filter(i)[0]
            if code not in (_DEFLATE, _SHUFFLE, _FLETCHER32):
                raise self.refuse(name, f"needs the HDF5 filter {code}")
        if dataset.shape is None:
            raise self.refuse(name, "has no shape")
        size = int(np.prod(dataset.shape, dtype=object)) * dataset.id.get_type().get_size()
        stored = dataset.id.get_storage_size()
        ratio = MAX_RATIO if properties.get_nfilters() else 1
        if size > stored * ratio:
            raise self.refuse(
                name, f"declares shape {dataset.shape}, {size} bytes, with {stored} bytes behind it"
            )


class StoredArrays(Mapping[str, Any]):
    """The datasets of a group as NumPy arrays, each read when it is asked for.

    Args:
        group: A group of a checked file, or `None` for no datasets.
        source: What the file is, for errors.
    """

    def __init__(self, group: Any, source: str) -> None:
        self._group = group
        self._source = source

    def __getitem__(self, key: str) -> Any:
        if self._group is None:
            raise KeyError(key)
        dataset = self._group[key]
        if not hasattr(dataset, "shape"):
            raise KeyError(key)
        if dataset.dtype.kind not in "fiubVS":
            raise ValueError(
                f"{self._source} is refused: '{dataset.name}' has dtype {dataset.dtype}, expected "
                "numbers."
            )
        try:
            array = np.asarray(dataset[()])
        except OSError as error:
            raise ValueError(f"{self._source} is damaged: '{dataset.name}': {error}.") from None
        if dataset.attrs.get("dtype") == "bfloat16":
            if array.dtype.itemsize != 2:
                raise ValueError(f"{self._source} is refused: '{dataset.name}' is no bfloat16.")
            from pronghorn.tensor import bfloat16_tensor

            return bfloat16_tensor(array.view(np.uint16))
        return array

    def shape(self, key: str) -> tuple[int, ...]:
        """Returns the shape of a dataset without reading it."""
        return tuple(self._group[key].shape)

    def __iter__(self) -> Iterator[str]:
        if self._group is not None:
            for key in self._group:
                if hasattr(self._group[key], "shape"):
                    yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)
