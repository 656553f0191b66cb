"""The zip archive of a `.keras` file: checked before anything in it is read."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from types import TracebackType
from typing import Any

from pronghorn.saving.read_at import read_at

CONFIG = "config.json"
METADATA = "metadata.json"
WEIGHTS = "model.weights.h5"
ASSETS = "assets/"

MAX_MEMBERS = 10_000
# Deflate reaches 1,032 at most; weights and JSON of real models stay below 30.
MAX_RATIO = 100
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")


def is_bomb(info: zipfile.ZipInfo) -> bool:
    """Returns whether a member unpacks to far more bytes than models have behind as many."""
    return info.file_size > MAX_RATIO * max(info.compress_size, 1) + 2**20


class Archive:
    """A `.keras` file opened for reading.

    Args:
        path: Path of the file.

    Raises:
        ValueError: If the file is no zip archive, or one that no library writes: members outside
            of the archive's own names, twice, encrypted, overlapping, or packed beyond measure.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, struct.error, UnicodeDecodeError, NotImplementedError) as error:
            raise ValueError(
                f"'{path}': expected a `.keras` zip archive. Received: {error}."
            ) from None
        try:
            self.members = self._checked_members()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._zip.close()

    def _refuse(self, name: str, reason: str) -> ValueError:
        return ValueError(f"'{self.path}' is refused: its member {name[:200]!r} {reason}.")

    def _checked_members(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._zip.infolist()
        if len(infos) > MAX_MEMBERS:
            raise ValueError(
                f"'{self.path}' is refused: expected at most {MAX_MEMBERS} members. "
                f"Received: {len(infos)}."
            )
        size = os.path.getsize(self.path)
        members: dict[str, zipfile.ZipInfo] = {}
        end = 0
        for info in sorted(infos, key=lambda i: i.header_offset):
            name = info.filename
            _check_name(self, info)
            if name in members:
                raise self._refuse(name, "is there twice")
            if info.flag_bits & 0x1:
                raise self._refuse(name, "is encrypted")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise self._refuse(name, f"is packed by method {info.compress_type}")
            if info.header_offset < end:
                raise self._refuse(name, "shares bytes with another one")
            end = info.header_offset + _LOCAL_HEADER.size + info.compress_size
            if end > size:
                raise self._refuse(name, "is longer than the file: it may be cut off")
            stored = info.compress_type == zipfile.ZIP_STORED
            if stored and info.file_size != info.compress_size:
                raise self._refuse(name, "declares two sizes")
            if is_bomb(info):
                raise self._refuse(
                    name, f"unpacks {info.compress_size} bytes to {info.file_size}: a zip bomb"
                )
            members[name] = info
        return members

    def read(self, name: str, limit: int) -> bytes:
        """Returns the bytes of a member.

        Raises:
            ValueError: If there is no such member, it is longer than `limit`, or damaged.
        """
        info = self.members.get(name)
        if info is None:
            raise ValueError(
                f"'{self.path}': expected a member '{name}'. Received: {sorted(self.members)[:10]}."
            )
        if info.file_size > limit:
            raise self._refuse(name, f"has {info.file_size} bytes, more than {limit}")
        try:
            with self._zip.open(info) as file:
                data = file.read(limit + 1)
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError) as error:
            raise self._refuse(name, f"is damaged: {error}") from None
        except Exception as error:  # zlib.error is no subclass of the above
            raise self._refuse(name, f"is damaged: {error}") from None
        if len(data) > limit:
            raise self._refuse(name, f"has more than the declared {info.file_size} bytes")
        return data

    @property
    def weights_size(self) -> int:
        """Bytes of the weights, as they are unpacked."""
        info = self.members.get(WEIGHTS)
        return info.file_size if info is not None else 0

    def open_weights(self, name: str = WEIGHTS) -> Any:
        """Returns a seekable file of a member: in place if it is stored, else unpacked.

        Raises:
            ValueError: If there is no such member, or it is damaged.
        """
        info = self.members.get(name)
        if info is not None and info.compress_type == zipfile.ZIP_STORED:
            return _StoredMember(self.path, self._data_offset(info), info.file_size)
        return io.BytesIO(self.read(name, info.file_size if info is not None else 0))

    def _data_offset(self, info: zipfile.ZipInfo) -> int:
        with open(self.path, "rb") as file:
            file.seek(info.header_offset)
            header = file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
            raise self._refuse(info.filename, "has no header")
        fields = _LOCAL_HEADER.unpack(header)
        offset = info.header_offset + _LOCAL_HEADER.size + int(fields[-2]) + int(fields[-1])
        if offset + info.file_size > os.path.getsize(self.path):
            raise self._refuse(info.filename, "is longer than the file: it may be cut off")
        return offset


def _check_name(archive: Archive, info: zipfile.ZipInfo) -> None:
    name = info.filename
    parts = name.rstrip("/").split("/")
    if "\\" in name or "\0" in name or ":" in name or any(p in ("", ".", "..") for p in parts):
        raise archive._refuse(name, "has a name that leaves the archive")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise archive._refuse(name, "is a symbolic link")
    if not name.startswith(ASSETS) and len(parts) > 1:
        raise archive._refuse(name, "is in a folder that no `.keras` file has")


class _StoredMember(io.RawIOBase):
    """The bytes of a member that is stored as it is, read from the archive in place."""

    def __init__(self, path: str, offset: int, size: int) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115  (closed by `close`)
        self._offset = offset
        self._size = size
        self._position = 0

    def close(self) -> None:
        self._file.close()
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        count = self.read_at(self._position, memoryview(buffer).cast("B"))
        self._position += count
        return count

    def read_at(self, offset: int, memory: memoryview) -> int:
        """Fills `memory` with the member's bytes from `offset`; returns how many there were."""
        count = max(0, min(len(memory), self._size - offset))
        return read_at(self._file.fileno(), self._offset + offset, memory[:count])
