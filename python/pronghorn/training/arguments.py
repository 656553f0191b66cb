"""Checks of the arguments of `fit`, `evaluate` and `predict`, and the validation split."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from pronghorn import tree
from pronghorn.training.data_adapters.batch import from_numbers, map_leaves, to_array
from pronghorn.training.data_adapters.select import are_arrays


def check_positive(method: str, **values: Any) -> None:
    """Raises unless each value is `None` or a positive integer."""
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(
                f"{method}: {name} must be a positive integer or None. Received: {name}={value!r}."
            )


def check_count(method: str, **values: Any) -> None:
    """Raises unless each value is an integer of 0 or more."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
            raise ValueError(
                f"{method}: {name} must be an integer, 0 or more. Received: {name}={value!r}."
            )


def check_verbose(method: str, verbose: Any) -> None:
    """Raises unless verbose is "auto", 0, 1 or 2."""
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(
            f"{method}: verbose must be 'auto', 0, 1 or 2. Received: verbose={verbose!r}."
        )


def check_shuffle(shuffle: Any) -> None:
    """Raises unless shuffle is a boolean or "batch"."""
    if not isinstance(shuffle, (bool, np.bool_)) and shuffle not in ("batch", None):
        raise ValueError(
            f"fit: shuffle must be True, False or 'batch'. Received: shuffle={shuffle!r}."
        )


def validates_at(epoch: int, frequency: Any) -> bool:
    """Whether an epoch (from 0) ends with a validation, by `validation_freq`.

    Raises:
        ValueError: neither a positive integer nor a list of epochs.
    """
    number = epoch + 1
    if (
        isinstance(frequency, (int, np.integer))
        and not isinstance(frequency, bool)
        and frequency > 0
    ):
        return number % int(frequency) == 0
    if isinstance(frequency, (list, tuple, set, range)):
        return number in frequency
    raise ValueError(
        "fit: validation_freq must be a positive integer or a list of epoch numbers. "
        f"Received: validation_freq={frequency!r}."
    )


def split_validation(data: Any, fraction: float) -> tuple[Any, Any]:
    """Splits `(x, y, sample_weight)` into the first and the last rows.

    Args:
        data: arrays in memory.
        fraction: part of the rows, the last ones, that is for validation.

    Raises:
        ValueError: the data is not in memory, or one of the parts would be empty.
    """
    if isinstance(fraction, bool) or not 0 < float(fraction) < 1:
        raise ValueError(
            f"fit: validation_split must be between 0 and 1. Received: "
            f"validation_split={fraction!r}."
        )
    names = ("x", "y", "sample_weight")
    data = [from_numbers(part, name) for part, name in zip(data, names, strict=True)]
    if not all(part is None or are_arrays(part) for part in data):
        raise ValueError(
            "fit: validation_split needs arrays in memory. Argument `validation_split` is only "
            "supported for tensors "
            f"or NumPy arrays. Received: x of type {type(data[0]).__name__}. Pass validation_data "
            f"instead."
        )
    arrays = tuple(
        map_leaves(partial(to_array, name=name), part)
        for part, name in zip(data, names, strict=True)
    )
    leaves = [leaf for leaf in tree.flatten(arrays) if leaf is not None]
    rows = len(leaves[0])
    different = [len(leaf) for leaf in leaves if len(leaf) != rows]
    if different:
        raise ValueError(
            "x, y and sample_weight: expected the same number of samples in all arrays. "
            f"Received: {[len(leaf) for leaf in leaves]}."
        )
    cut = int(math.floor(rows * (1.0 - float(fraction))))
    if cut in (0, rows):
        raise ValueError(
            f"fit: expected training and validation samples. Training data contains {rows} "
            f"samples, which is not "
            f"sufficient to split it as specified by `validation_split={fraction}`. Received: "
            f"{cut} for training and {rows - cut} for validation."
        )
    return map_leaves(lambda a: a[:cut], arrays), map_leaves(lambda a: a[cut:], arrays)
