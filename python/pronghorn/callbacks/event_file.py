"""Event files of TensorBoard: records (TFRecord) of Event messages, in protobuf's wire format.

A record is a length, its checksum, the message and its checksum: CRC-32C (Castagnoli), rotated and
offset as TFRecord wants it. Field numbers are those of tensorflow/core/util/event.proto and
tensorboard/compat/proto/*.proto.
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import time
from typing import IO, Any

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_numbers = itertools.count()


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """Returns the CRC-32C of some bytes."""
    table, value = _TABLE, 0xFFFFFFFF
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> int:
    """Returns the checksum as records hold it."""
    value = crc32c(data)
    return (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """Returns a TFRecord that holds some bytes."""
    length = struct.pack("<Q", len(data))
    return b"".join(
        [
            length,
            struct.pack("<I", masked_crc32c(length)),
            data,
            struct.pack("<I", masked_crc32c(data)),
        ]
    )


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are their two's complement
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def integer(field: int, value: int) -> bytes:
    """Returns a field of a protobuf message that is an integer, a bool or an enum."""
    return _varint(field << 3 | _VARINT) + _varint(value)


def double(field: int, value: float) -> bytes:
    """Returns a field that is a double."""
    return _varint(field << 3 | _FIXED64) + struct.pack("<d", value)


def single(field: int, value: float) -> bytes:
    """Returns a field that is a float."""
    return _varint(field << 3 | _FIXED32) + struct.pack("<f", value)


def message(field: int, *parts: bytes) -> bytes:
    """Returns a field that is a message of the given fields, or bytes."""
    data = b"".join(parts)
    return _varint(field << 3 | _BYTES) + _varint(len(data)) + data


def text(field: int, value: str) -> bytes:
    """Returns a field that is a string."""
    return message(field, value.encode())


class EventFile:
    """An event file that is being written.

    Args:
        folder: the folder for it, which is made.
    """

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, exist_ok=True)
        name = (
            f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}"
            f".{next(_numbers)}.v2"
        )
        self.path = os.path.join(folder, name)
        self._file: IO[bytes] = open(self.path, "wb")  # noqa: SIM115  (closed in close)
        self._write(double(1, time.time()), text(3, "brain.Event:2"))

    def _write(self, *fields: bytes) -> None:
        self._file.write(record(b"".join(fields)))

    def add_values(self, step: int, values: list[bytes]) -> None:
        """Adds summaries.

        Args:
            step: number of the step, or epoch, that they belong to.
            values: Summary.Value fields, as the functions of `summaries` make them.
        """
        self._write(double(1, time.time()), integer(2, step), message(5, *values))

    def add_graph(self, graph_def: bytes) -> None:
        """Adds a graph: the bytes of a GraphDef."""
        self._write(double(1, time.time()), message(4, graph_def))

    def flush(self) -> None:
        """Hands what was written to the system, so that readers see it."""
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def __enter__(self) -> EventFile:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.close()
