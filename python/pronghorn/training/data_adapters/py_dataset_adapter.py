"""The batches of a PyDataset, made ahead by threads or processes where it asks for them."""

from __future__ import annotations

import collections
import concurrent.futures
import multiprocessing
from collections.abc import Iterator
from typing import Any

from pronghorn.random.seed_generator import global_seed_generator
from pronghorn.training.data_adapters.data_adapter import DataAdapter
from pronghorn.training.data_adapters.iterable_adapter import as_batch
from pronghorn.training.data_adapters.py_dataset import PyDataset

_worker_dataset: PyDataset | None = None


def _adopt(dataset: PyDataset) -> None:
    global _worker_dataset
    _worker_dataset = dataset


def _make(index: int) -> Any:
    assert _worker_dataset is not None  # set by the pool's initializer
    return _worker_dataset[index]


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
        self._first: Any = None

    def _indices(self) -> Iterator[int]:
        if self.num_batches is None:
            index = 0
            while True:
                yield index
                index += 1
        elif self.shuffle:
            import numpy as np

            key = [int(v) for v in np.asarray(global_seed_generator().next()).reshape(-1)]
            yield from (int(i) for i in np.random.default_rng(key).permutation(self.num_batches))
        else:
            yield from range(self.num_batches)

    def batches(self) -> Iterator[Any]:
        ahead = self.dataset.workers > 1 or (
            self.dataset.use_multiprocessing and self.dataset.workers > 0
        )
        source = self._made_ahead() if ahead else (self._get(i) for i in self._indices())
        for data in source:
            yield as_batch(data, self.class_weight)

    def _get(self, index: int) -> Any:
        if index == 0 and self._first is not None:
            first, self._first = self._first, None
            return first
        return self.dataset[index]

    def _made_ahead(self) -> Iterator[Any]:
        pool = self._pool()
        try:
            make = _make if self.dataset.use_multiprocessing else self.dataset.__getitem__
            waiting: collections.deque[concurrent.futures.Future[Any]] = collections.deque()
            for index in self._indices():
                waiting.append(pool.submit(make, index))
                if len(waiting) > max(self.dataset.max_queue_size, 1):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _pool(self) -> concurrent.futures.Executor:
        workers = max(self.dataset.workers, 1)
        if not self.dataset.use_multiprocessing:
            return concurrent.futures.ThreadPoolExecutor(workers)
        methods = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("fork" if "fork" in methods else None)
        return concurrent.futures.ProcessPoolExecutor(
            workers, mp_context=context, initializer=_adopt, initargs=(self.dataset,)
        )

    def on_epoch_begin(self) -> None:
        self.dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.dataset.on_epoch_end()
        self.num_batches = self.dataset.num_batches

    def first_batch(self) -> Any:
        if self._first is None:
            self._first = self.dataset[0]
        return as_batch(self._first, self.class_weight)
