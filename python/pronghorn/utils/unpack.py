"""Unpacks tar and zip archives that nobody vouches for into a folder of their own."""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

FORMATS = ("tar", "zip")
MAX_MEMBERS = 1_000_000
# Unpacked bytes for one of the archive; data that people pack stays below 30.
MAX_RATIO = 200
_SLACK = 2**24
_BLOCK = 2**20
_HEADER = 512  # what a member takes by itself


class UnpackError(ValueError):
    """The archive is refused, or damaged."""


def unpack(path: str, folder: str, formats: tuple[str, ...]) -> bool:
    """Unpacks an archive into `folder`, which is there when all of it is.

    Only files and folders are made, below `folder`, with the permissions of new files: no links,
    devices or owners.

    Args:
        path: Path of the archive.
        folder: Path of the folder, which does not exist yet.
        formats: The formats to try, of `FORMATS`.

    Returns:
        Whether it is an archive of one of the formats.

    Raises:
        UnpackError: If a member would leave the folder, is a link or a device, is there twice, or
            unpacks to more than 200 times the bytes of the archive; or the archive is damaged.
    """
    for kind in formats:
        if kind == "tar" and tarfile.is_tarfile(path):
            members = _tar_members(path)
        elif kind == "zip" and zipfile.is_zipfile(path):
            members = _zip_members(path)
        else:
            continue
        _write(members, path, folder)
        return True
    return False


_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    EOFError,
    RuntimeError,
)

# A member: its name and what gives its bytes, `None` for a folder.
_Member = tuple[str, "IO[bytes] | None"]


def _tar_members(path: str) -> Iterator[_Member]:
    with tarfile.open(path, "r:*") as archive:
        for info in archive:
            if info.isdir():
                yield info.name, None
            elif info.isreg():
                yield info.name, archive.extractfile(info)
            else:
                kind = "a link" if info.islnk() or info.issym() else "a device"
                raise UnpackError(f"its member {info.name[:200]!r} is {kind}")
        # To the end, where the packed stream has its checksum.
        left = os.path.getsize(path) * MAX_RATIO + _SLACK
        while block := archive.fileobj.read(_BLOCK) if archive.fileobj is not None else b"":
            left -= len(block)
            if left < 0:
                raise UnpackError(f"it unpacks to more than {MAX_RATIO} times its size")


def _zip_members(path: str) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if stat.S_ISLNK(info.external_attr >> 16):
                raise UnpackError(f"its member {info.filename[:200]!r} is a link")
            if info.is_dir():
                yield info.filename, None
            else:
                with archive.open(info) as file:
                    yield info.filename, file


def _write(members: Iterator[_Member], path: str, folder: str) -> None:
    left = os.path.getsize(path) * MAX_RATIO + _SLACK
    parent = os.path.dirname(os.path.abspath(folder))
    beside = tempfile.mkdtemp(dir=parent, prefix=f".{os.path.basename(folder)[:50]}.")
    try:
        for number, (name, file) in enumerate(members):
            if number >= MAX_MEMBERS:
                raise UnpackError(f"it has more than {MAX_MEMBERS} members")
            left -= _HEADER
            parts = _parts(name)
            target = os.path.join(beside, *parts)
            os.makedirs(target if file is None else os.path.dirname(target), exist_ok=True)
            if file is None:
                continue
            with open(target, "xb") as new:
                while block := file.read(_BLOCK):
                    left -= len(block)
                    if left < 0:
                        raise UnpackError(
                            f"it unpacks to more than {MAX_RATIO} times its size at {name[:200]!r}"
                        )
                    new.write(block)
        os.chmod(beside, 0o777 & ~_umask())
        os.replace(beside, folder)
    except UnpackError as error:
        raise UnpackError(f"'{path}' is refused: {error}.") from None
    except (FileExistsError, NotADirectoryError) as error:
        raise UnpackError(f"'{path}' is refused: a member is there twice ({error}).") from None
    except _DAMAGE as error:
        raise UnpackError(f"'{path}' is damaged: {error}.") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    absolute = name.startswith("/") or os.path.isabs(name)
    if absolute or ".." in parts or any(c in name for c in "\\:\0") or not _is_text(name):
        raise UnpackError(f"its member {name[:200]!r} has a name that leaves the folder")
    return parts


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
