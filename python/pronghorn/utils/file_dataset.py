"""FileDataset: batches that are read from files, what `*_dataset_from_directory` return."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pronghorn.training.data_adapters.py_dataset import PyDataset
from pronghorn.utils.labelled_files import LabelledFiles

#: Threads that read files while a step computes.
_READERS = 2


class FileDataset(PyDataset):
    """Batches of files, read when they are asked for.

    `fit`, `evaluate` and `predict` take it, with threads that read ahead; `len()` is the number of
    batches, and each pass of a `for` loop gives all of them. Where the files are shuffled, each
    pass after the first has an order of its own, drawn from the seed.

    Args:
        files: the files and their labels.
        read: called with a path, returns the sample: an array, or what `stack` takes.
        batch_size: files of a batch; `None` gives samples one by one, without an axis of the batch.
        stack: called with the samples of a batch and their paths, returns what `fit` takes as
            `x`; by default the samples, which must have one shape, are stacked along a new first
            axis.

    Attributes:
        class_names: the names of the classes, or `None`.
        file_paths: the files in the order of the first pass.
    """

    def __init__(
        self,
        files: LabelledFiles,
        read: Callable[[str], Any],
        batch_size: int | None,
        stack: Callable[[list[Any], list[str]], Any] | None = None,
    ) -> None:
        super().__init__(workers=_READERS)
        if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
            raise ValueError(
                "batch_size must be a positive integer or None. "
                f"Received: batch_size={batch_size!r}."
            )
        self.file_paths = files.paths
        self.class_names = files.class_names
        self._targets = files.targets()
        self._shuffle = files.shuffle
        self._seed = files.seed
        self._read = read
        self._stack = _stack if stack is None else stack
        self._batch_size = batch_size
        self._passes = 0
        self._order = np.arange(len(files.paths))

    def __len__(self) -> int:
        size = 1 if self._batch_size is None else self._batch_size
        return -(-len(self.file_paths) // size)

    def __getitem__(self, index: int) -> Any:
        """Batch number `index` of this pass: `x`, or `(x, y)` where there are labels."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"expected a batch from 0 to {len(self) - 1}. Received: {index}.")
        index %= len(self)
        order = self._order
        if self._batch_size is None:
            row = int(order[index])
            x = self._read(self.file_paths[row])
            return x if self._targets is None else (x, self._targets[row])
        rows = order[index * self._batch_size : (index + 1) * self._batch_size]
        paths = [self.file_paths[row] for row in rows.tolist()]
        x = self._stack([self._read(path) for path in paths], paths)
        return x if self._targets is None else (x, self._targets[rows])

    def __iter__(self) -> Iterator[Any]:
        for index in range(len(self)):
            yield self[index]
        self.on_epoch_end()

    def on_epoch_end(self) -> None:
        """Draws the order of the next pass, where the files are shuffled."""
        if self._shuffle:
            self._passes += 1
            order = np.random.default_rng([self._seed, self._passes]).permutation(
                len(self.file_paths)
            )
            self._order = order


def _stack(samples: list[Any], paths: list[str]) -> np.ndarray:
    for sample, path in zip(samples, paths, strict=True):
        if sample.shape != samples[0].shape:
            raise ValueError(
                "expected files of one shape in a batch. Received: "
                f"{samples[0].shape} of {paths[0]}, {sample.shape} of {path}."
            )
    return np.stack(samples)
