"""The bytes of an HDF5 file, read where they are needed and never beyond its end."""

from __future__ import annotations

from collections.abc import Callable

# Fills memory with bytes from an offset of the file; returns how many there were.
ReadAt = Callable[[int, memoryview], int]

UNDEFINED = 2**64 - 1  # an address that leads nowhere
_BLOCK = 16 * 1024


class Hdf5Error(ValueError):
    """A file that is damaged, or has what files of weights have no use for."""


class Source:
    """The bytes of a file.

    Args:
        read_at: Reads them.
        size: How many there are.
    """

    def __init__(self, read_at: ReadAt, size: int) -> None:
        self.read_at = read_at
        self.size = size
        self._blocks: dict[int, bytes] = {}

    def read(self, offset: int, count: int) -> bytes:
        """Returns `count` bytes from `offset`.

        Raises:
            Hdf5Error: The file ends before.
        """
        if count < 0 or offset < 0 or offset + count > self.size:
            raise Hdf5Error(f"is damaged: it refers to byte {offset + count} of {self.size}")
        first, inside = divmod(offset, _BLOCK)
        if inside + count <= _BLOCK:
            return self._block(first)[inside : inside + count]
        return self._read(offset, count)

    def _block(self, number: int) -> bytes:
        found = self._blocks.get(number)
        if found is None:
            start = number * _BLOCK
            found = self._blocks[number] = self._read(start, min(_BLOCK, self.size - start))
        return found

    def _read(self, offset: int, count: int) -> bytes:
        memory = bytearray(count)
        if self.read_at(offset, memoryview(memory)) != count:
            raise Hdf5Error("is damaged: it is cut off")
        return bytes(memory)
