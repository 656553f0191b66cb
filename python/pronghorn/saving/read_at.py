"""Reads from a place of an opened file, without moving its position."""

from __future__ import annotations

import os


def read_at(descriptor: int, offset: int, memory: memoryview) -> int:
    """Fills `memory` with the bytes of a file from `offset`; returns how many there were."""
    done = 0
    while done < len(memory):
        count = os.preadv(descriptor, [memory[done:]], offset + done)
        if count == 0:
            break
        done += count
    return done
