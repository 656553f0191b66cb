"""Arrays and lists of names in HDF5, as Keras keeps them."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pronghorn.tensor import Tensor

# A header of an HDF5 object has room for 64 KiB.
_MAX_ATTRIBUTE = 64512
_ERRNO = re.compile(r"errno = (\d+)")


@contextlib.contextmanager
def new_hdf5(file: Any) -> Iterator[Any]:
    """Context manager that gives a new HDF5 file, opened for writing.

    Args:
        file: Path, or a seekable binary file.

    Raises:
        OSError: If it cannot be written, as on a full disk; HDF5 says RuntimeError to some of it.
    """
    import h5py

    opened = h5py.File(file, "w")
    try:
        try:
            yield opened
        finally:
            opened.close()
    except RuntimeError as error:
        number = _ERRNO.search(str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), f"{os.strerror(int(number[1]))} ({error})") from None


def write_array(group: Any, name: str, value: Any) -> Any:
    """Writes an array under a new name and returns the dataset.

    HDF5 has no bfloat16: of such arrays it keeps the bytes, and a note, as in Keras.

    Args:
        group: An HDF5 group, opened for writing.
        name: Name of the dataset in it; groups before the last `/` are made.
        value: A tensor or an array.
    """
    if isinstance(value, Tensor) and value.dtype == "bfloat16":
        array = value._to_numpy(False).view("V2")
    else:
        array = np.asarray(value)
        if array.dtype.name != "bfloat16":
            return group.create_dataset(name, data=array)
        array = array.view("V2")
    dataset = group.create_dataset(name, data=array)
    dataset.attrs["dtype"] = "bfloat16"
    return dataset


def write_names(group: Any, attribute: str, names: Sequence[str]) -> None:
    """Writes a list of names to an attribute; a long one to `<attribute>0`, `<attribute>1`, ...

    Args:
        group: An HDF5 group, opened for writing.
        attribute: Name of the attribute.
        names: The names.

    Raises:
        ValueError: If a single name does not fit into an attribute.
    """
    encoded = [name.encode("utf-8") for name in names]
    longest = max(map(len, encoded), default=1)
    if longest > _MAX_ATTRIBUTE:
        raise ValueError(
            f"HDF5: expected names of up to {_MAX_ATTRIBUTE} bytes. Received: one of {longest}."
        )
    each = _MAX_ATTRIBUTE // longest
    if len(encoded) <= each:
        group.attrs[attribute] = np.array(encoded, f"S{longest}")
        return
    for part, start in enumerate(range(0, len(encoded), each)):
        group.attrs[f"{attribute}{part}"] = np.array(encoded[start : start + each], f"S{longest}")
