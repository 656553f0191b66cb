"""Groups, sections III.A to III.D, IV.A.2.f, g and r: names of objects and where they are."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pronghorn.saving.hdf5 import object_header as header
from pronghorn.saving.hdf5.attributes import Attributes
from pronghorn.saving.hdf5.source import UNDEFINED, Hdf5Error, Source

MAX_LINKS = 200_000
_MAX_NAME = 1024
_MAX_LEVEL = 20
_ENTRY = struct.Struct("<QQI")
_ENTRY_SIZE = 40
_SOFT = 2
_HARD_LINK, _EXTERNAL_LINK = 0, 64


class Group:
    """A group: the addresses of its objects by name, and its attributes.

    Args:
        source: The file.
        address: Where its object header is.
        messages: The messages of the header, if they have been read.

    Raises:
        Hdf5Error: There is no group, it is damaged, or a name in it is a link.
    """

    def __init__(
        self, source: Source, address: int, messages: list[header.Message] | None = None
    ) -> None:
        if messages is None:
            messages = header.read_messages(source, address)
        self.address = address
        self.attributes = Attributes(source, messages)
        self.links: dict[str, int] = {}
        if not is_group(messages):
            raise Hdf5Error("is no group")
        for name, target in _links(source, messages):
            if name in self.links:
                raise Hdf5Error(f"has '{name[:100]}' twice")
            if len(self.links) >= MAX_LINKS:
                raise Hdf5Error(f"has more than {MAX_LINKS} objects")
            self.links[name] = target


def is_group(messages: list[header.Message]) -> bool:
    """Returns whether an object header is that of a group."""
    kinds = {message.kind for message in messages}
    return bool(kinds & {header.SYMBOL_TABLE, header.LINK_INFO, header.LINK})


def _links(source: Source, messages: list[header.Message]) -> Iterator[tuple[str, int]]:
    for message in messages:
        if message.kind == header.SYMBOL_TABLE:
            if len(message.data) < 16:
                raise Hdf5Error("is damaged: its table of symbols is cut off")
            tree, heap = struct.unpack_from("<QQ", message.data)
            yield from _symbols(source, tree, _Names(source, heap))
        elif message.kind == header.LINK:
            yield _link(message.data)
        elif message.kind == header.LINK_INFO:
            at = 2 + (8 if message.data[1:2] and message.data[1] & 1 else 0)
            if message.data[at : at + 8] != UNDEFINED.to_bytes(8, "little"):
                raise Hdf5Error("keeps its links in a heap, which no library writes by default")


class _Names:
    """A local heap: names that end with a zero byte."""

    def __init__(self, source: Source, address: int) -> None:
        start = source.read(address, 32)
        if start[:4] != b"HEAP":
            raise Hdf5Error("is damaged: it has no names")
        self._size, _, self._data = struct.unpack_from("<QQQ", start, 8)
        self._source = source

    def __getitem__(self, offset: int) -> str:
        if offset >= self._size:
            raise Hdf5Error("is damaged: a name is not where it should be")
        count = min(_MAX_NAME, self._size - offset)
        text, end, _ = self._source.read(self._data + offset, count).partition(b"\0")
        if not end:
            raise Hdf5Error(f"is damaged, or has a name of more than {_MAX_NAME} bytes")
        return _checked(text)


def _checked(text: bytes) -> str:
    try:
        name = text.decode("utf-8")
    except UnicodeDecodeError:
        raise Hdf5Error(f"has the name {text[:50]!r}, which is no UTF-8") from None
    if name in ("", ".", "..") or "/" in name:
        raise Hdf5Error(f"has an object of the name {name[:100]!r}")
    return name


def _symbols(source: Source, root: int, names: _Names) -> Iterator[tuple[str, int]]:
    """Yields what the leaves of a B-tree of version 1 list."""
    seen: set[int] = set()
    todo = [(root, _MAX_LEVEL)]
    while todo:
        address, below = todo.pop()
        if address in seen:
            raise Hdf5Error("is damaged: its table of symbols has a loop")
        seen.add(address)
        start = source.read(address, 8)
        if start[:4] == b"SNOD":
            yield from _leaf(source, address, names)
            continue
        level, entries = start[5], int.from_bytes(start[6:8], "little")
        if start[:5] != b"TREE\0" or level >= below:
            raise Hdf5Error("is damaged: its table of symbols is no tree")
        pairs = source.read(address + 24, 16 * entries)
        children = [pairs[i + 8 : i + 16] for i in range(0, len(pairs), 16)]
        todo += [(int.from_bytes(child, "little"), level) for child in reversed(children)]


def _leaf(source: Source, address: int, names: _Names) -> Iterator[tuple[str, int]]:
    count = int.from_bytes(source.read(address + 6, 2), "little")
    entries = source.read(address + 8, _ENTRY_SIZE * count)
    for at in range(0, len(entries), _ENTRY_SIZE):
        offset, target, cached = _ENTRY.unpack_from(entries, at)
        if cached == _SOFT:
            raise Hdf5Error(f"has a soft link (SoftLink), '{names[offset][:100]}'")
        yield names[offset], target


def _link(data: bytes) -> tuple[str, int]:
    if len(data) < 3:
        raise Hdf5Error("is damaged: a link is cut off")
    flags, at = data[1], 2
    kind = _HARD_LINK
    if flags & 0x08:
        kind, at = data[at], at + 1
    at += (8 if flags & 0x04 else 0) + (1 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    length = int.from_bytes(data[at : at + width], "little")
    at += width
    name = _checked(data[at : at + length])
    at += length
    if kind != _HARD_LINK:
        what = (
            "link to another file (ExternalLink)"
            if kind == _EXTERNAL_LINK
            else "soft link (SoftLink)"
        )
        raise Hdf5Error(f"has a {what}, '{name[:100]}'")
    if at + 8 > len(data):
        raise Hdf5Error("is damaged: a link is cut off")
    return name, int.from_bytes(data[at : at + 8], "little")
