"""The beginning of a file, section II.A: where its root group is."""

from __future__ import annotations

import struct

from pronghorn.saving.hdf5.group import Group
from pronghorn.saving.hdf5.source import Hdf5Error, Source

SIGNATURE = b"\x89HDF\r\n\x1a\n"


def root_group(source: Source) -> Group:
    """Returns the root group of a file.

    Raises:
        Hdf5Error: It is no HDF5 file that this reads, or damaged.
    """
    if source.size < 48 or source.read(0, 8) != SIGNATURE:
        is_zip = source.size >= 4 and source.read(0, 4) == b"PK\x03\x04"
        found = "another beginning" if source.size else "an empty file"
        found = "a zip archive, as `.keras` and `.npz` files are" if is_zip else found
        raise Hdf5Error(f"expected an HDF5 file. Received: {found}")
    start = source.read(0, min(source.size, 100))
    version = start[8]
    if version in (0, 1):
        sizes, places = start[13:15], 24 + 4 * version
        if len(start) < places + 48:
            raise Hdf5Error("is damaged: it is cut off")
        base, _, end, driver, _, root = struct.unpack_from("<6Q", start, places)
    elif version in (2, 3):
        sizes = start[9:11]
        base, _, end, root = struct.unpack_from("<4Q", start, 12)
        driver = 2**64 - 1
    else:
        raise Hdf5Error(f"has a superblock of version {version}, expected 0 to 3")
    if bytes(sizes) != b"\x08\x08":
        raise Hdf5Error(f"has addresses of {sizes[0]} and sizes of {sizes[1]} bytes, expected 8")
    if base != 0 or driver != 2**64 - 1:
        raise Hdf5Error("is one of several files, or begins with a block of a user's")
    if end > source.size:
        raise Hdf5Error(f"is cut off: {end} bytes were written, {source.size} are there")
    return Group(source, root)
