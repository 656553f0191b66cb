"""The public namespace `pronghorn.backend`: global settings and dtype questions under Keras's names."""

from __future__ import annotations

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


def clear_session(free_memory: bool = True) -> None:
    """Resets the counters that name layers and models, and the global random seed generator.

    Args:
        free_memory: whether to collect garbage too.
    """
    import gc

    from pronghorn import naming
    from pronghorn.random import seed_generator

    naming.clear_session()
    seed_generator.reset_global_seed_generator()
    if free_memory:
        gc.collect()


def get_uid(prefix: str = "") -> int:
    """Returns the next number of a prefix, counting from 1.

    Args:
        prefix: what is numbered.

    Returns:
        1 for the first call with that prefix, then 2, and so on.
    """
    from pronghorn import naming

    return naming.get_uid(prefix)
