"""The batches of a PyDataset, made ahead by threads or processes where it asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pronghorn.random.keyed_draws import batch_key, keyed_draws
from pronghorn.random.seed_generator import global_seed_generator
from pronghorn.training.data_adapters.data_adapter import DataAdapter
from pronghorn.training.data_adapters.iterable_adapter import as_batch
from pronghorn.training.data_adapters.made_ahead import made_ahead
from pronghorn.training.data_adapters.py_dataset import PyDataset


class PyDatasetAdapter(DataAdapter):
    """Batches of a `PyDataset`.

    Args:
        dataset: the data set.
        class_weight: dict of class to weight, or `None`.
        shuffle: whether the batches of a pass come in a random order.
    """

    def __init__(
        self,
        dataset: PyDataset,
        class_weight: dict[int, float] | None = None,
        shuffle: bool | str = False,
    ) -> None:
        self.dataset = dataset
        self.class_weight = class_weight
        self.shuffle = shuffle
        self.num_batches = dataset.num_batches
        if self.num_batches == 0:
            raise ValueError(
                f"x: expected at least one batch. Received: an empty {type(dataset).__name__}."
            )

    def _indices(self) -> Iterator[int]:
        if self.num_batches is None:
            index = 0
            while True:
                yield index
                index += 1
        elif self.shuffle:
            key = [int(v) for v in np.asarray(global_seed_generator().next()).reshape(-1)]
            yield from (int(i) for i in np.random.default_rng(key).permutation(self.num_batches))
        else:
            yield from range(self.num_batches)

    def batches(self) -> Iterator[Any]:
        make = _Maker(self.dataset, self.class_weight, np.asarray(global_seed_generator().next()))
        places = enumerate(self._indices())
        dataset = self.dataset
        if dataset.workers > 1 or (dataset.use_multiprocessing and dataset.workers > 0):
            yield from made_ahead(
                make, places, dataset.workers, dataset.max_queue_size, dataset.use_multiprocessing
            )
        else:
            yield from map(make, places)

    def on_epoch_begin(self) -> None:
        self.dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.dataset.on_epoch_end()
        self.num_batches = self.dataset.num_batches

    def first_batch(self) -> Any:
        return as_batch(self.dataset[0], self.class_weight)


class _Maker:
    """Makes one batch. Random numbers drawn meanwhile depend on the batch's place in the pass only,
    not on which thread or process makes it.

    Args:
        dataset: the data set.
        class_weight: dict of class to weight, or `None`.
        key: the key of the pass.
    """

    def __init__(
        self, dataset: PyDataset, class_weight: dict[int, float] | None, key: np.ndarray
    ) -> None:
        self.dataset = dataset
        self.class_weight = class_weight
        self.key = key

    def __call__(self, place: tuple[int, int]) -> Any:
        position, index = place
        with keyed_draws(batch_key(self.key, position)):
            return as_batch(self.dataset[index], self.class_weight)
