"""Weights in NumPy's `.npz` files. Objects, which NumPy would unpickle, are refused."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.lib import format as npy

from pronghorn.array_in_file import ArrayInFile
from pronghorn.saving.archive import is_bomb
from pronghorn.saving.atomic_write import atomic_write
from pronghorn.saving.named_weights import plain_arrays, set_named_weights

_ENDING = ".npy"


def save_npz(model: Any, path: str) -> None:
    """Writes the weights of a model to an `.npz` file, replaced when the new one is whole.

    Args:
        model: A built model.
        path: Path of the file.

    Raises:
        ValueError: If a weight is of bfloat16, which NumPy's files do not have.
    """
    arrays = plain_arrays(model)
    for name, array in arrays.items():
        if array.dtype.name == "bfloat16":
            raise ValueError(
                f"save_weights: `.npz` files have no bfloat16. Received: weight '{name}'. "
                "Save to `.safetensors` or `.weights.h5`."
            )
    with atomic_write(path) as beside, open(beside, "wb") as file:
        np.savez(file, **arrays)


def load_npz(model: Any, path: str, skip_mismatch: bool = False) -> None:
    """Sets the weights of a model from an `.npz` file.

    Args:
        model: A built model.
        path: Path of the file.
        skip_mismatch: Whether weights that do not fit keep their values.

    Raises:
        ValueError: If the file is refused, or does not fit the model, which is unchanged then.
    """
    with StoredArchive(path) as stored:
        for array in stored.values():
            np.asarray(array)  # a damaged one is found before any weight changes
        set_named_weights(model, stored, f"'{path}'", skip_mismatch)


class StoredArchive(Mapping[str, ArrayInFile]):
    """The arrays of an `.npz` file, each read when it is asked for.

    Args:
        path: Path of the file.

    Raises:
        ValueError: If the file is no zip archive of arrays of numbers, or declares more than it
            holds.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError) as error:
            raise ValueError(f"'{path}': expected an `.npz` file. Received: {error}.") from None
        try:
            self._arrays = dict(self._checked(info) for info in self._zip.infolist())
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> StoredArchive:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._zip.close()

    def _checked(self, info: zipfile.ZipInfo) -> tuple[str, ArrayInFile]:
        name = info.filename
        if not name.endswith(_ENDING):
            raise ValueError(f"'{self.path}' is refused: member '{name[:200]}' is no array.")
        try:
            with self._zip.open(info) as file:
                version = npy.read_magic(file)
                read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                shape, _, dtype = read(file)
                at = file.tell()
        except (ValueError, zipfile.BadZipFile, EOFError, OSError, RuntimeError) as error:
            raise ValueError(
                f"'{self.path}' is refused: member '{name[:200]}' is no array: {error}."
            ) from None
        if dtype.hasobject or dtype.kind not in "fiub":
            raise ValueError(
                f"'{self.path}' is refused: member '{name[:200]}' has dtype {dtype}, expected "
                "numbers."
            )
        if math.prod(shape) * dtype.itemsize != info.file_size - at:
            raise ValueError(
                f"'{self.path}' is refused: member '{name[:200]}' declares shape {shape} of "
                f"{dtype} in {info.file_size - at} bytes."
            )
        if is_bomb(info):
            raise ValueError(f"'{self.path}' is refused: member '{name[:200]}' is a zip bomb.")
        array = _Member(self._zip, info, tuple(shape), dtype.name, self.path)
        return name.removesuffix(_ENDING), array

    def __getitem__(self, name: str) -> ArrayInFile:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


class _Member(ArrayInFile):
    def __init__(
        self,
        archive: zipfile.ZipFile,
        info: zipfile.ZipInfo,
        shape: tuple[int, ...],
        dtype: str,
        path: str,
    ) -> None:
        super().__init__(shape, dtype)
        self._archive = archive
        self._info = info
        self._path = path

    def read_into(self, memory: memoryview) -> None:
        try:
            with self._archive.open(self._info) as file:
                array = npy.read_array(file, allow_pickle=False)
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, zlib.error) as error:
            raise ValueError(
                f"'{self._path}' is damaged: '{self._info.filename}': {error}."
            ) from None
        native = np.ascontiguousarray(array.astype(self.tensor_dtype, copy=False))
        memory[:] = native.reshape(-1).view(np.uint8).data
