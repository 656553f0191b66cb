"""Files that are either the old or the new one, whenever the process or the machine stops."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator


@contextlib.contextmanager
def atomic_write(path: str, previous: str | None = None) -> Iterator[str]:
    """Context manager: gives the path of a new file beside `path`, which replaces it at the end.

    The new file is flushed to the disk, renamed to `path`, and the rename is flushed too. After an
    error the new file is removed and `path` is as it was.

    Args:
        path: Path of the file to write; its folder must exist.
        previous: Path in the same folder that the replaced file is moved to; by default it is
            gone.

    Raises:
        FileNotFoundError: If the folder does not exist.
        IsADirectoryError: If `path` is a folder.
    """
    folder, name = os.path.split(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"Cannot write '{path}': expected an existing folder '{folder}'.")
    if os.path.isdir(path):
        raise IsADirectoryError(f"Cannot write '{path}': expected a file. Received: a folder.")
    beside = os.path.join(folder, f".{name[:100]}.{secrets.token_hex(6)}.tmp")
    try:
        yield beside
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        if os.path.exists(path):
            os.chmod(beside, os.stat(path).st_mode & 0o7777)
            if previous is not None:
                os.replace(path, previous)
        os.replace(beside, path)
        _flush_folder(folder)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(beside)
        raise


def _flush_folder(folder: str) -> None:
    if os.name == "nt":  # folders cannot be opened there; a rename is durable by itself
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
