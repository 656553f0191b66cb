"""LearningRateScheduler: sets the learning rate by a function of the epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from pronghorn.callbacks.callback import Callback, Logs
from pronghorn.utils.output import print_msg


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch.

    Args:
        schedule: function of the epoch (from 0) and the current learning rate, or of the epoch
            alone.
        verbose: 1 says what it is set to.

    Example:
        >>> import pronghorn as keras
        >>> callback = keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr * 0.9)
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose
        # The epoch whose rate was set last, and the rate before it.
        self._last: tuple[int, float] | None = None
        self._resumed: tuple[int, float] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._last = self._resumed = None

    def resume_state(self) -> dict[str, Any] | None:
        """The rate before this epoch, from which that of a resumed epoch is computed."""
        return None if self._last is None else {"epoch": self._last[0], "before": self._last[1]}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Takes the rate before the epoch that goes on."""
        self._resumed = (int(state["epoch"]), float(state["before"]))

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        optimizer = self.model.optimizer
        if not hasattr(optimizer, "learning_rate"):
            raise ValueError('Optimizer must have a "learning_rate" attribute.')
        current = float(np.float32(np.asarray(optimizer.learning_rate)))
        if self._resumed is not None and self._resumed[0] == epoch:
            current = self._resumed[1]
        self._last, self._resumed = (epoch, current), None
        value = self.schedule(epoch, current) if self._takes_rate() else self.schedule(epoch)
        if not isinstance(value, (float, np.floating)):
            raise ValueError(
                "The output of the `schedule` function should be a float. Received: "
                f"schedule({epoch})={value!r}."
            )
        optimizer.learning_rate = value
        if self.verbose > 0:
            print_msg(
                f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {value}."
            )

    def _takes_rate(self) -> bool:
        try:
            inspect.signature(self.schedule).bind(0, 0.0)
        except TypeError:
            return False
        return True

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(
                np.float32(np.asarray(self.model.optimizer.learning_rate))
            )
