"""Datasets, sections IV.A.2.f, i and l: shape, type, and where their numbers are."""

from __future__ import annotations

import math
import struct

from pronghorn.saving.hdf5 import object_header as header
from pronghorn.saving.hdf5.attributes import Attributes
from pronghorn.saving.hdf5.datatype import read_datatype, read_shape
from pronghorn.saving.hdf5.source import UNDEFINED, Hdf5Error, Source

DEFLATE, SHUFFLE, FLETCHER32 = 1, 2, 3
_COMPACT, _CONTIGUOUS, _CHUNKED, _VIRTUAL = 0, 1, 2, 3
# Deflate's own limit is 1,032.
_MAX_RATIO = 1100


class Dataset:
    """A dataset, described and not read.

    Args:
        source: The file.
        messages: Messages of its object header.

    Attributes:
        shape: Its shape.
        datatype: Its type.
        offset: Where its numbers are, `None` unless they lie there as they are.
        inline: The numbers, if the header holds them.
        chunk: Shape of a chunk, `None` without chunks.
        index: Address of the index of chunks.
        filters: Codes of the filters that chunks went through, in that order.

    Raises:
        Hdf5Error: It is damaged, or has what files of weights have no use for.
    """

    def __init__(self, source: Source, messages: list[header.Message]) -> None:
        self.source = source
        self.attributes = Attributes(source, messages)
        self.offset: int | None = None
        self.inline: bytes | None = None
        self.chunk: tuple[int, ...] | None = None
        self.index = UNDEFINED
        by_kind = {message.kind: message.data for message in reversed(messages)}
        if header.EXTERNAL_FILES in by_kind:
            raise Hdf5Error("keeps its values in another file")
        for kind in (header.DATASPACE, header.DATATYPE, header.LAYOUT):
            if kind not in by_kind:
                raise Hdf5Error("is neither a group nor a dataset")
        self.filters = _filters(by_kind[header.FILTERS]) if header.FILTERS in by_kind else []
        self.shape = read_shape(by_kind[header.DATASPACE])
        self.datatype = read_datatype(by_kind[header.DATATYPE])
        self.nbytes = math.prod(self.shape) * self.datatype.size
        self._read_layout(by_kind[header.LAYOUT])

    def _read_layout(self, data: bytes) -> None:
        version, kind = (*data[:2], 0, 0)[:2]
        if version not in (3, 4):
            raise Hdf5Error(f"has a layout of version {version}, expected 3 or 4")
        if kind == _COMPACT:
            size = int.from_bytes(data[2:4], "little")
            self.inline = data[4 : 4 + size]
            self._check_bytes(len(self.inline))
        elif kind == _CONTIGUOUS:
            address, size = struct.unpack_from("<QQ", data.ljust(18, b"\0"), 2)
            if self.nbytes:
                in_file = self.source.size - address if address <= self.source.size else 0
                self._check_bytes(min(size, in_file))
            self.offset = address if self.nbytes else 0
        elif kind == _CHUNKED and version == 3:
            self._read_chunks(data)
        elif kind == _VIRTUAL:
            raise Hdf5Error("is a virtual dataset, which reads other files")
        else:
            raise Hdf5Error("has an index of chunks that no library writes by default")

    def _read_chunks(self, data: bytes) -> None:
        rank = len(self.shape)
        if len(data) < 11 + 4 * (rank + 1) or data[2] != rank + 1:
            raise Hdf5Error("is damaged: its layout is cut off")
        self.index = int.from_bytes(data[3:11], "little")
        *chunk, size = struct.unpack_from(f"<{rank + 1}I", data, 11)
        self.chunk = tuple(chunk)
        if size != self.datatype.size or any(n == 0 for n in chunk):
            raise Hdf5Error("is damaged: its chunks are of another type")
        if self.chunk_bytes > max(4 * self.nbytes, 2**22):
            raise Hdf5Error(f"has chunks of shape {self.chunk}, more than the shape {self.shape}")
        # Each chunk is compared with its bytes when it is read.
        self._check_bytes(self.source.size * (_MAX_RATIO if self.filters else 1))

    @property
    def chunk_bytes(self) -> int:
        """Bytes of a chunk when it is unpacked."""
        return math.prod(self.chunk or ()) * self.datatype.size

    def _check_bytes(self, stored: int) -> None:
        if self.nbytes > stored:
            raise Hdf5Error(
                f"declares shape {self.shape}, {self.nbytes} bytes, with {stored} bytes behind it"
            )


def _filters(data: bytes) -> list[int]:
    version, count = (*data[:2], 0, 0)[:2]
    if version not in (1, 2):
        raise Hdf5Error("is damaged: its filters are cut off")
    at = 8 if version == 1 else 2
    found = []
    for _ in range(count):
        if at + 8 > len(data):
            raise Hdf5Error("is damaged: its filters are cut off")
        code, name, _, values = struct.unpack_from("<HHHH", data, at)
        if version == 2 and code < 256:
            values, name, at = int.from_bytes(data[at + 4 : at + 6], "little"), 0, at - 2
        if code not in (DEFLATE, SHUFFLE, FLETCHER32) or code in found:
            raise Hdf5Error(f"needs the HDF5 filter {code}")
        found.append(code)
        padded = (name + 7) // 8 * 8 if version == 1 else name
        at += 8 + padded + 4 * (values + (values % 2 if version == 1 else 0))
    return found
