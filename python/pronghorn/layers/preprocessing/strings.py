"""Strings as layers take them: text, bytes, lists and arrays of them become arrays of str."""

from __future__ import annotations

from typing import Any

import numpy as np


def as_strings(owner: str, data: Any, encoding: str = "utf-8") -> np.ndarray:
    """Returns text as an array of str objects, of the shape of `data`.

    Args:
        owner: Name of the layer for errors.
        data: A string, bytes, a list or tuple (lists of equal lengths), or an array of them.
        encoding: How bytes are decoded.

    Raises:
        TypeError: Something else than text is given.
        ValueError: Bytes are not valid in `encoding`, or lists have different lengths.
    """
    array = data if isinstance(data, np.ndarray) else _to_array(owner, data)
    if array.dtype.kind == "U":
        return array.astype(object)
    if array.dtype.kind == "S":
        array = array.astype(object)
    if array.dtype.kind != "O":
        raise TypeError(f"{owner}: expected strings. Received: dtype={array.dtype}.")
    flat = array.reshape(-1)
    found = np.empty(flat.size, object)
    for i, item in enumerate(flat):
        found[i] = item if type(item) is str else _decode(owner, item, encoding, i, array.shape)
    return found.reshape(array.shape)


def _to_array(owner: str, data: Any) -> np.ndarray:
    if isinstance(data, (str, bytes)):
        array = np.empty((), object)
        array[()] = data
        return array
    if not isinstance(data, (list, tuple)):
        if hasattr(data, "__array__"):
            return np.asarray(data)
        raise TypeError(f"{owner}: expected strings. Received: {type(data).__name__}.")
    try:
        array = np.array(data, dtype=object)
    except ValueError as e:
        raise ValueError(f"{owner}: expected lists of equal lengths. Received: {e}.") from e
    if any(isinstance(item, (list, tuple)) for item in array.reshape(-1)):
        raise ValueError(
            f"{owner}: expected lists of equal lengths. Received: lists of different lengths."
        )
    return array


def _decode(owner: str, item: Any, encoding: str, i: int, shape: tuple[int, ...]) -> str:
    if isinstance(item, str):  # numpy.str_
        return str(item)
    if not isinstance(item, bytes):
        raise TypeError(f"{owner}: expected strings. Received: {item!r} ({type(item).__name__}).")
    try:
        return bytes(item).decode(encoding)
    except UnicodeDecodeError as e:
        place = tuple(int(k) for k in np.unravel_index(i, shape)) if shape else ()
        raise ValueError(
            f"{owner}: text at position {place} is not valid {encoding}: {e.reason} at byte "
            f"{e.start}. Received: {bytes(item)[:40]!r}."
        ) from e
