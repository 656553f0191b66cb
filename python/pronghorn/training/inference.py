"""evaluate(), predict() and the methods for one batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import config
from pronghorn.training import arguments
from pronghorn.training.data_adapters import get_data_adapter
from pronghorn.training.data_adapters.class_weight import class_weight_to_sample_weight
from pronghorn.training.data_adapters.iterable_adapter import as_batch
from pronghorn.training.feeds import ArrayFeed, Feed, make_feed
from pronghorn.training.loop import run_epoch
from pronghorn.training.runners import PredictRunner, StepRunner

_QUIET = ("auto", 0)


class InferenceMixin:
    """The part of `Trainer` that evaluates and predicts."""

    stop_evaluating: bool = False
    stop_predicting: bool = False

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The loss and metrics of the model on data.

        Args:
            x: data, as for `fit`.
            y: targets, as for `fit`.
            batch_size: samples of a step; 32 where it is `None`.
            verbose: 0 is silent, 1 a progress bar, 2 one line; "auto" is 1 on a terminal, else 2.
            sample_weight: weights of the samples.
            steps: batches to evaluate; `None` for all.
            callbacks: list of `callbacks.Callback`.
            return_dict: whether names and values are returned in a dict.

        Returns:
            The loss, or a list of the loss and the metrics in the order of `compile`, or a dict.

        Raises:
            ValueError: data or arguments that do not fit each other or the model.
        """
        if kwargs:
            raise ValueError(f"evaluate: unknown arguments. Received: {sorted(kwargs)}.")
        self._assert_compiled("evaluate")  # type: ignore[attr-defined]
        arguments.check_positive("evaluate", batch_size=batch_size, steps=steps)
        arguments.check_verbose("evaluate", verbose)
        adapter = get_data_adapter(x, y, sample_weight, batch_size)
        feed = make_feed(adapter, _limited(steps))
        self._prepare(adapter.first_batch, "test")  # type: ignore[attr-defined]
        callback_list = self._callback_list(
            callbacks, "evaluate", verbose, add_history=False, epochs=1, steps=feed.epoch_steps
        )
        logs = self._run_evaluation(feed, callback_list)
        return logs if return_dict else self._logs_in_order(logs)  # type: ignore[attr-defined]

    def _run_evaluation(self, feed: Feed, callbacks: Any) -> dict[str, Any]:
        callbacks.on_test_begin()
        self.stop_evaluating = False
        self.reset_metrics()  # type: ignore[attr-defined]
        runner = StepRunner(self, "test")
        run_epoch(self, feed, runner, callbacks, "test")
        logs = runner.logs()
        callbacks.on_test_end(logs)
        return logs

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs of the model for data.

        A call with one array of at most `batch_size` rows, of a shape seen before, costs
        microseconds.

        Args:
            x: data, as for `fit`; targets that it yields are passed over.
            batch_size: samples of a step; 32 where it is `None`.
            verbose: 0 is silent, 1 a progress bar, 2 one line; "auto" shows a progress bar on a
                terminal where there is more than one batch.
            steps: batches to predict; `None` for all.
            callbacks: list of `callbacks.Callback`.

        Returns:
            NumPy arrays `(samples, ...)`, in the structure of the model's outputs.

        Raises:
            ValueError: data or arguments that do not fit each other or the model.

        Example:
            >>> import numpy as np
            >>> import pronghorn as keras
            >>> keras.Sequential([keras.layers.Dense(3)]).predict(np.ones((2, 4))).shape
            (2, 3)
        """
        if type(x) is np.ndarray and callbacks is None and steps is None and verbose in _QUIET:
            found = self._predict_single(x, 32 if batch_size is None else batch_size)
            if found is not None:
                return found
        arguments.check_positive("predict", batch_size=batch_size, steps=steps)
        arguments.check_verbose("predict", verbose)
        adapter = get_data_adapter(x, None, None, batch_size)
        feed = make_feed(adapter, _limited(steps))
        self._prepare(adapter.first_batch, "predict")  # type: ignore[attr-defined]
        callback_list = self._callback_list(
            callbacks, "predict", verbose, add_history=False, epochs=1, steps=feed.epoch_steps
        )
        runner = PredictRunner(self)
        self.stop_predicting = False
        callback_list.on_predict_begin()
        done = run_epoch(self, feed, runner, callback_list, "predict")
        callback_list.on_predict_end()
        if isinstance(feed, ArrayFeed):
            runner.rows_done(done * feed.adapter.batch_size)
            self._remember_single(x, feed.adapter.num_rows <= feed.adapter.batch_size, runner)
        return runner.outputs()

    def _predict_single(self, x: np.ndarray, batch_size: int) -> np.ndarray | None:
        programs = self._programs  # type: ignore[attr-defined]
        if programs.last is None or len(x) > batch_size:
            return None
        found: np.ndarray | None = programs.last(x)
        if found is None:
            program = programs.single.get((x.shape, x.dtype))
            if program is not None:
                programs.last = program.run_to_array
                found = programs.last(x if x.flags.c_contiguous else np.ascontiguousarray(x))
        return found

    def _remember_single(self, x: Any, is_one_batch: bool, runner: PredictRunner) -> None:
        # The next call with this shape takes the short way: one array in, one array out.
        if is_one_batch and type(x) is np.ndarray and not self.run_eagerly:  # type: ignore[attr-defined]
            program = runner.single_program(x)
            if program is not None:
                programs = self._programs  # type: ignore[attr-defined]
                programs.single[x.shape, x.dtype] = program
                programs.last = program.run_to_array

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step of training.

        Args:
            x: a batch of arrays.
            y: its targets.
            sample_weight: weights of the samples.
            class_weight: dict of class number to weight.
            return_dict: whether names and values are returned in a dict.

        Returns:
            The loss and metrics of the batch, as `evaluate` returns them.
        """
        self._assert_compiled("train_on_batch")  # type: ignore[attr-defined]
        if class_weight is not None and sample_weight is not None:
            raise ValueError(
                "train_on_batch: pass sample_weight or class_weight, not both. "
                "Received: sample_weight and class_weight."
            )
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """The loss and metrics of one batch.

        Args:
            x: a batch of arrays.
            y: its targets.
            sample_weight: weights of the samples.
            return_dict: whether names and values are returned in a dict.

        Returns:
            The loss and metrics of the batch, as `evaluate` returns them.
        """
        self._assert_compiled("test_on_batch")  # type: ignore[attr-defined]
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    def _on_batch(
        self, mode: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool
    ) -> Any:
        data = as_batch((x, y, sample_weight))
        if class_weight is not None:
            data = (data[0], data[1], class_weight_to_sample_weight(data[1], class_weight))
        runner = StepRunner(self, mode)
        self.reset_metrics()  # type: ignore[attr-defined]
        runner.batch(data)
        logs = runner.logs()
        return logs if return_dict else self._logs_in_order(logs)  # type: ignore[attr-defined]

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs of the model for one batch.

        Args:
            x: a batch of arrays.

        Returns:
            NumPy arrays, in the structure of the model's outputs.
        """
        runner = PredictRunner(self)
        runner.batch(as_batch((x,)))
        return runner.outputs()

    def _callback_list(
        self,
        callbacks: Any,
        mode: str,
        verbose: int | str,
        add_history: bool,
        epochs: int,
        steps: Any,
    ) -> Any:
        from pronghorn.callbacks import CallbackList
        from pronghorn.callbacks.progbar_logger import resolve_verbose

        if isinstance(callbacks, CallbackList):
            return callbacks
        shown = resolve_verbose(verbose, mode, steps)
        return CallbackList(
            callbacks,
            add_history=add_history,
            add_progbar=shown != 0,
            verbose=shown,
            epochs=epochs,
            steps=steps,
            model=self,
        )


def _limited(steps: int | None) -> int | None:
    limit = config.max_steps_per_epoch()
    if limit is None:
        return steps
    return limit if steps is None else min(steps, limit)
