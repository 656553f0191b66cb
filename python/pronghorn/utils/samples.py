"""Data sets of samples one by one, and their batches: what `split_dataset` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pronghorn import tree
from pronghorn.training.data_adapters.batch import map_leaves
from pronghorn.training.data_adapters.py_dataset import PyDataset


class Samples(PyDataset):
    """Samples of something that gives them by number.

    `len()` is the number of samples and a `for` loop gives them; `.batch(n)` makes a data set for
    `fit` of them.

    Args:
        get: called with a number, returns a sample.
        rows: the numbers of the samples, in order.
    """

    def __init__(self, get: Callable[[int], Any], rows: np.ndarray) -> None:
        super().__init__()
        self._get = get
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Any:
        """Sample number `index`."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"expected a sample from 0 to {len(self) - 1}. Received: {index}.")
        return self._get(int(self._rows[index]))

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def batch(self, batch_size: int, drop_remainder: bool = False) -> Batches:
        """Returns the samples in batches.

        Args:
            batch_size: samples of a batch.
            drop_remainder: whether the last batch is left out where it is shorter.

        Raises:
            ValueError: `batch_size` is not positive.
        """
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(
                "batch: batch_size must be a positive integer. "
                f"Received: batch_size={batch_size!r}."
            )
        return Batches(self, batch_size, drop_remainder)


class Batches(PyDataset):
    """Batches of samples, each leaf stacked along a new first axis.

    Args:
        samples: the samples.
        batch_size: samples of a batch.
        drop_remainder: whether the last batch is left out where it is shorter.
    """

    def __init__(self, samples: Samples, batch_size: int, drop_remainder: bool) -> None:
        super().__init__()
        self._samples = samples
        self._batch_size = batch_size
        whole = len(samples) // batch_size
        self._count = whole if drop_remainder else -(-len(samples) // batch_size)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Any:
        """Batch number `index`."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"expected a batch from 0 to {len(self) - 1}. Received: {index}.")
        first = (index % len(self)) * self._batch_size
        last = min(first + self._batch_size, len(self._samples))
        samples = [self._samples[i] for i in range(first, last)]
        columns = zip(*(tree.flatten(sample) for sample in samples))
        stacked = [np.stack([np.asarray(leaf) for leaf in column]) for column in columns]
        return tree.pack_sequence_as(samples[0], stacked)

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Samples, Samples]:
    """Splits samples into two parts, such as for training and testing.

    Args:
        dataset: arrays with one number of rows (one, or a list, tuple or dict of them), or
            something with `len()` and samples by number, a PyTorch data set for instance.
        left_size: samples of the left part, as a number or as a fraction from 0 to 1; by default
            what the right one leaves.
        right_size: the same for the right part; what neither has is left out.
        shuffle: whether the samples are shuffled before.
        seed: of the order; by default drawn from NumPy's global generator.
        preferred_backend: must be `None`.

    Returns:
        A tuple of two data sets of samples, whose `.batch(n)` is for `fit`.

    Raises:
        TypeError: `dataset` is something else.
        ValueError: the sizes do not fit, or arrays differ in their number of rows.

    Example:

    >>> left, right = split_dataset(np.arange(10), left_size=0.8)
    >>> len(left), len(right)
    (8, 2)
    """
    if preferred_backend is not None:
        raise ValueError(
            "split_dataset: there is one backend. "
            f"Received: preferred_backend={preferred_backend!r}."
        )
    get, count = _source(dataset)
    left, right = _sizes(left_size, right_size, count)
    rows = np.arange(count)
    if shuffle:
        np.random.default_rng(np.random.randint(1 << 31) if seed is None else seed).shuffle(rows)
    return Samples(get, rows[:left]), Samples(get, rows[count - right :])


def _source(dataset: Any) -> tuple[Callable[[int], Any], int]:
    if isinstance(dataset, (np.ndarray, list, tuple, dict)) or hasattr(dataset, "__array__"):
        data = map_leaves(np.asarray, dataset)
        counts = {len(leaf) if leaf.ndim else 0 for leaf in tree.flatten(data)}
        if len(counts) != 1 or counts == {0}:
            raise ValueError(
                "split_dataset: expected arrays with one number of rows. "
                f"Received: {sorted(counts)} rows."
            )
        return (lambda row: map_leaves(lambda leaf: leaf[row], data)), counts.pop()
    if isinstance(dataset, PyDataset) and not isinstance(dataset, Samples):
        raise TypeError(
            "split_dataset: a data set of batches cannot be split into samples. Received: a "
            f"{type(dataset).__name__}. Split the arrays or files before (`validation_split`)."
        )
    if not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__"):
        raise TypeError(
            "split_dataset: expected arrays, or samples by number with a length. "
            f"Received: dataset of type {type(dataset).__name__}."
        )
    return dataset.__getitem__, len(dataset)


def _sizes(left: Any, right: Any, count: int) -> tuple[int, int]:
    if left is None and right is None:
        raise ValueError(
            "split_dataset: At least one of the `left_size` or `right_size` must be specified. "
            "Received: left_size=None, right_size=None."
        )
    found: dict[str, int | None] = {}
    for name, value in (("left_size", left), ("right_size", right)):
        if value is None:
            found[name] = None
            continue
        fraction = isinstance(value, float) and 0 < value < 1
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not fraction and not (whole and 0 < value < count):
            raise ValueError(
                f"split_dataset: `{name}` must be a fraction between 0 and 1 or a number of "
                f"samples below {count}. Received: {name}={value!r}."
            )
        found[name] = round(value * count) if fraction else int(value)
    sizes = found["left_size"], found["right_size"]
    first = count - (sizes[1] or 0) if sizes[0] is None else sizes[0]
    second = count - first if sizes[1] is None else sizes[1]
    if first + second > count or first < 1 or second < 1:
        raise ValueError(
            "split_dataset: both parts must have samples, together at most as many as there are. "
            f"Received: left_size={left}, right_size={right} of {count} samples."
        )
    return first, second
