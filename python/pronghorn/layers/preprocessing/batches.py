"""Batches of whatever data `adapt` is given."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from pronghorn import ops, tree


def from_lists(data: Any) -> Any:
    """Returns numbers, and lists of nothing but numbers, as a tensor; other data as it is."""
    if isinstance(data, (list, tuple, int, float)) and all(
        isinstance(x, (int, float)) for x in tree.flatten(data)
    ):
        return ops.convert_to_tensor(data)
    return data


def iterate_batches(owner: str, data: Any, steps: int | None = None) -> Iterator[np.ndarray]:
    """Yields the batches of an array, a dataset with indices or an iterable, as arrays.

    Args:
        owner: Name of the layer for errors.
        data: Array, tensor or lists of numbers (one batch), a `PyDataset` or the like, or an
            iterable of batches:
            arrays, or tuples whose first element is the array.
        steps: Number of batches, `None` for all.

    Raises:
        TypeError: If a batch has no shape.
    """
    for batch in itertools.islice(_elements(data), steps):
        if isinstance(batch, (tuple, list)) and batch and hasattr(batch[0], "shape"):
            batch = batch[0]
        if not hasattr(batch, "shape"):
            raise TypeError(
                f"{owner}: adapt expects batches with a `.shape` attribute, arrays or tensors. "
                f"Received: a batch of type {type(batch).__name__}."
            )
        yield np.asarray(ops.convert_to_numpy(batch))


def _elements(data: Any) -> Iterator[Any]:
    if isinstance(data, (list, tuple)) and data:
        data = from_lists(data)
    if hasattr(data, "shape"):
        yield data
    elif isinstance(data, (list, tuple)) or not hasattr(data, "__getitem__"):
        yield from data
    else:
        for i in range(len(data)):
            yield data[i]
