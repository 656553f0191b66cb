"""The base class of the data adapters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class DataAdapter:
    """Gives batches `(x, y, sample_weight)` of NumPy arrays, pass after pass.

    `num_batches` is the number of batches of a pass, or `None` where it is not known before the
    pass ends.
    """

    num_batches: int | None = None
    batch_size: int | None = None
    restarts = True  # whether a second pass is possible

    def batches(self) -> Iterator[Any]:
        """The batches of one pass."""
        raise NotImplementedError

    def on_epoch_begin(self) -> None:
        """Called before an epoch reads from this adapter."""

    def on_epoch_end(self) -> None:
        """Called after an epoch has read from this adapter."""

    def first_batch(self) -> Any:
        """A batch to take shapes from; the passes that follow still see it."""
        raise NotImplementedError
