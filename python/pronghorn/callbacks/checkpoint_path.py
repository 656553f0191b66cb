"""Paths of `ModelCheckpoint`: what is in braces in them, and the files that they stand for."""

from __future__ import annotations

import glob
import math
import os
import string
import warnings
from typing import Any


def names_in(path: str) -> set[str]:
    """Returns the names in braces in a path."""
    return {name for _, name, _, _ in string.Formatter().parse(path) if name is not None}


def check(path: str, has_batch: bool) -> None:
    """Raises `ValueError` where a path cannot be filled in.

    Args:
        path: The path, as in `"{epoch:02d}-{val_loss:.2f}.keras"`.
        has_batch: Whether it may have the number of a batch.
    """

    def refuse(reason: str) -> ValueError:
        return ValueError(f"ModelCheckpoint: {reason}. Received: filepath={path}.")

    try:
        names = names_in(path)
    except ValueError as error:
        raise refuse(f"expected names in pairs of braces, but {error}") from None
    for name in names:
        if not name or name.isdigit() or any(sign in name for sign in ".[]"):
            raise refuse(f"expected 'epoch' and names of the logs in braces, found '{{{name}}}'")
    if "batch" in names and not has_batch:
        raise refuse("'{batch}' is filled in where save_freq is a number of batches")
    values: dict[str, Any] = dict.fromkeys(names, 0.5)
    try:
        path.format(**{**values, "epoch": 1, "batch": 1})
    except (ValueError, TypeError) as error:
        raise refuse(f"expected formats of numbers, but {error}") from None


def best_of_earlier_files(path: str, monitor: str, mode: str) -> tuple[float, str, str] | None:
    """Returns the best value among the files of a path, its mode, and which file has it.

    Args:
        path: The path, with names in braces.
        monitor: Name of the metric; files that were saved for others are passed over.
        mode: "min", "max", or "auto" for the mode that a file says.
    """
    from pronghorn.saving.file_notes import read_note

    parts = []
    for literal, name, _, _ in string.Formatter().parse(path):
        parts.append(glob.escape(literal) + ("*" if name is not None else ""))
    best: tuple[float, str, str] | None = None
    for found in sorted(glob.glob("".join(parts))):
        if not os.path.isfile(found):
            continue
        try:
            note = read_note(found)
        except (ValueError, OSError) as error:
            warnings.warn(
                f"ModelCheckpoint: a file of an earlier run cannot be read, so that how good it is "
                f"is not known: {error}",
                stacklevel=4,
            )
            continue
        if note is None or note.get("monitor") != monitor or note.get("mode") not in ("min", "max"):
            continue
        value = note.get("value")
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            continue
        if mode not in ("auto", note["mode"]):
            continue
        sign = 1 if note["mode"] == "max" else -1
        if best is None or sign * (value - best[0]) > 0:
            best = (float(value), str(note["mode"]), found)
    return best
