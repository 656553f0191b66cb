"""Types and shapes, sections IV.A.2.b and d: as NumPy names them."""

from __future__ import annotations

import dataclasses
import math
import struct

from pronghorn.saving.hdf5.source import Hdf5Error

MAX_RANK = 32
_FIXED, _FLOAT, _STRING, _OPAQUE, _ENUM, _VLEN = 0, 1, 3, 5, 8, 9
_CLASSES = (
    *("integers", "floats", "times", "strings", "bit fields", "opaque bytes", "records"),
    *("references", "enumerations", "lists", "arrays", "complex numbers"),
)
# Precision, places and sizes of exponent and mantissa, bias: section IV.A.2.d, class 1.
_FLOATS = {
    (16, 10, 5, 0, 10, 15): "f2",
    (32, 23, 8, 0, 23, 127): "f4",
    (64, 52, 11, 0, 52, 1023): "f8",
    (16, 7, 8, 0, 7, 127): "bfloat16",
}


@dataclasses.dataclass(frozen=True)
class Datatype:
    """A type.

    Args:
        size: Bytes of an element.
        numpy: NumPy's name, such as `"<f4"` or `"|b1"`; `"bfloat16"`; `"S7"`, text of 7 bytes;
            `"text"`, text of any length; `"V2"`, opaque bytes; `""` for anything else.
        description: What it is, in words.
    """

    size: int
    numpy: str
    description: str


def read_datatype(data: bytes) -> Datatype:
    """Returns the type that a message describes.

    Raises:
        Hdf5Error: The message is cut off.
    """
    if len(data) < 8:
        raise Hdf5Error("is damaged: a type is cut off")
    kind, bits = data[0] & 15, int.from_bytes(data[1:4], "little")
    size = int.from_bytes(data[4:8], "little")
    description = _CLASSES[kind] if kind < len(_CLASSES) else f"type {kind}"
    order = ">" if bits & 1 else "<"
    numpy = ""
    if kind == _FIXED and size in (1, 2, 4, 8) and data[8:12] == struct.pack("<HH", 0, 8 * size):
        numpy = f"{order if size > 1 else '|'}{'i' if bits & 8 else 'u'}{size}"
    elif kind == _FLOAT and len(data) >= 20 and not bits & 0x40:
        offset, precision, *parts, bias = struct.unpack_from("<HHBBBBI", data, 8)
        name = _FLOATS.get((precision, *parts, bias), "")
        if name and offset == 0 and size * 8 == precision:
            numpy = name if name == "bfloat16" and order == "<" else f"{order}{name}"
            numpy = "" if numpy == ">bfloat16" else numpy
    elif kind == _STRING:
        numpy = f"S{size}"
    elif kind == _OPAQUE:
        numpy = f"V{size}"
    elif kind == _ENUM:
        base = read_datatype(data[8:])
        numpy = "|b1" if size == 1 and _names_truth(data) else base.numpy
        if base.size != size:
            raise Hdf5Error("is damaged: a type has two sizes")
    elif kind == _VLEN and bits & 15 == 1 and size == 16:
        numpy = "text"
    return Datatype(size, numpy, description)


def _names_truth(data: bytes) -> bool:
    return b"FALSE\0" in data and b"TRUE\0" in data


def read_shape(data: bytes) -> tuple[int, ...]:
    """Returns the shape that a dataspace message describes.

    Raises:
        Hdf5Error: It is cut off, or describes no shape.
    """
    if len(data) < 4 or data[0] not in (1, 2):
        raise Hdf5Error("is damaged: it has no shape")
    rank, at = data[1], 8 if data[0] == 1 else 4
    if data[0] == 2 and data[3] == 2:
        raise Hdf5Error("has no shape")
    if rank > MAX_RANK or at + 8 * rank > len(data):
        raise Hdf5Error("is damaged: its shape is cut off")
    shape: tuple[int, ...] = struct.unpack_from(f"<{rank}Q", data, at)
    if math.prod(shape) >= 2**62 or any(dim >= 2**62 for dim in shape):
        raise Hdf5Error(f"declares the shape {shape}")
    return shape
