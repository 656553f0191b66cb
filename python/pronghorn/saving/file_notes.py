"""What a file of weights says about how good they are, so that a later run knows.

The note is an attribute of the HDF5 file, or of the one inside of a `.keras` file: it is written
and replaced with the weights, never apart from them. Keras does not look at it.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
from collections.abc import Iterator
from typing import Any

from pronghorn.saving.archive import Archive
from pronghorn.saving.checked_hdf5 import open_hdf5
from pronghorn.saving.checked_json import parse_json

_ATTRIBUTE = "pronghorn_note"
_current: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar(
    "file_note", default=None
)


@contextlib.contextmanager
def noted(note: dict[str, Any] | None) -> Iterator[None]:
    """Context manager: models and weights that are saved inside of it carry a note.

    Args:
        note: JSON values by name.
    """
    token = _current.set(note)
    try:
        yield
    finally:
        _current.reset(token)


def write_note(file: Any) -> None:
    """Writes the note of the context, if there is one, into an HDF5 file opened for writing."""
    note = _current.get()
    if note is not None:
        file.attrs[_ATTRIBUTE] = json.dumps(note)


def read_note(path: str) -> dict[str, Any] | None:
    """Returns the note of a `.keras`, `.weights.h5` or `.h5` file, `None` where it has none.

    Raises:
        ValueError: If the file is refused.
    """
    source = f"'{path}'"
    with contextlib.ExitStack() as stack:
        file: Any = path
        if path.endswith(".keras"):
            file = stack.enter_context(stack.enter_context(Archive(path)).open_weights())
        attributes = stack.enter_context(open_hdf5(file, source)).root.attrs
        if _ATTRIBUTE not in attributes:
            return None
        text = attributes[_ATTRIBUTE]
    note = parse_json(text if isinstance(text, bytes) else b"", f"{source}, its note")
    return note if isinstance(note, dict) else None
