"""MappedDataset: the batches of a data set, changed by a function of tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pronghorn import tree
from pronghorn.compiled_function import Function
from pronghorn.random.keyed_draws import current_key, keyed_draws
from pronghorn.random.seed_generator import global_seed_generator
from pronghorn.tensor import convert_to_tensor
from pronghorn.training.data_adapters.batch import map_leaves, to_array
from pronghorn.training.data_adapters.py_dataset import PyDataset


class MappedDataset(PyDataset):
    """What `PyDataset.map` returns.

    Args:
        source: the data set.
        function: called with what a batch holds: `x`, `(x, y)` or `(x, y, sample_weight)`.
        workers: number of threads that make batches.
    """

    def __init__(self, source: PyDataset, function: Callable[..., Any], workers: int) -> None:
        super().__init__(workers, source.use_multiprocessing, source.max_queue_size)
        self._source = source
        self._function = function
        self._compiled = Function(self._traced)

    def _traced(self, key: Any, *data: Any) -> Any:
        with keyed_draws(key):
            return self._function(*data)

    @property
    def num_batches(self) -> int | None:
        """Number of batches of an epoch, or `None` where there is no end."""
        return self._source.num_batches

    @property
    def class_names(self) -> Any:
        """Names of the classes, where the source has them."""
        return self._source.class_names  # type: ignore[attr-defined]

    @property
    def file_paths(self) -> Any:
        """The files, where the source has them."""
        return self._source.file_paths  # type: ignore[attr-defined]

    def __len__(self) -> int:
        count = self.num_batches
        if count is None:
            raise TypeError("MappedDataset: its number of batches is not known.")
        return count

    def __getitem__(self, index: int) -> Any:
        """Batch number `index` of the source, changed by the function."""
        data = self._source[index]
        parts = tuple(data) if isinstance(data, (tuple, list)) else (data,)
        key = current_key()
        if key is None:
            key = convert_to_tensor(global_seed_generator().next())
        if _holds_text(parts):
            found = self._traced(key, *parts)
        else:
            found = self._compiled(key, *map_leaves(lambda leaf: to_array(leaf, "data"), parts))
        return tuple(found) if isinstance(found, list) else found

    def __iter__(self) -> Iterator[Any]:
        self.on_epoch_begin()
        for index in range(len(self)):
            yield self[index]
        self.on_epoch_end()

    def on_epoch_begin(self) -> None:
        """Tells the source."""
        self._source.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tells the source."""
        self._source.on_epoch_end()


def _holds_text(data: Any) -> bool:
    """Whether there is an array of strings, which no trace can take."""
    leaves = tree.flatten(data)
    kinds = [leaf.dtype.kind for leaf in leaves if isinstance(leaf, np.ndarray)]
    return any(isinstance(leaf, (str, bytes)) for leaf in leaves) or bool(set(kinds) & set("OUS"))
