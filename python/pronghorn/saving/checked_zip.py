"""Zip archives that nobody vouches for: every member is checked before anything is unpacked.

The format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7 (local headers) and 4.3.12 (directory).
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from types import TracebackType
from typing import Any, TypeVar

from pronghorn.saving.read_at import read_at

Z = TypeVar("Z", bound="CheckedZip")

MAX_MEMBERS = 10_000
# Bytes of the directory, which the zipfile module reads at once.
MAX_DIRECTORY = 4 * 2**20
# Deflate reaches 1,032 at most; weights and JSON of real models stay below 30.
MAX_RATIO = 100
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_ENCRYPTED, _SIZES_FOLLOW, _UTF8 = 0x1, 0x8, 0x800
_IN_EXTRA_FIELD = 0xFFFFFFFF
# What unpacking a damaged member raises.
DAMAGE = (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError, zlib.error)


class CheckedZip:
    """A zip archive opened for reading: once, so that what was checked is what is read.

    Args:
        path: Path of the file.
        expected: What it should be, for the error: "a `.keras` zip archive".

    Attributes:
        members: Its members by name.

    Raises:
        ValueError: If the file is no zip archive, or one that no library writes: members with names
            that lead elsewhere, twice, encrypted, overlapping, packed beyond measure, or described
            in two ways.
    """

    def __init__(self, path: str, expected: str) -> None:
        self.path = path
        self._file = open(path, "rb")  # noqa: SIM115  (closed by `__exit__`)
        try:
            self._size = self._file.seek(0, io.SEEK_END)
            directory = _Directory(self._file)
            try:
                self._zip = zipfile.ZipFile(directory)  # type: ignore[call-overload]
            except (*DAMAGE, struct.error, NotImplementedError) as error:
                self._file.seek(0)
                is_hdf5 = self._file.read(8) == b"\x89HDF\r\n\x1a\n"
                found = "an HDF5 file, whose name ends in `.h5`" if is_hdf5 else str(error)
                found = found if self._size else "an empty file"
                raise ValueError(f"'{path}': expected {expected}. Received: {found}.") from None
            directory.is_read = True
            self._offsets: dict[str, int] = {}
            self.members = self._checked_members()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self: Z) -> Z:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._zip.close()
        self._file.close()

    def refuse(self, name: str, reason: str) -> ValueError:
        """Returns the error for a member."""
        return ValueError(f"'{self.path}' is refused: its member {name[:200]!r} {reason}.")

    def check_name(self, name: str) -> None:
        """Raises a ValueError if files of this kind have no member of that name."""

    def _checked_members(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._zip.infolist()
        if len(infos) > MAX_MEMBERS:
            raise ValueError(
                f"'{self.path}' is refused: expected at most {MAX_MEMBERS} members. "
                f"Received: {len(infos)}."
            )
        members: dict[str, zipfile.ZipInfo] = {}
        end = 0
        for info in sorted(infos, key=lambda i: i.header_offset):
            name = info.filename
            parts = name.rstrip("/").split("/")
            leads_away = "\\" in name or ":" in name or any(p in ("", ".", "..") for p in parts)
            if leads_away or name != info.orig_filename:  # which goes on after a zero byte
                raise self.refuse(name, "has a name that leaves the archive")
            if stat.S_ISLNK(info.external_attr >> 16):
                raise self.refuse(name, "is a symbolic link")
            self.check_name(name)
            if name in members:
                raise self.refuse(name, "is there twice")
            if info.flag_bits & _ENCRYPTED:
                raise self.refuse(name, "is encrypted")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise self.refuse(name, f"is packed by method {info.compress_type}")
            if info.header_offset < end:
                raise self.refuse(name, "shares bytes with another one")
            self._offsets[name] = self._checked_local_header(info)
            end = self._offsets[name] + info.compress_size
            if end > min(self._size, self._zip.start_dir):
                raise self.refuse(name, "is longer than the file: it may be cut off")
            stored = info.compress_type == zipfile.ZIP_STORED
            if stored and info.file_size != info.compress_size:
                raise self.refuse(name, "declares two sizes")
            if info.file_size > MAX_RATIO * max(info.compress_size, 1) + 2**20:
                raise self.refuse(
                    name, f"unpacks {info.compress_size} bytes to {info.file_size}: a zip bomb"
                )
            members[name] = info
        return members

    def _checked_local_header(self, info: zipfile.ZipInfo) -> int:
        """Returns where a member's bytes begin; its own header must say what the directory does."""
        name = info.filename
        data = bytearray(_LOCAL_HEADER.size)
        count = read_at(self._file.fileno(), info.header_offset, memoryview(data))
        if count < len(data) or data[:4] != b"PK\x03\x04":
            raise self.refuse(name, "has no header")
        fields = _LOCAL_HEADER.unpack(data)
        flags, method, packed, unpacked, name_size, extra_size = *fields[2:4], *fields[7:]
        own_name = bytearray(name_size)
        at = info.header_offset + _LOCAL_HEADER.size
        read_at(self._file.fileno(), at, memoryview(own_name))
        encoding = "utf-8" if info.flag_bits & _UTF8 else "cp437"
        same = bytes(own_name) == name.encode(encoding, "replace")
        same = same and method == info.compress_type and not flags & _ENCRYPTED
        if not flags & _SIZES_FOLLOW:
            same = same and packed in (_IN_EXTRA_FIELD, info.compress_size)
            same = same and unpacked in (_IN_EXTRA_FIELD, info.file_size)
        if not same:
            raise self.refuse(name, "is described in two ways, by itself and by the directory")
        return int(at + name_size + extra_size)

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
            raise self.refuse(name, f"has {info.file_size} bytes, more than {limit}")
        try:
            with self._zip.open(info) as file:
                data = file.read(limit + 1)
        except DAMAGE as error:
            raise self.refuse(name, f"is damaged: {error}") from None
        if len(data) > limit:
            raise self.refuse(name, f"has more than the declared {info.file_size} bytes")
        return data

    def open(self, name: str) -> Any:
        """Returns a seekable file of a member: in place if it is stored, else unpacked.

        Raises:
            ValueError: If there is no such member, or it is damaged.
        """
        info = self.members.get(name)
        if info is not None and info.compress_type == zipfile.ZIP_STORED:
            return StoredMember(self._file.fileno(), self._offsets[name], info.file_size)
        return io.BytesIO(self.read(name, info.file_size if info is not None else 0))


class _Directory:
    """A file of which little is read at once, until the directory at its end has been read."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.is_read = False
        self.seek, self.tell = file.seek, file.tell

    def seekable(self) -> bool:
        return True

    def read(self, count: int = -1) -> Any:
        if self.is_read:
            return self._file.read(count)
        if count > MAX_DIRECTORY:
            raise ValueError(f"a directory of {count} bytes, more than {MAX_DIRECTORY}")
        return self._file.read(count if count >= 0 else MAX_DIRECTORY)


class StoredMember(io.RawIOBase):
    """The bytes of a member that is stored as it is, read from the archive in place.

    Args:
        descriptor: Of the archive's file, which stays open as long as this is used.
        offset: Where the member begins.
        size: Its bytes.
    """

    def __init__(self, descriptor: int, offset: int, size: int) -> None:
        self._descriptor = descriptor
        self._offset = offset
        self._size = size
        self._position = 0

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
        return read_at(self._descriptor, self._offset + offset, memory[:count])
