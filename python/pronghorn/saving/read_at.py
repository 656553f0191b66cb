"""Reads from a place of an opened file, without moving its position."""

from __future__ import annotations

import os
import threading

# macOS refuses to read 2 GB or more at once.
_LONGEST = 2**30


def read_at(descriptor: int, offset: int, memory: memoryview) -> int:
    """Fills `memory` with the bytes of a file from `offset`; returns how many there were."""
    done = 0
    while done < len(memory):
        count = _read_once(descriptor, memory[done : done + _LONGEST], offset + done)
        if count == 0:
            break
        done += count
    return done


_moving = threading.Lock()


def _read_and_move_back(descriptor: int, memory: memoryview, offset: int) -> int:
    with _moving:
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            os.lseek(descriptor, offset, os.SEEK_SET)
            data = os.read(descriptor, len(memory))
        finally:
            os.lseek(descriptor, before, os.SEEK_SET)
    memory[: len(data)] = data
    return len(data)


if hasattr(os, "preadv"):

    def _read_once(descriptor: int, memory: memoryview, offset: int) -> int:
        return os.preadv(descriptor, [memory], offset)

else:  # Windows
    _read_once = _read_and_move_back
