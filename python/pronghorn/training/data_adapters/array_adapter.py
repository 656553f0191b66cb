"""Data in memory: NumPy arrays, tensors, pandas frames and series, and nested structures of "
"them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pronghorn.program import random_order
from pronghorn.training.data_adapters.batch import flatten_batch, map_leaves, to_array
from pronghorn.training.data_adapters.class_weight import class_weight_to_sample_weight
from pronghorn.training.data_adapters.data_adapter import DataAdapter


class ArrayAdapter(DataAdapter):
    """Arrays whose first axis is the samples.

    Args:
        x, y, sample_weight: nested structures of arrays with one number of rows.
        batch_size: rows of a batch; 32 where it is `None`.
        shuffle: `True` draws a new order of the rows for each pass, from the global seeded
            generator; `"batch"` draws an order of the batches only.
        class_weight: dict of class to weight, multiplied into `sample_weight`.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        shuffle: bool | str = False,
        class_weight: dict[int, float] | None = None,
    ) -> None:
        x = _convert(x, "x")
        y = _convert(y, "y")
        sample_weight = _convert(sample_weight, "sample_weight")
        if class_weight is not None:
            sample_weight = class_weight_to_sample_weight(y, class_weight, sample_weight)
        self.num_rows = _check_rows(x, y, sample_weight)
        self.batch_size: int = 32 if batch_size is None else batch_size
        self.shuffle = shuffle
        data: tuple[Any, ...] = (x, y, sample_weight)
        while len(data) > 1 and data[-1] is None:
            data = data[:-1]
        # x alone is given to steps as it is, unless it would be taken for (x, y).
        self.data: Any = data if len(data) > 1 or isinstance(x, (tuple, list)) else x
        self.sources = flatten_batch(self.data)[1]
        self.full_batches = self.num_rows // self.batch_size
        self.last_rows = self.num_rows - self.full_batches * self.batch_size
        self.num_batches: int = self.full_batches + (self.last_rows > 0)

    def order(self) -> np.ndarray | None:
        """The order of the rows of a new pass, or `None` for the order they are in."""
        if not self.shuffle:
            return None
        if self.shuffle != "batch":
            return _permutation(self.num_rows)
        rows = np.arange(self.num_rows)
        batches = rows[: self.full_batches * self.batch_size].reshape(-1, self.batch_size)
        mixed = batches[_permutation(self.full_batches)].reshape(-1)
        return np.concatenate([mixed, rows[mixed.size :]])

    def batch(self, step: int, order: np.ndarray | None) -> Any:
        """Batch number `step` of a pass in `order`."""
        first = step * self.batch_size
        last = min(first + self.batch_size, self.num_rows)
        if order is None:
            return map_leaves(lambda array: array[first:last], self.data)
        rows = order[first:last]
        return map_leaves(lambda array: array[rows], self.data)

    def batches(self) -> Iterator[Any]:
        order = self.order()
        for step in range(self.num_batches):
            yield self.batch(step, order)

    def first_batch(self) -> Any:
        return self.batch(0, None)


def _permutation(rows: int) -> np.ndarray:
    # The key of the global generator is advanced, so two passes differ and a seeded run repeats.
    from pronghorn.random.seed_generator import global_seed_generator

    order: np.ndarray = random_order(global_seed_generator().next(), rows)
    return order


def _convert(structure: Any, name: str) -> Any:
    return map_leaves(lambda value: to_array(value, name), structure)


def _check_rows(x: Any, y: Any, sample_weight: Any) -> int:
    lengths: dict[str, int] = {}
    for name, structure in (("x", x), ("y", y), ("sample_weight", sample_weight)):
        arrays = flatten_batch(structure)[1]
        for number, array in enumerate(arrays):
            label = name if len(arrays) == 1 else f"{name}[{number}]"
            if array.ndim == 0:
                raise ValueError(
                    f"{label}: expected an array with an axis of samples. Received: a scalar."
                )
            lengths[label] = array.shape[0]
    if not lengths:
        raise ValueError("x: expected at least one array. Received: x=None or an empty structure.")
    if len(set(lengths.values())) > 1:
        parts = [f"len({label})={length}" for label, length in lengths.items()]
        if len(parts) > 8:
            # A list of rows, which is a list of as many inputs.
            parts = [*parts[:3], f"... ({len(parts)} arrays: is it a list of rows?)", parts[-1]]
        received = ", ".join(parts)
        raise ValueError(
            "x, y and sample_weight: expected the same number of samples in all arrays "
            f"(their cardinality is ambiguous otherwise). Received: {received}."
        )
    rows = next(iter(lengths.values()))
    if rows == 0:
        shapes = [array.shape for array in flatten_batch(x)[1]]
        raise ValueError(f"x: expected at least one sample. Received: x.shape={shapes[0]}.")
    return rows
