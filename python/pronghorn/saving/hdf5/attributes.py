"""Attributes, section IV.A.2.m, and the global heap of their texts, section III.E."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pronghorn.saving.hdf5 import object_header as header
from pronghorn.saving.hdf5.datatype import read_datatype, read_shape
from pronghorn.saving.hdf5.source import UNDEFINED, Hdf5Error, Source

_REFERENCE = struct.Struct("<IQI")


class Attributes(Mapping[str, Any]):
    """Attributes of an object by name: bytes for text, a list of them, or a NumPy array of numbers.

    Args:
        source: The file.
        messages: Messages of the object's header.

    Raises:
        Hdf5Error: They are damaged, or kept where no library keeps them by default.
    """

    def __init__(self, source: Source, messages: list[header.Message]) -> None:
        self._source = source
        self._messages: dict[str, bytes] = {}
        for message in messages:
            if message.kind == header.ATTRIBUTE:
                self._messages[_name(message.data)] = message.data
            elif message.kind == header.ATTRIBUTE_INFO:
                at = 2 + (2 if message.data[1:2] and message.data[1] & 1 else 0)
                if message.data[at : at + 8] != UNDEFINED.to_bytes(8, "little"):
                    raise Hdf5Error("keeps its attributes in a heap")

    def __getitem__(self, name: str) -> Any:
        return _value(self._source, self._messages[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)


def _sizes(data: bytes) -> tuple[int, int, int, int]:
    """Returns where the name begins, and the sizes of name, type and shape."""
    if len(data) < 9 or data[0] not in (1, 2, 3):
        raise Hdf5Error("is damaged: an attribute is cut off")
    name, kind, space = struct.unpack_from("<HHH", data, 2)
    if data[0] > 1 and data[1] & 3:
        raise Hdf5Error("has an attribute that shares its type")
    return (9 if data[0] == 3 else 8), name, kind, space


def _name(data: bytes) -> str:
    at, size, _, _ = _sizes(data)
    return data[at : at + size].partition(b"\0")[0].decode("utf-8", "replace")


def _value(source: Source, data: bytes) -> Any:
    at, *sizes = _sizes(data)
    parts = []
    for size in sizes:
        parts.append(data[at : at + size])
        at += (size + 7) // 8 * 8 if data[0] == 1 else size
    kind, shape = read_datatype(parts[1]), read_shape(parts[2])
    count = math.prod(shape)
    raw = data[at : at + count * kind.size]
    if len(raw) != count * kind.size:
        raise Hdf5Error("is damaged: an attribute is cut off")
    if kind.numpy == "text":
        texts = _texts(source, raw)
    elif kind.numpy.startswith("S"):
        ends = range(0, len(raw), kind.size) if kind.size else range(0)
        texts = [raw[i : i + kind.size].rstrip(b"\0") for i in ends]
    elif kind.numpy and kind.numpy not in ("bfloat16",) and not kind.numpy.startswith("V"):
        return np.frombuffer(raw, kind.numpy).reshape(shape)
    else:
        raise Hdf5Error(f"has an attribute of {kind.description}, expected text or numbers")
    return texts if shape else (texts[0] if texts else b"")


def _texts(source: Source, references: bytes) -> list[bytes]:
    """Returns the texts that references into the global heap lead to."""
    heaps: dict[int, dict[int, tuple[int, int]]] = {}
    found = []
    left = source.size
    for length, address, index in _REFERENCE.iter_unpack(references):
        if length == 0 or address in (0, UNDEFINED):
            found.append(b"")
            continue
        if address not in heaps:
            heaps[address] = _heap(source, address)
        offset, size = heaps[address].get(index, (0, -1))
        if length > size:
            raise Hdf5Error("is damaged: the text of an attribute is not where it should be")
        left -= length
        if left < 0:
            raise Hdf5Error("has attributes whose texts are longer than the file")
        found.append(source.read(offset, length).rstrip(b"\0"))
    return found


def _heap(source: Source, address: int) -> dict[int, tuple[int, int]]:
    """Returns offset and size of each object of a collection of the global heap."""
    start = source.read(address, 16)
    size = int.from_bytes(start[8:16], "little")
    if start[:5] != b"GCOL\x01" or address + size > source.size:
        raise Hdf5Error("is damaged: the text of an attribute is not where it should be")
    found: dict[int, tuple[int, int]] = {}
    at, end = address + 16, address + size
    while at + 16 <= end:
        index, _, length = struct.unpack_from("<HH4xQ", source.read(at, 16))
        if index == 0:  # what is left free
            break
        if length > end - at - 16:
            raise Hdf5Error("is damaged: a text is longer than the heap that holds it")
        found[index] = (at + 16, length)
        at += 16 + (length + 7) // 8 * 8
    return found
