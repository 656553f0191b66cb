"""timeseries_dataset_from_array: windows of a series that slide along it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pronghorn.training.data_adapters.py_dataset import PyDataset

_NAME = "timeseries_dataset_from_array"


class Windows(PyDataset):
    """Windows of an array, what `timeseries_dataset_from_array` returns.

    Args:
        data: the series, `(steps, ...)`.
        targets: one for each window, by the step it begins at; or `None`.
        starts: where windows begin.
        offsets: the steps of a window, counted from its beginning.
        batch_size: windows of a batch; `None` gives them one by one.
        shuffle: whether each pass has an order of its own.
        seed: of the order.
    """

    def __init__(
        self,
        data: np.ndarray,
        targets: np.ndarray | None,
        starts: np.ndarray,
        offsets: np.ndarray,
        batch_size: int | None,
        shuffle: bool,
        seed: int,
    ) -> None:
        super().__init__()
        self._data, self._targets = data, targets
        self._starts, self._offsets = starts, offsets
        self._batch_size = batch_size
        self._shuffle, self._seed, self._passes = shuffle, seed, 0
        self._order = np.arange(len(starts))
        if shuffle:
            np.random.RandomState(seed).shuffle(self._order)

    def __len__(self) -> int:
        size = 1 if self._batch_size is None else self._batch_size
        return -(-len(self._starts) // size)

    def __getitem__(self, index: int) -> Any:
        """Batch number `index` of this pass: `x`, or `(x, y)` where there are targets."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"expected a batch from 0 to {len(self) - 1}. Received: {index}.")
        index %= len(self)
        if self._batch_size is None:
            chosen = self._order[index]
            places = self._starts[chosen] + self._offsets
        else:
            chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
            places = self._starts[chosen][:, None] + self._offsets
        x = self._data[places]
        if self._targets is None:
            return x
        return x, self._targets[self._starts[chosen]]

    def __iter__(self) -> Iterator[Any]:
        for index in range(len(self)):
            yield self[index]
        self.on_epoch_end()

    def on_epoch_end(self) -> None:
        """Draws the order of the next pass, where the windows are shuffled."""
        if self._shuffle:
            self._passes += 1
            rng = np.random.default_rng([self._seed, self._passes])
            self._order = rng.permutation(len(self._starts))


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
) -> Windows:
    """Returns windows that slide along a series, in batches.

    Window i has the steps `start + i * sequence_stride + j * sampling_rate` for j from 0 to
    `sequence_length - 1`, all below `end`.

    Args:
        data: the series, `(steps, ...)`.
        targets: `targets[k]` belongs to the window that begins at step k; windows without one are
            left out. `None` for windows alone.
        sequence_length: steps of a window.
        sequence_stride: steps between the beginnings of windows.
        sampling_rate: steps between the elements of a window.
        batch_size: windows of a batch; `None` gives them one by one.
        shuffle: whether the order of windows is random, and drawn anew for each pass.
        seed: of the order; by default drawn from NumPy's global generator.
        start_index: the first step that is used.
        end_index: the step before which windows end.

    Returns:
        A data set for `fit`, `evaluate`, `predict` and `for` loops. A batch is `(windows, targets)`
        or `windows`, of shape `(batch, sequence_length, ...)`.

    Raises:
        ValueError: an argument is out of range, or no window fits.

    Example:

    >>> windows = timeseries_dataset_from_array(np.arange(6), np.arange(3, 6), 3, batch_size=2)
    >>> windows[0]
    (array([[0, 1, 2],
           [1, 2, 3]]), array([3, 4]))
    """
    series = np.asarray(data)
    steps = len(series)
    for argument, value in (
        ("sequence_length", sequence_length),
        ("sequence_stride", sequence_stride),
        ("sampling_rate", sampling_rate),
        *((("batch_size", batch_size),) if batch_size is not None else ()),
    ):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(
                f"{_NAME}: `{argument}` must be higher than 0. Received: {argument}={value!r}."
            )
    for argument, value in (("sequence_stride", sequence_stride), ("sampling_rate", sampling_rate)):
        if value >= steps:
            raise ValueError(
                f"{_NAME}: `{argument}` must be lower than the length of the data. Received: "
                f"{argument}={value}, for data of length {steps}."
            )
    start, end = _limits(start_index, end_index, steps)
    count = end - start - (sequence_length - 1) * sampling_rate
    wanted = None if targets is None else np.asarray(targets)
    if wanted is not None:
        count = min(count, len(wanted) - start)
    if count < 1:
        raise ValueError(
            f"{_NAME}: expected room for a window of {sequence_length} steps, {sampling_rate} "
            f"apart. Received: steps {start} to {end} of the data"
            + ("." if wanted is None else f", {len(wanted)} targets.")
        )
    if seed is None:
        seed = int(np.random.randint(1_000_000))
    return Windows(
        series,
        wanted,
        start + np.arange(0, count, sequence_stride),
        np.arange(sequence_length) * sampling_rate,
        batch_size,
        bool(shuffle),
        seed,
    )


def _limits(start: int | None, end: int | None, steps: int) -> tuple[int, int]:
    if start is not None and not 0 <= start < steps:
        raise ValueError(
            f"{_NAME}: `start_index` must be 0 or greater, and lower than the length of the data. "
            f"Received: start_index={start}, for data of length {steps}."
        )
    first = start or 0
    if end is not None and not first < end < steps:
        raise ValueError(
            f"{_NAME}: `end_index` must be higher than `start_index` and lower than the length of "
            f"the data. Received: start_index={start}, end_index={end}, for data of length {steps}."
        )
    return first, steps if end is None else end
