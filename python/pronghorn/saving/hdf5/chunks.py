"""Chunks of a dataset: their B-tree, section III.A.1, and the filters that they went through."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator

import numpy as np

from pronghorn.saving.hdf5.dataset import DEFLATE, FLETCHER32, SHUFFLE, Dataset
from pronghorn.saving.hdf5.source import UNDEFINED, Hdf5Error

_MAX_LEVEL = 20


def read_chunks(dataset: Dataset) -> np.ndarray:
    """Returns the numbers of a dataset in chunks, as an array of their bytes.

    Raises:
        Hdf5Error: A chunk is missing, damaged, or unpacks to more than its shape has.
    """
    chunk = dataset.chunk or ()
    item = dataset.datatype.size
    found = np.zeros((*dataset.shape, item), np.uint8)
    wanted = math.prod(-(-n // c) for n, c in zip(dataset.shape, chunk))
    seen: set[tuple[int, ...]] = set()
    for place, size, mask, address in _entries(dataset):
        if place in seen or any(p % c or p >= n for p, c, n in zip(place, chunk, dataset.shape)):
            raise Hdf5Error("is damaged: a chunk is not where it should be")
        seen.add(place)
        data = _unpacked(dataset, dataset.source.read(address, size), mask)
        whole = np.frombuffer(data, np.uint8).reshape(*chunk, item)
        kept = tuple(slice(0, n - p) for p, n in zip(place, dataset.shape))
        found[tuple(slice(p, p + c) for p, c in zip(place, chunk))] = whole[kept]
    if len(seen) != wanted:
        raise Hdf5Error(f"declares {wanted} chunks, {len(seen)} are there")
    return found


def _entries(dataset: Dataset) -> Iterator[tuple[tuple[int, ...], int, int, int]]:
    """Yields place, stored bytes, skipped filters and address of each chunk."""
    rank = len(dataset.shape)
    key = struct.Struct(f"<II{rank + 1}Q")
    seen: set[int] = set()
    todo = [(dataset.index, _MAX_LEVEL)] if dataset.index != UNDEFINED else []
    while todo:
        address, below = todo.pop()
        start = dataset.source.read(address, 8)
        level, count = start[5], int.from_bytes(start[6:8], "little")
        if start[:5] != b"TREE\x01" or level >= below or address in seen:
            raise Hdf5Error("is damaged: its index of chunks is no tree")
        seen.add(address)
        pairs = dataset.source.read(address + 24, count * (key.size + 8))
        for at in range(0, len(pairs), key.size + 8):
            size, mask, *place = key.unpack_from(pairs, at)
            target = int.from_bytes(pairs[at + key.size : at + key.size + 8], "little")
            if level:
                todo.append((target, level))
            else:
                yield tuple(place[:rank]), size, mask, target


def _unpacked(dataset: Dataset, data: bytes, mask: int) -> bytes:
    limit = dataset.chunk_bytes
    for number, code in reversed(list(enumerate(dataset.filters))):
        if mask >> number & 1:
            continue
        if code == FLETCHER32:
            if len(data) < 4 or _fletcher32(data[:-4]) != _sums(
                int.from_bytes(data[-4:], "little")
            ):
                raise Hdf5Error("is damaged: the checksum of a chunk is another one")
            data = data[:-4]
        elif code == DEFLATE:
            unpack = zlib.decompressobj()
            try:
                data = unpack.decompress(data, limit + 5)
            except zlib.error as error:
                raise Hdf5Error(f"is damaged: {error}") from None
        elif code == SHUFFLE and dataset.datatype.size > 1:
            count = len(data) // dataset.datatype.size
            whole = np.frombuffer(data[: count * dataset.datatype.size], np.uint8)
            shuffled = whole.reshape(dataset.datatype.size, count)
            data = shuffled.T.tobytes() + data[count * dataset.datatype.size :]
    if len(data) != limit:
        raise Hdf5Error(f"is damaged: a chunk unpacks to {len(data)} bytes in place of {limit}")
    return data


def _fletcher32(data: bytes) -> tuple[int, int]:
    """Returns both sums of Fletcher's checksum, of 16-bit words, the high byte first, mod 65535."""
    words = np.frombuffer(data + b"\0" * (len(data) % 2), ">u2").astype(np.uint64)
    weights = np.arange(len(words), 0, -1, dtype=np.uint64) % 65535
    return int(words.sum()) % 65535, int((words * weights).sum()) % 65535


def _sums(checksum: int) -> tuple[int, int]:
    return (checksum & 0xFFFF) % 65535, (checksum >> 16) % 65535
