"""Reads HDF5 files without the HDF5 library: in Python, each number in them checked before its use.

The library is written for files that one has made oneself: with changed bytes it hangs or crashes.
What is read is what files of weights consist of: groups and their names, datasets of numbers,
attributes of text. Everything else in the format is refused by name. All of it: "HDF5 File Format
Specification Version 3.0", The HDF Group; the comments name its sections.
"""

from pronghorn.saving.hdf5.group import Group
from pronghorn.saving.hdf5.source import Hdf5Error, Source
from pronghorn.saving.hdf5.superblock import root_group

__all__ = ["Group", "Hdf5Error", "Source", "root_group"]
