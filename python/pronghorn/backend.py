"""The namespace `pronghorn.backend`: global settings and questions about dtypes."""

from __future__ import annotations

import collections

from pronghorn.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from pronghorn.dtypes import is_float_dtype, is_int_dtype, result_type, standardize_dtype
from pronghorn.naming import clear_session, on_clear_session

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]


_uids: collections.defaultdict[str, int] = collections.defaultdict(int)
on_clear_session(_uids.clear)


def is_keras_tensor(x: object) -> bool:
    """Returns whether `x` is a symbolic tensor of the functional API.

    Args:
        x: anything.

    Returns:
        A bool.

    Example:

    >>> is_keras_tensor(1.0)
    False
    """
    from pronghorn.ops.keras_tensor import KerasTensor

    return isinstance(x, KerasTensor)


def get_uid(prefix: str = "") -> int:
    """Returns the next number of a prefix, counting from 1.

    Args:
        prefix: what is numbered.

    Returns:
        1 for the first call with that prefix, then 2, and so on; again 1 after `clear_session`.

    Example:

    >>> get_uid("example")
    1
    """
    _uids[prefix] += 1
    return _uids[prefix]
