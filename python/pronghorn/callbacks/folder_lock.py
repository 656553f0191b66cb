"""A folder that one run at a time writes to."""

from __future__ import annotations

import contextlib
import os
from typing import Any

_NAME = "lock"
# Locks are those of a process: runs of the same process are told apart here, by folder.
_owners: dict[tuple[int, str], Any] = {}
_files: dict[tuple[int, str], int] = {}


def lock_folder(folder: str, owner: Any) -> None:
    """Locks a folder until `unlock_folder`, or until the process ends, however it ends.

    A later owner in the same process takes the lock over.

    Args:
        folder: The folder, which exists.
        owner: Who holds the lock.

    Raises:
        RuntimeError: If another process holds it.
    """
    key = _key(folder)
    if key not in _files:
        _files[key] = _locked_file(folder)
    _owners[key] = owner


def _locked_file(folder: str) -> int:
    path = os.path.join(folder, _NAME)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(descriptor)
            if _is_there(path, descriptor):
                return descriptor
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            raise RuntimeError(
                f"BackupAndRestore: expected a folder that no other run uses. Received: "
                f"backup_dir={folder!r}, which a running process has locked."
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its owner has removed it in the meantime


def _is_there(path: str, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def is_owner(folder: str, owner: Any) -> bool:
    """Returns whether nobody in this process has taken the folder over from `owner`."""
    return _owners.get(_key(folder)) is owner


def unlock_folder(folder: str, owner: Any) -> None:
    """Gives the folder up, if `owner` holds it, and removes the file of the lock."""
    key = _key(folder)
    if _owners.get(key) is not owner:
        return
    del _owners[key]
    descriptor = _files.pop(key)
    if os.name == "nt":  # where no open file is removed
        os.close(descriptor)
    # A PermissionError there: another run has opened it meanwhile.
    with contextlib.suppress(FileNotFoundError, PermissionError):
        os.remove(os.path.join(folder, _NAME))
    if os.name != "nt":
        os.close(descriptor)


def _key(folder: str) -> tuple[int, str]:
    return os.getpid(), os.path.realpath(folder)


if os.name == "nt":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
