"""Weights in `.safetensors` files: a JSON header with names, dtypes and places, then the bytes.

The format: huggingface.co/docs/safetensors, "Format".
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pronghorn.array_in_file import ArrayInFile, item_size
from pronghorn.saving.atomic_write import atomic_write
from pronghorn.saving.checked_json import parse_json
from pronghorn.saving.named_weights import plain_arrays, set_named_weights
from pronghorn.saving.read_at import read_at

_MAX_HEADER = 64 * 2**20
_ALIGNMENT = 8
_MAX_RANK = 32
_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}
_NAMES = {name: code for code, name in _DTYPES.items()}


def save_safetensors(model: Any, path: str) -> None:
    """Writes the weights of a model to a `.safetensors` file, replaced when the new one is whole.

    Args:
        model: A built model.
        path: Path of the file.
    """
    write_tensors(plain_arrays(model), path)


def write_tensors(arrays: Mapping[str, Any], path: str) -> None:
    """Writes arrays by name to a `.safetensors` file, replaced when the new one is whole.

    Args:
        arrays: The arrays.
        path: Path of the file.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pronghorn"}}
    offset = 0
    for name, array in arrays.items():
        end = offset + array.nbytes
        header[name] = {
            "dtype": _NAMES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header).encode("utf-8")
    text += b" " * (-len(text) % _ALIGNMENT)
    with atomic_write(path) as beside, open(beside, "wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for array in arrays.values():
            little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
            file.write(little.reshape(-1).view(np.uint8).data)


def load_safetensors(model: Any, path: str, skip_mismatch: bool = False) -> None:
    """Sets the weights of a model from a `.safetensors` file.

    Args:
        model: A built model.
        path: Path of the file.
        skip_mismatch: Whether weights that do not fit keep their values.

    Raises:
        ValueError: If the file is refused, or does not fit the model, which is unchanged then.
    """
    with StoredTensors(path) as stored:
        set_named_weights(model, stored, f"'{path}'", skip_mismatch)


class StoredTensors(Mapping[str, ArrayInFile]):
    """The arrays of a `.safetensors` file, each read when it is asked for.

    Args:
        path: Path of the file.

    Raises:
        ValueError: If the header is malformed, or does not describe the bytes after it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._file = open(path, "rb")  # noqa: SIM115  (closed by `__exit__`)
        try:
            self._entries = self._checked_entries()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> StoredTensors:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()

    def _checked_entries(self) -> dict[str, ArrayInFile]:
        size = os.fstat(self._file.fileno()).st_size
        length = int.from_bytes(self._file.read(8), "little")
        if size < 8 or length > min(_MAX_HEADER, size - 8):
            raise ValueError(
                f"'{self.path}': expected a safetensors file. Received: {size} bytes that start "
                f"with a header length of {length}."
            )
        header = parse_json(self._file.read(length), f"'{self.path}', header")
        if not isinstance(header, dict):
            raise ValueError(f"'{self.path}': expected a JSON object as header.")
        header.pop("__metadata__", None)
        start = 8 + length
        entries = {n: self._checked(n, entry, start, size) for n, entry in header.items()}
        at = start
        for name, entry in sorted(entries.items(), key=lambda e: e[1].offset):
            if entry.offset < at:
                raise ValueError(
                    f"'{self.path}' is refused: '{name[:200]}' shares bytes with another array."
                )
            at = entry.offset + entry.nbytes
        if at != size:
            raise ValueError(
                f"'{self.path}' is refused: its header describes {at - start} bytes, "
                f"{size - start} follow."
            )
        return dict(entries)

    def _checked(self, name: str, entry: Any, start: int, size: int) -> _StoredTensor:
        try:
            dtype, shape, (begin, end) = (
                _DTYPES[entry["dtype"]],
                tuple(entry["shape"]),
                entry["data_offsets"],
            )
        except (KeyError, TypeError, ValueError):
            raise ValueError(
                f"'{self.path}' is refused: '{name[:200]}' has no dtype, shape and place that are "
                f"known. Received: {entry!r:.200}."
            ) from None
        if len(shape) > _MAX_RANK:
            raise ValueError(f"'{self.path}' is refused: '{name[:200]}' has {len(shape)} axes.")
        numbers = [*shape, begin, end]
        if not all(
            isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 2**62 for n in numbers
        ):
            raise ValueError(
                f"'{self.path}' is refused: '{name[:200]}' has no shape: {shape!s:.200}."
            )
        stored = _StoredTensor(self._file.fileno(), start + begin, shape, dtype, self.path)
        if start + end > size or end - begin != stored.nbytes:
            raise ValueError(
                f"'{self.path}' is refused: '{name[:200]}' declares shape {shape} of {dtype} at "
                f"bytes {begin} to {end} of {size - start}."
            )
        return stored

    def __getitem__(self, name: str) -> ArrayInFile:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class _StoredTensor(ArrayInFile):
    def __init__(
        self, descriptor: int, offset: int, shape: tuple[int, ...], dtype: str, path: str
    ) -> None:
        super().__init__(shape, dtype)
        self.offset = offset
        self._descriptor = descriptor
        self._path = path

    def read_into(self, memory: memoryview) -> None:
        if read_at(self._descriptor, self.offset, memory) != len(memory):
            raise ValueError(f"'{self._path}' is damaged: it is cut off.")
        if sys.byteorder == "big":
            items = np.frombuffer(memory, f"u{item_size(self.tensor_dtype)}")
            items.byteswap(inplace=True)
