"""What this machine is to the core, and what it reaches."""

from __future__ import annotations

from typing import Any

from pronghorn import _core

_IN_L2 = 512 * 1024  # bytes of one thread
_IN_MEMORY = 1024**3  # beyond the last cache of most machines


def figures() -> dict[str, Any]:
    """Returns the instruction sets, the threads, and rates that are measured for about a second.

    Example:

    >>> from pronghorn import machine
    >>> machine.figures()["threads"] >= 1
    True
    """
    found: dict[str, Any] = {
        "instruction set": _core.isa(),
        "instruction sets that the machine has": _core.available_isas(),
        "threads": int(_core.num_threads()),
        "float32 multiply-adds, GFLOP/s": round(_core._peak_multiply_add()),
    }
    tiles = _core._peak_multiply_tiles()
    if tiles:
        found["bfloat16 tiles, GFLOP/s"] = round(tiles)
    cache = _IN_L2 * int(_core.num_threads())
    found["read from L2, GB/s"] = round(_core._peak_read(cache))
    found["read from memory, GB/s"] = round(_core._peak_read(_IN_MEMORY), 1)
    found["copy in memory, GB/s"] = round(_core._peak_copy(_IN_MEMORY), 1)
    return found
