"""Generators, and any iterable of batches: lists of batches, PyTorch's DataLoader, tf.data and "
"the like."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from pronghorn.training.data_adapters.batch import (
    from_numbers,
    map_leaves,
    to_array,
    unpack_x_y_sample_weight,
)
from pronghorn.training.data_adapters.class_weight import class_weight_to_sample_weight
from pronghorn.training.data_adapters.data_adapter import DataAdapter


def as_batch(data: Any, class_weight: dict[int, float] | None = None) -> Any:
    """A batch of NumPy arrays from what an iterable yields."""
    # A list of a DataLoader's collate function means (x, y), not several inputs.
    x, y, sample_weight = unpack_x_y_sample_weight(data)
    x = map_leaves(lambda value: to_array(value, "x"), from_numbers(x, "x"))
    y = map_leaves(lambda value: to_array(value, "y"), from_numbers(y, "y"))
    sample_weight = map_leaves(
        lambda value: to_array(value, "sample_weight"), from_numbers(sample_weight, "sample_weight")
    )
    if class_weight is not None and y is not None:
        sample_weight = class_weight_to_sample_weight(y, class_weight, sample_weight)
    if sample_weight is not None:
        return x, y, sample_weight
    return (x, y) if y is not None else (x,)


class IterableAdapter(DataAdapter):
    """An object whose `iter` gives the batches of a pass, as often as it is called.

    Args:
        source: the iterable; `len(source)` is the number of batches where it has one.
        class_weight: dict of class to weight, or `None`.
    """

    def __init__(self, source: Iterable[Any], class_weight: dict[int, float] | None = None) -> None:
        self.source = source
        self.class_weight = class_weight
        try:
            self.num_batches = len(source)  # type: ignore[arg-type]
        except TypeError:  # no __len__, or one that is not known (an IterableDataset's)
            self.num_batches = None
        if self.num_batches == 0:
            raise ValueError(f"x: expected at least one batch. Received: an empty {_kind(source)}.")

    def batches(self) -> Iterator[Any]:
        for data in self.source:
            yield as_batch(data, self.class_weight)

    def first_batch(self) -> Any:
        for batch in self.batches():
            return batch
        raise ValueError(
            f"x: expected at least one batch. Received: an empty {_kind(self.source)}."
        )


class GeneratorAdapter(DataAdapter):
    """A generator or another iterator, which gives one pass only."""

    restarts = False

    def __init__(self, source: Iterator[Any], class_weight: dict[int, float] | None = None) -> None:
        self.class_weight = class_weight
        try:
            first = next(source)
        except StopIteration:
            raise ValueError(
                "x: expected a generator that yields at least one batch. Received: an empty one."
            ) from None
        self._source: Iterator[Any] = itertools.chain([first], source)
        self._first: Any = first

    def batches(self) -> Iterator[Any]:
        self._first = None
        for data in self._source:
            yield as_batch(data, self.class_weight)

    def first_batch(self) -> Any:
        if self._first is None:
            first = next(self._source)
            self._source = itertools.chain([first], self._source)
            self._first = first
        return as_batch(self._first, self.class_weight)


def _kind(source: Any) -> str:
    return type(source).__name__
