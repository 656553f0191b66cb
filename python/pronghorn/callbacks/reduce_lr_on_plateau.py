"""ReduceLROnPlateau: lowers the learning rate when a metric gets no better."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from pronghorn.callbacks.callback import Logs
from pronghorn.callbacks.monitor import MonitorCallback
from pronghorn.utils.output import print_msg


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate with `factor` after `patience` epochs without improvement.

    Args:
        monitor: name of the metric in the logs.
        factor: what the learning rate is multiplied with, below 1.
        patience: epochs without improvement.
        verbose: 1 says when it changes.
        mode: "min", "max", or "auto", which goes by the metric.
        min_delta: how much a change must be to count as an improvement.
        cooldown: epochs after a change in which nothing is counted.
        min_lr: lowest learning rate.

    Raises:
        ValueError: a factor of 1 or more.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau: unexpected arguments. Received: {sorted(kwargs)}.")
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(
                f"ReduceLROnPlateau does not support a factor >= 1.0. Received factor={factor}"
            )
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self.cooldown_counter = 0
        self.wait = 0
        self.best = None

    def resume_state(self) -> dict[str, Any]:
        """What has been best so far, and how long ago."""
        return {"wait": self.wait, "cooldown_counter": self.cooldown_counter, "best": self.best}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Goes on from what was best."""
        for name, value in state.items():
            setattr(self, name, value)

    def in_cooldown(self) -> bool:
        """Whether the learning rate has been changed a short while ago."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs if logs is not None else {}
        logs["learning_rate"] = float(np.asarray(self.model.optimizer.learning_rate))
        self._set_direction()
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"ReduceLROnPlateau: the metric `{self.monitor}` is not available. "
                f"Available metrics are: {','.join(logs)}.",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._improves(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        old = float(np.float32(np.asarray(self.model.optimizer.learning_rate)))
        if old <= float(np.float32(self.min_lr)):
            return
        new = max(old * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = new
        if self.verbose > 0:
            print_msg(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0
