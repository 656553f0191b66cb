"""Callback: the base class of what `fit`, `evaluate` and `predict` call at their stages."""

from __future__ import annotations

from typing import Any

Logs = dict[str, Any] | None


class Callback:
    """Called by a model at the stages of a run; a subclass overrides the hooks it needs.

    A hook of a batch that is overridden brings Python in between two steps, and the metrics are
    then read after each; hooks of epochs cost nothing per step.

    `params` is a dict with `verbose`, `epochs` and `steps`; `model` is the model of the run.

    Example:
        >>> import pronghorn as keras
        >>> class Losses(keras.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         self.last = logs["loss"]
    """

    params: dict[str, Any] | None
    _model: Any

    def __init__(self) -> None:
        self.params = None
        self._model = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Takes `verbose`, `epochs` and `steps` of the run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Takes the model of the run."""
        self._model = model

    @property
    def model(self) -> Any:
        """The model of the run."""
        return self._model

    def resume_state(self) -> dict[str, Any] | None:
        """What `BackupAndRestore` keeps of the callback, for a run that is interrupted.

        Returns:
            A dict of JSON values and of lists of arrays, or `None` where there is nothing to keep.
        """
        return None

    def restore_state(self, state: dict[str, Any]) -> None:
        """Takes what `resume_state` returned, when a run goes on; after `on_train_begin`.

        Args:
            state: the dict.
        """

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called by `on_train_batch_begin`, which see."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called by `on_train_batch_end`, which see."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Called before an epoch of training.

        Args:
            epoch: number of the epoch, from 0.
            logs: empty.
        """

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called after an epoch of training and its validation.

        Args:
            epoch: number of the epoch, from 0.
            logs: loss and metrics of the epoch; those of the validation begin with `val_`.
        """

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before a step of training.

        Args:
            batch: number of the batch in the epoch, from 0.
            logs: empty.
        """
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after a step of training.

        Args:
            batch: number of the batch in the epoch, from 0.
            logs: loss and metrics of the epoch so far.
        """
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before a step of an evaluation, that of `fit` included.

        Args:
            batch: number of the batch, from 0.
            logs: empty.
        """

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after a step of an evaluation.

        Args:
            batch: number of the batch, from 0.
            logs: loss and metrics so far.
        """

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before a step of a prediction.

        Args:
            batch: number of the batch, from 0.
            logs: empty.
        """

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after a step of a prediction.

        Args:
            batch: number of the batch, from 0.
            logs: the outputs of the batch, under "outputs".
        """

    def on_train_begin(self, logs: Logs = None) -> None:
        """Called at the beginning of training."""

    def on_train_end(self, logs: Logs = None) -> None:
        """Called at the end of training, with the logs of the last epoch."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """Called at the beginning of an evaluation."""

    def on_test_end(self, logs: Logs = None) -> None:
        """Called at the end of an evaluation, with its logs."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Called at the beginning of a prediction."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """Called at the end of a prediction."""
