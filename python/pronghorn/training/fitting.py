"""fit(): the loop over epochs, with callbacks and validation."""

from __future__ import annotations

import warnings
from typing import Any

from pronghorn import config
from pronghorn.training import arguments
from pronghorn.training.data_adapters import get_data_adapter, unpack_x_y_sample_weight
from pronghorn.training.feeds import Feed, make_feed
from pronghorn.training.loop import run_epoch
from pronghorn.training.resume import ResumePoint
from pronghorn.training.runners import StepRunner


class FitMixin:
    """The part of `Trainer` that trains."""

    history: Any = None
    stop_training: bool = False
    _feed: Feed | None = None  # while fit runs
    _callbacks: Any = None  # while fit runs
    _resume: ResumePoint | None = None  # set by a callback when training begins

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | list[int] = 1,
    ) -> Any:
        """Trains the model for a number of epochs.

        Data in memory is gathered and shuffled by the program itself: between two epochs, or two
            calls of a callback's
        batch hook, no Python runs. Ctrl-C stops within a second, between two steps, and leaves the
        model usable.

        Args:
            x: arrays `(samples, ...)` (NumPy, tensors, pandas), or a list, tuple or dict of them
                for several inputs; or a generator, an iterable of batches (a PyTorch `DataLoader`
                for instance) or a `utils.PyDataset`, which yield `(x, y)` or `(x, y,
                sample_weight)`.
            y: targets, like `x`; `None` where `x` yields them.
            batch_size: samples of a step; 32 where it is `None`. Not for data that comes in
                batches.
            epochs: number of the last epoch.
            verbose: 0 is silent, 1 a progress bar, 2 a line an epoch; "auto" is 1 on a terminal,
                else 2.
            callbacks: list of `callbacks.Callback`.
            validation_split: part of the rows, the last ones, that is held back for validation.
            validation_data: `(x, y)`, `(x, y, sample_weight)`, or batches as for `x`.
            shuffle: whether the rows come in a new order each epoch; "batch" shuffles batches. The
                order follows `utils.set_random_seed`. Ignored for data that comes in batches.
            class_weight: dict of class number to the weight of its samples in the loss.
            sample_weight: weights of the samples, `(samples,)` or `(samples, steps)`.
            initial_epoch: number of the first epoch, to go on with a run.
            steps_per_epoch: batches of an epoch; needed for data without an end.
            validation_steps: batches of a validation.
            validation_batch_size: samples of a step of the validation; `batch_size` where it is
                `None`.
            validation_freq: validates every so many epochs, or a list of the epochs (from 1) that
                do.

        Returns:
            A `callbacks.History`: `history.history["loss"]` holds one value an epoch, and so do the
            metrics and, with the prefix `val_`, those of the validation.

        Raises:
            ValueError: data or arguments that do not fit each other or the model; nothing has been
                changed then.
            RuntimeError: the model cannot be trained.

        Example:
            >>> import numpy as np
            >>> import pronghorn as keras
            >>> model = keras.Sequential([keras.layers.Dense(1)])
            >>> model.compile("sgd", "mean_squared_error")
            >>> x = np.ones((8, 2), "float32")
            >>> history = model.fit(x, x[:, :1], epochs=2, verbose=0)
            >>> len(history.history["loss"])
            2
        """
        self._assert_compiled("fit")  # type: ignore[attr-defined]
        arguments.check_positive(
            "fit",
            batch_size=batch_size,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
        )
        arguments.check_count("fit", epochs=epochs, initial_epoch=initial_epoch)
        arguments.check_verbose("fit", verbose)
        arguments.check_shuffle(shuffle)
        arguments.validates_at(0, validation_freq)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = arguments.split_validation(
                (x, y, sample_weight), validation_split
            )
        adapter = get_data_adapter(
            x, y, sample_weight, batch_size, shuffle=shuffle or False, class_weight=class_weight
        )
        epochs = _limited(epochs, config.max_epochs())
        steps_per_epoch = _limited(steps_per_epoch, config.max_steps_per_epoch())
        feed = make_feed(adapter, steps_per_epoch)
        validation: Feed | None = None
        if validation_data is not None:
            val_x, val_y, val_weight = unpack_x_y_sample_weight(validation_data)
            size = validation_batch_size or batch_size
            validation = make_feed(
                get_data_adapter(val_x, val_y, val_weight, size),
                _limited(validation_steps, config.max_steps_per_epoch()),
            )
        self._prepare(adapter.first_batch, "train")  # type: ignore[attr-defined]
        callback_list = self._callback_list(  # type: ignore[attr-defined]
            callbacks, "fit", verbose, add_history=True, epochs=epochs, steps=feed.epoch_steps
        )
        self.stop_training = False
        self._put("_feed", feed)  # type: ignore[attr-defined]
        self._put("_callbacks", callback_list)  # type: ignore[attr-defined]
        try:
            return self._fit(
                feed, validation, callback_list, initial_epoch, epochs, validation_freq
            )
        finally:
            callback_list.leave()
            self._put("_feed", None)  # type: ignore[attr-defined]
            self._put("_callbacks", None)  # type: ignore[attr-defined]
            self._put("_resume", None)  # type: ignore[attr-defined]

    def _fit(
        self,
        feed: Feed,
        validation: Feed | None,
        callback_list: Any,
        first_epoch: int,
        epochs: int,
        validation_freq: int | list[int],
    ) -> Any:
        runner = StepRunner(self, "train")
        logs: dict[str, Any] = {}
        callback_list.on_train_begin()
        resume = self._resume
        if resume is not None:
            first_epoch = epochs if resume.is_stopped else resume.epoch
            resume.restore_history(self.history)
            resume.restore_callbacks(callback_list)
        for epoch in range(first_epoch, epochs):
            self.reset_metrics()  # type: ignore[attr-defined]
            if resume is not None and epoch == first_epoch:
                resume.restore_metrics(self)
            callback_list.on_epoch_begin(epoch)
            if validation is not None and epoch == first_epoch:
                # Before the first step, so that validation data that does not fit costs nothing.
                StepRunner(self, "test").check(validation)
            if run_epoch(self, feed, runner, callback_list, "train") == 0:
                warnings.warn(
                    f"The data has ended: training stops after {epoch - first_epoch} of "
                    f"{epochs - first_epoch} epochs. A generator gives one pass; use "
                    "steps_per_epoch with one that has no end.",
                    stacklevel=2,
                )
                break
            logs = runner.logs()
            if validation is not None and arguments.validates_at(epoch, validation_freq):
                results = self._run_evaluation(validation, callback_list)  # type: ignore[attr-defined]
                logs.update({f"val_{name}": value for name, value in results.items()})
            callback_list.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        self._finish_optimizer()
        callback_list.on_train_end(logs)
        return self.history

    def _finish_optimizer(self) -> None:
        finalize = getattr(self.optimizer, "finalize_variable_values", None)  # type: ignore[attr-defined]
        if finalize is not None:
            finalize(self.trainable_variables)  # type: ignore[attr-defined]


def _limited(value: Any, limit: int | None) -> Any:
    if limit is None:
        return value
    return limit if value is None else min(value, limit)
