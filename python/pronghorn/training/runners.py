"""Runners: what happens to each batch of a feed in `fit`, `evaluate` and `predict`."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from pronghorn import tree
from pronghorn.tensor import Tensor, convert_to_tensor
from pronghorn.training.data_adapters import ArrayAdapter
from pronghorn.training.data_adapters.batch import flatten_batch, map_leaves
from pronghorn.training.feeds import ArrayFeed, Feed
from pronghorn.training.logs import as_logs
from pronghorn.training.programs import ProgramCache, StepProgram


class StepRunner:
    """Runs the train or test step: one program a signature, or Python for each batch with "
    "`run_eagerly`."""

    def __init__(self, model: Any, mode: str) -> None:
        self._model = model
        self._mode = mode
        self._flags: Hashable = model._trainable_signature() if mode == "train" else None
        self._by_size: dict[int, StepProgram] = {}
        self._last: StepProgram | None = None
        self._eager_logs: Any = None
        self._checked: set[Hashable] = set()

    def rows(
        self,
        data: ArrayAdapter,
        order: np.ndarray | None,
        batch_size: int,
        first: int,
        last: int,
        time_limit: float,
    ) -> int:
        """See `Runner.rows`."""
        if self._model.run_eagerly:
            return self._eager_rows(data, order, batch_size, first, last)
        step = self._by_size.get(batch_size)
        if step is None:
            step = self._by_size[batch_size] = self._step_for(
                map_leaves(lambda array: array[:batch_size], data.data)
            )
            self._check_targets(step, data.data, self._checked)
        self._last = step
        return step.program.run_batches(
            data.sources, order, batch_size, first, last, time_limit=time_limit
        )

    def _eager_rows(
        self, data: ArrayAdapter, order: np.ndarray | None, batch_size: int, first: int, last: int
    ) -> int:
        # One step a call: Python is what takes the time here.
        rows: Any = slice(first * batch_size, (first + 1) * batch_size)
        if order is not None:
            rows = order[rows]
        self.batch(map_leaves(lambda array: array[rows], data.data))
        return first + 1

    def check(self, feed: Feed) -> None:
        """Traces the step for data in memory and checks its targets; runs nothing."""
        if self._model.run_eagerly or not isinstance(feed, ArrayFeed):
            return
        data = feed.adapter
        step = self._step_for(map_leaves(lambda array: array[: data.batch_size], data.data))
        self._check_targets(step, data.data, None)

    def make_variables(self, feed: Feed) -> None:
        """Makes what a first step would make: variables of metrics, of a step's own optimizers.

        The variables may have changed afterwards: a model that runs eagerly makes a step.
        """
        data = feed.adapter.first_batch()
        if self._model.run_eagerly:
            self.batch(data)
        else:
            self._step_for(data)

    def batch(self, data: Any) -> None:
        """See `Runner.batch`."""
        if self._model.run_eagerly:
            self._model._prepare(lambda: data, self._mode)
            tensors = map_leaves(convert_to_tensor, data)
            self._eager_logs = getattr(self._model, f"{self._mode}_step")(tensors)
            return
        key, leaves = flatten_batch(data)
        step = self._model._programs.find(self._mode, (key, self._flags))
        if step is None:
            step = self._step_for(data)
        self._check_targets(step, data, None)
        self._last = step
        step.program(*leaves)

    def _check_targets(self, step: StepProgram, data: Any, done: set[Hashable] | None) -> None:
        # Once a run for data in memory.
        if not done and step.output_shapes:
            self._model._check_targets(data, step.output_shapes)
            if done is not None:
                done.add("targets")

    def _step_for(self, data: Any) -> StepProgram:
        key, _ = flatten_batch(data)
        self._model._prepare(lambda: data, self._mode)
        if self._mode == "train":
            self._flags = self._model._trainable_signature()
        cache: ProgramCache = self._model._programs
        return cache.get(self._model, self._mode, (key, self._flags), data)

    def logs(self) -> dict[str, Any]:
        """Names and values as of the last step."""
        own = self._eager_logs if self._model.run_eagerly else None
        if self._last is not None:
            own = self._last.logs()
        if not isinstance(own, dict):
            return self._model._metric_logs()  # type: ignore[no-any-return]
        return as_logs(own)


class PredictRunner:
    """Runs the predict step and collects the outputs.

    With data in memory the rows of each output are written where they end up; else the batches are
    joined at the end.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._by_size: dict[int, StepProgram] = {}
        self._whole: list[np.ndarray] | None = None
        self._batches: list[list[np.ndarray]] = []
        self._structure: Any = None
        self._last: list[np.ndarray] = []
        self._joins = False

    def rows(
        self,
        data: ArrayAdapter,
        order: np.ndarray | None,
        batch_size: int,
        first: int,
        last: int,
        time_limit: float,
    ) -> int:
        """See `Runner.rows`; the order is always that of the data."""
        if not self._model.run_eagerly and not self._joins:
            step = self._step_of_size(data, batch_size)
            if all(shape[:1] == (batch_size,) for shape, _ in step.specs):
                return self._write_rows(data, step, batch_size, first, last, time_limit)
        self._joins = True
        rows = slice(first * batch_size, (first + 1) * batch_size)
        self.batch(map_leaves(lambda array: array[rows], data.data))
        return first + 1

    def _step_of_size(self, data: ArrayAdapter, batch_size: int) -> StepProgram:
        step = self._by_size.get(batch_size)
        if step is None:
            step = self._step_for(map_leaves(lambda array: array[:batch_size], data.data))
            self._by_size[batch_size] = step
        return step

    def _write_rows(
        self,
        data: ArrayAdapter,
        step: StepProgram,
        batch_size: int,
        first: int,
        last: int,
        time_limit: float,
    ) -> int:
        start = getattr(data, "first_row", 0)
        if self._whole is None:
            total = start + data.num_rows
            self._whole = [np.empty((total, *shape[1:]), numpy_dtype(d)) for shape, d in step.specs]
        targets = [array[start:] for array in self._whole]
        following = step.program.run_batches(
            data.sources, None, batch_size, first, last, time_limit=time_limit, outputs=targets
        )
        rows = slice(start + first * batch_size, start + following * batch_size)
        self._last = [array[rows] for array in self._whole]
        return following

    def batch(self, data: Any) -> None:
        """See `Runner.batch`."""
        if self._model.run_eagerly:
            outputs = self._model.predict_step(map_leaves(convert_to_tensor, data))
            arrays = [np.asarray(value) for value in tree.flatten(outputs)]
            self._structure = tree.map_structure(lambda _: 0, outputs)
        else:
            key, leaves = flatten_batch(data)
            step = self._model._programs.find("predict", key)
            if step is None:
                step = self._step_for(data)
            self._structure = step.structure
            arrays = [to_numpy(tensor) for tensor in step.program(*leaves)]
        self._last = arrays
        self._batches.append(arrays)

    def _step_for(self, data: Any) -> StepProgram:
        key, _ = flatten_batch(data)
        self._model._prepare(lambda: data, "predict")
        cache: ProgramCache = self._model._programs
        step = cache.get(self._model, "predict", key, data)
        self._structure = step.structure
        return step

    def logs(self) -> dict[str, Any]:
        """The outputs of the steps that ran last."""
        return {"outputs": self._pack(self._last)}

    def outputs(self) -> Any:
        """The outputs of all batches, in the structure that the model gives."""
        if self._joins or self._whole is None:
            columns = zip(*self._batches, strict=True)
            return self._pack([_join(list(column)) for column in columns])
        return self._pack(self._whole)

    def single_program(self, x: np.ndarray) -> Any:
        """The program for `x` as the whole data, where it takes and gives one array of that "
        "dtype."""
        step = self._by_size.get(len(x))
        if step is None or self._joins or step.structure != 0:
            return None
        if step.program.input_types != [(x.shape, x.dtype.name)]:
            return None
        return step.program

    def rows_done(self, rows: int) -> None:
        """Forgets the rows that were not reached, when predict is stopped early."""
        if self._whole is not None:
            self._whole = [array[:rows] for array in self._whole]

    def _pack(self, arrays: list[np.ndarray]) -> Any:
        return tree.pack_sequence_as(self._structure, arrays)


def _join(arrays: list[np.ndarray]) -> np.ndarray:
    if len(arrays) == 1:
        return arrays[0]
    return np.stack(arrays) if arrays[0].ndim == 0 else np.concatenate(arrays)


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The NumPy dtype of that name, bfloat16 from ml_dtypes."""
    if name == "bfloat16":
        try:
            import ml_dtypes
        except ImportError:
            raise ImportError(
                "predict: the outputs are bfloat16, which NumPy has only with ml_dtypes. "
                "`pip install ml_dtypes`, or give the last layer dtype='float32'."
            ) from None
        name = ml_dtypes.bfloat16
    return np.dtype(name)


def to_numpy(tensor: Tensor) -> np.ndarray:
    """An array of one's own, which may be written to."""
    array: np.ndarray = tensor.numpy()
    return array if array.flags.writeable else array.copy()
