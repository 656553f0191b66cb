"""A batch: (x, y, sample_weight) with nested lists, tuples and dicts of NumPy arrays, and its
signature.

The signature (structure, shapes and dtypes) is what programs are cached by.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from pronghorn import config

Leaf = Callable[[Any], Any]


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Splits what a data set yields into `(x, y, sample_weight)`.

    Args:
        data: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Returns:
        A tuple of three; what is not there is `None`.

    Raises:
        ValueError: a tuple of more than three.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "unpack_x_y_sample_weight: data must be x, (x,), (x, y) or (x, y, sample_weight). "
            f"Received: a tuple of {len(data)} elements."
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Packs `x`, `y` and `sample_weight` into what a data set yields.

    Args:
        x: the inputs.
        y: the targets, or `None`.
        sample_weight: the weights, or `None`.

    Returns:
        `x` (in a tuple of one where it is a list or tuple itself), `(x, y)` or `(x, y,
        sample_weight)`.

    Example:
        >>> pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    if sample_weight is None:
        return x, y
    return x, y, sample_weight


def map_leaves(function: Leaf, structure: Any) -> Any:
    """Applies `function` to the leaves, in the order of the structure; `None` stays `None`."""
    if structure is None:
        return None
    if isinstance(structure, dict):
        return {key: map_leaves(function, value) for key, value in structure.items()}
    if isinstance(structure, tuple):
        mapped = [map_leaves(function, value) for value in structure]
        return type(structure)(*mapped) if hasattr(structure, "_fields") else tuple(mapped)
    if isinstance(structure, list):
        return [map_leaves(function, value) for value in structure]
    return function(structure)


def flatten_batch(data: Any) -> tuple[Hashable, list[np.ndarray]]:
    """The signature of a batch of arrays, and its arrays in order."""
    leaves: list[np.ndarray] = []
    return _describe(data, leaves), leaves


def _describe(node: Any, leaves: list[np.ndarray]) -> Hashable:
    if node is None:
        return None
    if isinstance(node, np.ndarray):
        leaves.append(node)
        return node.shape, node.dtype
    if isinstance(node, dict):
        return "dict", tuple((key, _describe(value, leaves)) for key, value in node.items())
    return type(node).__name__, tuple([_describe(value, leaves) for value in node])


def to_array(value: Any, name: str = "data") -> np.ndarray:
    """A NumPy array that a program can read: contiguous, and of a dtype the core has.

    Takes arrays, pandas frames and series, and whatever has `__array__` (PyTorch tensors among
    them).
    """
    if isinstance(value, np.ndarray):
        array = value
    elif hasattr(value, "toarray"):
        raise ValueError(
            f"{name}: sparse matrices are not supported. Received: {type(value).__name__}. "
            "Call .toarray() on it, or on one batch of it at a time in a generator."
        )
    elif hasattr(value, "detach"):
        array = np.asarray(value.detach().cpu())
    elif hasattr(value, "to_numpy"):
        array = _from_pandas(value, name)
    else:
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise ValueError(
                f"{name}: expected an array. Received: {name} of type {type(value).__name__}, "
                f"of which NumPy makes none ({error})."
            ) from None
    return _core_dtype(array, name)


def _from_pandas(value: Any, name: str) -> np.ndarray:
    """The values of a frame or series, also where columns of several types make them objects."""
    array: np.ndarray = np.asarray(value)
    if array.dtype.kind != "O":
        return array
    dtypes = value.dtypes
    columns = list(dtypes.items()) if hasattr(dtypes, "items") else [(value.name, dtypes)]
    others = [column for column, dtype in columns if getattr(dtype, "kind", "O") not in "biuf"]
    if others:
        raise ValueError(
            f"{name}: expected columns of numbers or booleans. Received: {type(value).__name__} "
            f"with the columns {others[:5]} of other types. Encode them as numbers first."
        )
    # Nullable types say what is missing by an object; it becomes NaN.
    return np.asarray(value.to_numpy(dtype=config.floatx(), na_value=np.nan))


def _core_dtype(array: np.ndarray, name: str) -> np.ndarray:
    kind = array.dtype.kind
    if kind == "f":
        if array.dtype.itemsize > 4 or array.dtype.byteorder == ">":
            array = array.astype(config.floatx())
    elif kind in "iu":
        if array.dtype == np.uint64:
            if array.size and int(array.max()) > np.iinfo(np.int64).max:
                raise ValueError(f"{name}: uint64 values above 2**63 - 1 cannot be represented.")
            array = array.astype("int64")
        elif array.dtype.byteorder == ">":
            array = array.astype(array.dtype.newbyteorder("="))
    elif kind != "b" and array.dtype.name != "bfloat16":
        raise ValueError(
            f"{name}: expected numbers or booleans. Received: an array of dtype={array.dtype}, "
            f"shape={array.shape}." + _dtype_hint(array)
        )
    return np.ascontiguousarray(array) if array.ndim else array


def _dtype_hint(array: np.ndarray) -> str:
    if array.dtype.kind != "O" or array.size == 0:
        return " Encode strings and dates as numbers first." if array.dtype.kind in "USM" else ""
    first = array.reshape(-1)[0]
    if isinstance(first, (list, np.ndarray)):
        return " Its rows differ in length: pad them (utils.pad_sequences) to one shape."
    return " Convert it to a numeric dtype, for instance with .astype('float32')."


def from_numbers(value: Any, name: str) -> Any:
    """An array of a nested list of numbers; anything else as it is.

    A list of arrays stays a list, as it is one array for each input or output; so does a dict, the
    values of which may be lists of numbers.
    """
    if isinstance(value, dict):
        return {key: from_numbers(leaf, f"{name}[{key!r}]") for key, leaf in value.items()}
    if isinstance(value, range):
        return np.array(value)
    if not isinstance(value, (list, tuple)) or not _is_of_numbers(value):
        return value
    try:
        return np.array(value)
    except ValueError:
        raise ValueError(
            f"{name}: expected rows of one length. Received: a list of {len(value)} rows that "
            "differ. Pad them (utils.pad_sequences) to one shape."
        ) from None


def _is_of_numbers(value: list[Any] | tuple[Any, ...]) -> bool:
    first = value[0] if value else None
    if isinstance(first, (list, tuple)):
        return all(isinstance(row, (list, tuple)) and _is_of_numbers(row) for row in value)
    return first is not None and all(
        isinstance(one, (bool, int, float, np.generic)) for one in value
    )


def is_array_like(value: Any) -> bool:
    """Whether a leaf of `x` is data in memory: an array, a tensor, or a pandas frame or series."""
    if isinstance(value, np.ndarray):
        return True
    return hasattr(value, "__array__") and hasattr(value, "shape") and not np.isscalar(value)
