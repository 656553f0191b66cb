"""PyDataset: a data set written as a Python class that gives a batch by its number."""

from __future__ import annotations

import warnings
from typing import Any


class PyDataset:
    """Base class of data sets that make batch number `i` on request.

    A subclass defines `__getitem__(index)`, which returns `(x, y)` or `(x, y, sample_weight)`, and
    `__len__` (or the property `num_batches`), the number of batches; `None` means that there is no
    end, and `fit` then needs `steps_per_epoch`. With `workers` above 1, or `use_multiprocessing`,
    batches are made ahead, in order, by threads or processes. `on_epoch_begin` and `on_epoch_end`
    may be overridden, to shuffle for instance.

    Args:
        workers: number of threads or processes that make batches.
        use_multiprocessing: processes instead of threads; the data set must then be picklable where
            the platform does not fork.
        max_queue_size: how many batches are made ahead.

    Example:
        >>> import numpy as np
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         x = np.full((4, 1), index, "float32")
        ...         return x, x**2
        >>> len(Squares(workers=2))
        3
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self._workers = workers
        self._use_multiprocessing = use_multiprocessing
        self._max_queue_size = max_queue_size

    def _setting(self, name: str, default: Any) -> Any:
        if name not in self.__dict__:
            warnings.warn(
                f"{type(self).__name__}: call super().__init__(**kwargs) in __init__, so that "
                f"workers, "
                "use_multiprocessing and max_queue_size are set.",
                stacklevel=3,
            )
            self.__dict__[name] = default
        return self.__dict__[name]

    @property
    def workers(self) -> int:
        """Number of threads or processes that make batches."""
        value: int = self._setting("_workers", 1)
        return value

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        """Whether processes make the batches, instead of threads."""
        value: bool = self._setting("_use_multiprocessing", False)
        return value

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        """How many batches are made ahead."""
        value: int = self._setting("_max_queue_size", 10)
        return value

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = value

    @property
    def num_batches(self) -> int | None:
        """Number of batches of an epoch, or `None` where there is no end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(
            f"{type(self).__name__}: define __len__ or the property num_batches."
        )

    def __getitem__(self, index: int) -> Any:
        """Batch number `index`: a tuple `(x, y)` or `(x, y, sample_weight)`."""
        raise NotImplementedError(f"{type(self).__name__}: define __getitem__(self, index).")

    def on_epoch_begin(self) -> None:
        """Called at the beginning of every epoch."""

    def on_epoch_end(self) -> None:
        """Called at the end of every epoch."""
