"""Older name of `utils.pad_sequences`."""

from __future__ import annotations

from pronghorn.utils.sequences import pad_sequences

__all__ = ["pad_sequences"]
