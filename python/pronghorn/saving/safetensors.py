"""Weights in `.safetensors` files: a JSON header with names, dtypes and places, then the bytes.

The format: huggingface.co/docs/safetensors, "Format".
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pronghorn.saving.atomic_write import atomic_write
from pronghorn.saving.checked_json import parse_json
from pronghorn.saving.named_weights import plain_arrays, set_named_weights

_MAX_HEADER = 64 * 2**20
_ALIGNMENT = 8
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
    arrays = plain_arrays(model)
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
            file.write(little.view(np.uint8).data if little.size else b"")


def load_safetensors(model: Any, path: str, skip_mismatch: bool = False) -> None:
    """Sets the weights of a model from a `.safetensors` file.

    Args:
        model: A built model.
        path: Path of the file.
        skip_mismatch: Whether weights that do not fit keep their values.

    Raises:
        ValueError: If the file is refused, or does not fit the model, which is unchanged then.
    """
    stored = StoredTensors(path)
    set_named_weights(model, stored.shapes, stored, f"'{path}'", skip_mismatch)


class StoredTensors(Mapping[str, Any]):
    """The arrays of a `.safetensors` file, each read when it is asked for.

    Args:
        path: Path of the file.

    Raises:
        ValueError: If the header is malformed, or does not describe the bytes after it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(_MAX_HEADER, size - 8):
                raise ValueError(
                    f"'{path}': expected a safetensors file. Received: {size} bytes that start "
                    f"with a header length of {length}."
                )
            header = parse_json(file.read(length), f"'{path}', header")
        self._start = 8 + length
        if not isinstance(header, dict):
            raise ValueError(f"'{path}': expected a JSON object as header.")
        header.pop("__metadata__", None)
        self._entries = {
            name: self._checked(name, entry, size - self._start) for name, entry in header.items()
        }
        self._check_places(size - self._start)
        self.shapes = {name: shape for name, (_, shape, _) in self._entries.items()}

    def _checked(self, name: str, entry: Any, size: int) -> tuple[str, tuple[int, ...], int]:
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
        numbers = [*shape, begin, end]
        if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in numbers):
            raise ValueError(f"'{self.path}' is refused: '{name[:200]}' has no shape: {shape}.")
        if end > size or end - begin != math.prod(shape) * _item_size(dtype):
            raise ValueError(
                f"'{self.path}' is refused: '{name[:200]}' declares shape {shape} of {dtype} at "
                f"bytes {begin} to {end} of {size}."
            )
        return dtype, shape, begin

    def _check_places(self, size: int) -> None:
        at = 0
        for name, (dtype, shape, begin) in sorted(self._entries.items(), key=lambda e: e[1][2]):
            if begin < at:
                raise ValueError(
                    f"'{self.path}' is refused: '{name[:200]}' shares bytes with another array."
                )
            at = begin + math.prod(shape) * _item_size(dtype)
        if at != size:
            raise ValueError(
                f"'{self.path}' is refused: its header describes {at} bytes, {size} follow."
            )

    def __getitem__(self, name: str) -> Any:
        dtype, shape, begin = self._entries[name]
        stored = "uint16" if dtype == "bfloat16" else dtype
        array = np.fromfile(
            self.path,
            np.dtype(stored).newbyteorder("<"),
            count=math.prod(shape),
            offset=self._start + begin,
        ).reshape(shape)
        if dtype != "bfloat16":
            return array
        from pronghorn.tensor import bfloat16_tensor

        return bfloat16_tensor(array)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _item_size(dtype: str) -> int:
    return 2 if dtype == "bfloat16" else int(np.dtype(dtype).itemsize)
