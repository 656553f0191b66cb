"""Files that are either the old or the new one, whenever the process or the machine stops."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import re
import secrets
import socket
import stat
from collections.abc import Iterator

_LEFT_OVER = re.compile(r"\.(\d+)-([0-9a-f]{8})-[0-9a-f]{12}\.tmp")
_LONGEST_NAME = 100  # in bytes, of up to 255 with what is added


@contextlib.contextmanager
def atomic_write(path: str, previous: str | None = None) -> Iterator[str]:
    """Context manager: gives the path of a new file beside `path`, which replaces it at the end.

    The new file is flushed to the disk, renamed to `path`, and the rename is flushed too. After an
    error the new file is removed and `path` is as it was; what a killed process left is removed by
    the next one that writes to `path`. A file that is replaced hands on its permissions and its
    owner; the other names of a file with several (hard links) keep the old contents. Where `path`
    is a symbolic link, the link stays and the file that it names is replaced.

    Args:
        path: Path of the file to write; its folder must exist. The new file exists and is empty.
        previous: Path in the same folder that the replaced file is moved to; by default it is
            gone.

    Raises:
        FileNotFoundError: If the folder does not exist.
        IsADirectoryError: If `path` is a folder.
        PermissionError: If `path` is a file that may not be written, or the folder may not.
        OSError: If `path` is no regular file, or the disk is full.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    _check(path, target, folder)
    name = os.fsdecode(os.fsencode(name)[:_LONGEST_NAME])
    _remove_left_overs(folder, name)
    token = secrets.token_hex(6)
    beside = os.path.join(folder, f".{name}.{os.getpid()}-{_machine()}-{token}.tmp")
    try:
        os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise type(error)(error.errno, f"Cannot write '{path}': {error.strerror}") from None
    try:
        yield beside
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        if os.path.exists(target):
            _hand_on(target, beside)
            if previous is not None:
                os.replace(target, previous)
        os.replace(beside, target)
        _flush_folder(folder)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(beside)
        raise


def _check(path: str, target: str, folder: str) -> None:
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"Cannot write '{path}': expected an existing folder '{folder}'.")
    if os.path.islink(target):
        raise OSError(errno.ELOOP, f"Cannot write '{path}': its symbolic links go in a circle")
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"Cannot write '{path}': expected a file. Received: a folder.")
    if not stat.S_ISREG(mode):
        raise OSError(f"Cannot write '{path}': expected a file. Received: a device or a pipe.")
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, f"Cannot write '{path}': the file is read-only")


def _hand_on(old: str, new: str) -> None:
    """Gives a new file the permissions of an old one, and its owner where that is allowed."""
    status = os.stat(old)
    if hasattr(os, "chown"):
        own = os.stat(new)
        if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
            with contextlib.suppress(PermissionError):
                os.chown(new, status.st_uid, status.st_gid)
    os.chmod(new, status.st_mode & 0o7777)


@functools.cache
def _machine() -> str:
    """Returns what tells processes of this machine (and container) from those of others."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id") as file:
        parts.append(file.read())
    with contextlib.suppress(OSError):
        parts.append(str(os.stat("/proc/self/ns/pid").st_ino))
    return hashlib.sha256(" ".join(parts).encode("utf-8")).hexdigest()[:8]


def _remove_left_overs(folder: str, name: str) -> None:
    """Removes the unfinished files of `name` whose processes are gone."""
    if os.name == "nt":  # a process cannot be asked for without more than os.kill there
        return
    start = f".{name}"
    with os.scandir(folder) as entries:
        names = [e.name for e in entries if e.name.startswith(start) and e.name.endswith(".tmp")]
    for found in names:
        parts = _LEFT_OVER.fullmatch(found[len(start) :])
        if parts is None or parts[2] != _machine() or _is_alive(int(parts[1])):
            continue
        with contextlib.suppress(OSError):
            os.remove(os.path.join(folder, found))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _flush_folder(folder: str) -> None:
    if os.name == "nt":  # folders cannot be opened there; a rename is durable by itself
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
