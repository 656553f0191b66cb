"""Weights in NumPy's `.npz` files. Objects, which NumPy would unpickle, are refused."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.lib import format as npy

from pronghorn.array_in_file import ArrayInFile
from pronghorn.config_errors import one_line
from pronghorn.saving.atomic_write import atomic_write
from pronghorn.saving.checked_zip import DAMAGE, CheckedZip
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
    write_arrays(plain_arrays(model), path)


def write_arrays(arrays: Mapping[str, Any], path: str) -> None:
    """Writes arrays by name to an `.npz` file, replaced when the new one is whole.

    Args:
        arrays: The arrays.
        path: Path of the file.

    Raises:
        ValueError: If one is of bfloat16, which NumPy's files do not have.
    """
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
        stored.check_sums()  # a damaged one is found before any weight changes
        set_named_weights(model, stored, f"'{path}'", skip_mismatch)


class StoredArchive(CheckedZip, Mapping[str, ArrayInFile]):
    """The arrays of an `.npz` file, each read when it is asked for.

    Args:
        path: Path of the file.

    Raises:
        ValueError: If the file is no zip archive of arrays of numbers, or declares more than it
            holds.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path, "an `.npz` file")
        try:
            self._arrays = {
                name.removesuffix(_ENDING): self._checked_array(name) for name in self.members
            }
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def check_name(self, name: str) -> None:
        """Raises a ValueError for members that are no arrays."""
        if not name.endswith(_ENDING):
            raise self.refuse(name, "is no array")

    def _checked_array(self, name: str) -> ArrayInFile:
        info = self.members[name]
        try:
            with self._zip.open(info) as file:
                version = npy.read_magic(file)
                read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                shape, _, dtype = read(file)
                at = file.tell()
        except Exception as error:  # NumPy evaluates the header as a literal: anything may be said
            raise self.refuse(name, f"is no array: {one_line(error)}") from None
        if dtype.hasobject or dtype.kind not in "fiub":
            raise self.refuse(name, f"has dtype {dtype!s:.100}, expected numbers")
        too_large = any(not 0 <= dim < 2**62 for dim in shape) or len(shape) > 32
        if too_large or math.prod(shape) * dtype.itemsize != info.file_size - at:
            raise self.refuse(
                name,
                f"declares shape {shape!s:.100} of {dtype} in {info.file_size - at} bytes",
            )
        return _Member(self, name, tuple(shape), dtype.name)

    def check_sums(self) -> None:
        """Reads all arrays without keeping them.

        Raises:
            ValueError: If one is damaged.
        """
        for name, info in self.members.items():
            try:
                with self._zip.open(info) as file:
                    while file.read(2**20):
                        pass
            except DAMAGE as error:
                raise self.refuse(name, f"is damaged: {error}") from None

    def read_array(self, name: str) -> Any:
        """Returns the array of a member.

        Raises:
            ValueError: If it is damaged.
        """
        try:
            with self._zip.open(self.members[name]) as file:
                return npy.read_array(file, allow_pickle=False)
        except DAMAGE as error:
            raise self.refuse(name, f"is damaged: {error}") from None

    def __getitem__(self, name: str) -> ArrayInFile:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


class _Member(ArrayInFile):
    def __init__(
        self, archive: StoredArchive, name: str, shape: tuple[int, ...], dtype: str
    ) -> None:
        super().__init__(shape, dtype)
        self._archive = archive
        self._name = name

    def read_into(self, memory: memoryview) -> None:
        array = self._archive.read_array(self._name)
        native = np.ascontiguousarray(array.astype(self.tensor_dtype, copy=False))
        memory[:] = native.reshape(-1).view(np.uint8).data
