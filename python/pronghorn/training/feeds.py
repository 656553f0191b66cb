"""Feeds: hand batches to a runner, many at a time where the data is in memory.

A feed keeps its place between calls, so that `steps_per_epoch` may end an epoch in the middle of
the data.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from pronghorn.training.data_adapters import ArrayAdapter, DataAdapter

_NOTHING = object()


class Runner(Protocol):
    """Runs steps on batches."""

    def rows(
        self,
        data: ArrayAdapter,
        order: np.ndarray | None,
        batch_size: int,
        first: int,
        last: int,
        time_limit: float,
    ) -> int:
        """Runs steps first..last-1 of full batches of rows; returns the next step to run."""
        ...

    def batch(self, data: Any) -> None:
        """Runs one step on a batch of arrays."""
        ...


class Feed:
    """Batches of an adapter, for one epoch after another.

    Args:
        adapter: where the batches come from.
        steps: batches of an epoch, or `None` for one pass over the data.
    """

    def __init__(self, adapter: DataAdapter, steps: int | None = None) -> None:
        self.adapter = adapter
        self.steps = steps
        self.total = 0  # batches of all epochs
        self.steps_done = 0  # of the epoch that begins next, in an earlier process
        self._epochs = 0  # that have ended

    @property
    def epoch_steps(self) -> int | None:
        """Batches of an epoch, or `None` where that is not known yet."""
        return self.steps if self.steps is not None else self.adapter.num_batches

    def begin_epoch(self) -> None:
        """Starts a new pass, unless the last epoch stopped in the middle of one on purpose."""
        raise NotImplementedError

    def end_epoch(self) -> None:
        """Tells the adapter that the epoch is over."""
        self.steps_done = 0
        self._epochs += 1
        self.adapter.on_epoch_end()

    def place(self) -> dict[str, Any]:
        """Where in the data the feed is, as far as that can be found again: numbers for JSON."""
        return {}

    def go_to(self, place: dict[str, Any], steps_done: int) -> None:
        """Goes on where another feed over the same data was.

        Args:
            place: what its `place` gave.
            steps_done: batches of the epoch that have run.
        """
        del place
        self.steps_done = steps_done

    def ready(self) -> bool:
        """Whether there is another batch in this pass."""
        raise NotImplementedError

    def run(self, runner: Runner, steps: int, time_limit: float) -> int:
        """Runs at most `steps` batches, and stops after about `time_limit` seconds; returns how "
        "many ran."""
        raise NotImplementedError


class ArrayFeed(Feed):
    """Rows of arrays, gathered by the program itself."""

    adapter: ArrayAdapter

    def __init__(self, adapter: ArrayAdapter, steps: int | None = None) -> None:
        super().__init__(adapter, steps)
        self._order: np.ndarray | None = None
        self._next: int | None = None
        self._key: list[int] = []  # of the random generator when the order was drawn

    def begin_epoch(self) -> None:
        self.adapter.on_epoch_begin()
        if self.steps_done > 0:
            return
        if self._next is None or self.steps is None or self._next >= self.adapter.num_batches:
            self._key = _generator().numpy().tolist() if self.adapter.shuffle else []
            self._order = self.adapter.order()
            self._next = 0

    def place(self) -> dict[str, Any]:
        return {
            "next": self._next,
            "key": self._key,
            "rows": self.adapter.num_rows,
            "batch_size": self.adapter.batch_size,
        }

    def go_to(self, place: dict[str, Any], steps_done: int) -> None:
        super().go_to(place, steps_done)
        data = self.adapter
        if (place["rows"], place["batch_size"]) != (data.num_rows, data.batch_size):
            raise ValueError(
                f"fit: the run that is to go on had {place['rows']} rows in batches of "
                f"{place['batch_size']}. Received: {data.num_rows} rows, "
                f"batch_size={data.batch_size}."
            )
        if bool(place["key"]) != bool(data.shuffle):
            raise ValueError(
                f"fit: the run that is to go on was {'' if place['key'] else 'not '}shuffled. "
                f"Received: shuffle={data.shuffle!r}."
            )
        self._key, self._next = place["key"], place["next"]
        if self._key:
            generator = _generator()
            now = generator.numpy()
            generator.assign(np.array(self._key, np.uint32))
            self._order = data.order()
            generator.assign(now)

    def ready(self) -> bool:
        return self._next is not None and self._next < self.adapter.num_batches

    def run(self, runner: Runner, steps: int, time_limit: float) -> int:
        data, order = self.adapter, self._order
        first = self._next or 0
        if first >= data.num_batches:
            return 0
        full = data.full_batches
        if first < full:
            last = min(first + steps, full)
            self._next = runner.rows(data, order, data.batch_size, first, last, time_limit)
        else:
            rest = slice(full * data.batch_size, None)
            runner.rows(
                _Rows(data, rest if order is None else slice(None)),
                None if order is None else order[rest],
                data.last_rows,
                0,
                1,
                time_limit,
            )
            self._next = full + 1
        return self._next - first


def _generator() -> Any:
    from pronghorn.random.seed_generator import global_seed_generator

    return global_seed_generator().state


class _Rows(ArrayAdapter):
    """Some rows of an adapter, without a copy."""

    def __init__(self, data: ArrayAdapter, rows: slice) -> None:
        # No super().__init__: the arrays have been converted and checked already.
        self.data = _slice(data.data, rows)
        self.sources = [array[rows] for array in data.sources]
        self.num_rows = len(self.sources[0])
        self.batch_size = data.last_rows
        self.full_batches, self.last_rows, self.num_batches = 1, 0, 1
        self.first_row = rows.start or 0


def _slice(data: Any, rows: slice) -> Any:
    from pronghorn.training.data_adapters.batch import map_leaves

    return map_leaves(lambda array: array[rows], data)


class BatchFeed(Feed):
    """Batches that Python makes: generators, iterables, `PyDataset`."""

    def __init__(self, adapter: DataAdapter, steps: int | None = None) -> None:
        super().__init__(adapter, steps)
        self._batches: Iterator[Any] | None = None
        self._peeked: Any = _NOTHING
        self._seen = 0
        self._key: list[int] = []  # of the random generator when the pass began
        self._resumed: dict[str, Any] | None = None

    def place(self) -> dict[str, Any]:
        return {
            "key": self._key,
            "seen": self._seen,
            "in_pass": self._batches is not None,
            "epochs": self._epochs,
        }

    def go_to(self, place: dict[str, Any], steps_done: int) -> None:
        super().go_to(place, steps_done)
        self._resumed = place

    def _go_on(self, place: dict[str, Any]) -> None:
        """Makes the batches of an interrupted pass again, and passes over those that have run."""
        known, seen = self.adapter.num_batches, int(place["seen"])
        if not self.adapter.restarts:
            # A generator begins wherever it does.
            self._restart()
            self._pass_over(self.steps_done)
            return
        is_inside = place["in_pass"] and self.steps is not None and (known is None or seen < known)
        if self.steps_done == 0 and not (is_inside and seen > 0):
            self._restart()
            return
        # The order of the pass, and what is drawn while its batches are made.
        generator = _generator()
        now = generator.numpy()
        generator.assign(np.array(place["key"], np.uint32))
        self._restart()
        self._pass_over(seen)
        generator.assign(now)

    def _pass_over(self, batches: int) -> None:
        for _ in range(batches):
            if self.ready():
                self._peeked = _NOTHING
                self._seen += 1

    def begin_epoch(self) -> None:
        if self._resumed is not None:
            place, self._resumed = self._resumed, None
            for _ in range(place["epochs"]):
                # A data set may change from epoch to epoch.
                self.adapter.on_epoch_begin()
                self.adapter.on_epoch_end()
            self._epochs = place["epochs"]
            self.adapter.on_epoch_begin()
            self._go_on(place)
            return
        self.adapter.on_epoch_begin()
        known = self.adapter.num_batches
        if known is not None and self._seen >= known:
            self._batches = None
        if self._batches is None or (self.steps is None and self.adapter.restarts):
            self._restart()

    def _restart(self) -> None:
        self._key = _generator().numpy().tolist()
        self._batches = self.adapter.batches()
        self._peeked = _NOTHING
        self._seen = 0

    def ready(self) -> bool:
        if self._peeked is _NOTHING and self._batches is not None:
            known = self.adapter.num_batches
            if known is not None and self._seen >= known:
                return False
            self._peeked = next(self._batches, _NOTHING)
            if self._peeked is _NOTHING and self.adapter.restarts:
                self._batches = None
        return self._peeked is not _NOTHING

    def run(self, runner: Runner, steps: int, time_limit: float) -> int:
        stop = time.monotonic() + time_limit
        ran = 0
        while ran < steps and self.ready():
            batch, self._peeked = self._peeked, _NOTHING
            self._seen += 1
            runner.batch(batch)
            ran += 1
            if time.monotonic() >= stop:
                break
        return ran


def make_feed(adapter: DataAdapter, steps: int | None = None) -> Feed:
    """The feed for an adapter."""
    if isinstance(adapter, ArrayAdapter):
        return ArrayFeed(adapter, steps)
    return BatchFeed(adapter, steps)
