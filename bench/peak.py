"""What the machine reaches at most, measured in the process that asks."""

from __future__ import annotations

import math

from pronghorn import _core

SMALLEST = 32 * 1024  # bytes; below this the first cache holds everything
IN_L2 = 512 * 1024  # of one thread
IN_MEMORY = 1024 * 1024 * 1024  # beyond the last cache of most machines


class Peaks:
    """Limits with the active kernels and threads; every one is measured when first asked for."""

    def __init__(self) -> None:
        self.multiply_add = _core._peak_multiply_add()
        self.multiply_tiles = _core._peak_multiply_tiles()
        self._copy: dict[int, float] = {}

    def again(self) -> None:
        """Measures the multiply-adds once more and keeps the better figure."""
        self.multiply_add = max(self.multiply_add, _core._peak_multiply_add())
        self.multiply_tiles = max(self.multiply_tiles, _core._peak_multiply_tiles())

    def products(self, dtype: str) -> float:
        """GFLOP/s of multiply-adds: in bfloat16 of tiles, where the active kernels have them."""
        tiles = self.multiply_tiles if dtype == "bfloat16" else 0.0
        return tiles or self.multiply_add

    def copy(self, size: int) -> float:
        """GB/s read and written by copies that touch as many bytes, to the next power of two."""
        size = 2 ** math.ceil(math.log2(max(size, SMALLEST)))
        if size not in self._copy:
            self._copy[size] = _core._peak_copy(size)
        return self._copy[size]

    def __str__(self) -> str:
        read = [_core._peak_read(size) for size in (IN_L2 * _core.num_threads(), IN_MEMORY)]
        copy = [self.copy(size) for size in (IN_L2 * _core.num_threads(), IN_MEMORY)]
        tiles = f", bfloat16 tiles {self.multiply_tiles:.0f}" if self.multiply_tiles else ""
        return (
            f"{self.multiply_add:.0f} GFLOP/s{tiles}; read {read[0]:.0f} GB/s in L2, "
            f"{read[1]:.0f} in memory; copy {copy[0]:.0f}, {copy[1]:.0f}"
        )
