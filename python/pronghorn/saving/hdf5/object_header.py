"""Object headers, section IV.A: the messages that describe a group or a dataset."""

from __future__ import annotations

import dataclasses
import struct

from pronghorn.saving.hdf5.source import Hdf5Error, Source

DATASPACE, LINK_INFO, DATATYPE, FILL, EXTERNAL_FILES, LINK, LAYOUT = 1, 2, 3, 5, 7, 6, 8
FILTERS, ATTRIBUTE, CONTINUATION, SYMBOL_TABLE, ATTRIBUTE_INFO = 11, 12, 16, 17, 21
_SHARED = 0x02
_MAX_BLOCKS = 1000
_MESSAGE_1 = struct.Struct("<HHB3x")


@dataclasses.dataclass(frozen=True)
class Message:
    """A message: its type, and its bytes."""

    kind: int
    data: bytes


def read_messages(source: Source, address: int) -> list[Message]:
    """Returns the messages of the object header at an address.

    Raises:
        Hdf5Error: The header is damaged, or shares messages with others.
    """
    start = source.read(address, min(16, source.size - address) if address < source.size else 16)
    blocks: list[tuple[int, int]]
    if start[:4] == b"OHDR":
        flags = start[5]
        at = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        size = int.from_bytes(source.read(address + at, width), "little")
        blocks = [(address + at + width, size)]
        extra = 2 if flags & 0x04 else 0
        return _read(source, blocks, 4 + extra, is_new=True)
    if len(start) < 16 or start[0] != 1:
        raise Hdf5Error("is damaged: it has no object header")
    return _read(source, [(address + 16, int.from_bytes(start[8:12], "little"))], 8, is_new=False)


def _read(
    source: Source, blocks: list[tuple[int, int]], prefix: int, is_new: bool
) -> list[Message]:
    found: list[Message] = []
    seen: set[int] = set()
    for address, size in blocks:  # grows with each continuation
        if address in seen or len(seen) > _MAX_BLOCKS:
            raise Hdf5Error("is damaged: its object header does not end")
        seen.add(address)
        data = source.read(address, size)
        at = 0
        while at + prefix <= size:
            if is_new:
                kind, length, flags = data[at], data[at + 1] | data[at + 2] << 8, data[at + 3]
            else:
                kind, length, flags = _MESSAGE_1.unpack_from(data, at)
            at += prefix
            if at + length > size:
                raise Hdf5Error("is damaged: a message is longer than its object header")
            if kind == CONTINUATION:
                blocks.append(_continuation(source, data[at : at + length], is_new))
            elif kind != 0:
                if flags & _SHARED:
                    raise Hdf5Error("shares its description with other objects")
                found.append(Message(kind, data[at : at + length]))
            at += length
    return found


def _continuation(source: Source, data: bytes, is_new: bool) -> tuple[int, int]:
    if len(data) < 16:
        raise Hdf5Error("is damaged: its object header goes on nowhere")
    address, length = struct.unpack_from("<QQ", data)
    if not is_new:
        return address, length
    if length < 8 or source.read(address, 4) != b"OCHK":
        raise Hdf5Error("is damaged: its object header goes on nowhere")
    return address + 4, length - 8
