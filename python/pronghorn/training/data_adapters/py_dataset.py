"""PyDataset: a data set written as a Python class that gives a batch by its number."""

from __future__ import annotations

import warnings
from collections.abc import Callable
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

    def map(self, function: Callable[..., Any], num_parallel_calls: int | None = None) -> PyDataset:
        """Returns a data set whose batches are those of this one, changed by a function.

        The function is traced once for each signature of a batch and then runs compiled, in threads
        that make batches ahead while a training step computes; where a batch holds strings it is
        called as it is. Random layers in it draw numbers
        that depend on the place of the batch, not on which thread makes it.

        Args:
            function: called with tensors as a batch holds them, `function(x)` or
                `function(x, y)` or `function(x, y, sample_weight)`; returns the like. A layer, for
                instance.
            num_parallel_calls: number of threads; by default 2, or as many as this data set has.

        Raises:
            ValueError: `num_parallel_calls` is not positive.

        Example:
            >>> import numpy as np
            >>> import pronghorn as keras
            >>> class Ones(PyDataset):
            ...     def __len__(self):
            ...         return 2
            ...     def __getitem__(self, index):
            ...         return np.ones((4, 8, 8, 1), "float32"), np.zeros(4)
            >>> augment = keras.layers.RandomRotation(0.1)
            >>> x, y = Ones().map(lambda x, y: (augment(x), y))[0]
            >>> x.shape
            (4, 8, 8, 1)
        """
        from pronghorn.training.data_adapters.mapped_dataset import MappedDataset

        if num_parallel_calls is None:
            num_parallel_calls = max(self.workers, 2)
        if isinstance(num_parallel_calls, bool) or num_parallel_calls < 1:
            raise ValueError(
                "map: num_parallel_calls must be a positive integer or None. "
                f"Received: num_parallel_calls={num_parallel_calls!r}."
            )
        return MappedDataset(self, function, num_parallel_calls)

    def on_epoch_begin(self) -> None:
        """Called at the beginning of every epoch."""

    def on_epoch_end(self) -> None:
        """Called at the end of every epoch."""
