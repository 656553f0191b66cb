"""ModelCheckpoint: saves the model, or its weights, while it is trained."""

from __future__ import annotations

import os
import warnings
from typing import Any

from pronghorn.callbacks.callback import Logs
from pronghorn.callbacks.monitor import MonitorCallback
from pronghorn.utils.output import print_msg


class ModelCheckpoint(MonitorCallback):
    """Saves after each epoch, or every so many batches.

    A file is written beside its name first and then moved there, so that a crash leaves the last
    one whole.

    Args:
        filepath: path; `{epoch}` and names of the logs in braces are filled in, as in
            `"{epoch:02d}-{val_loss:.2f}.keras"`. It ends with `.weights.h5` where
            `save_weights_only`, else with `.keras` or `.h5`.
        monitor: name of the metric in the logs.
        verbose: 1 says when it saves.
        save_best_only: whether it saves only when the metric is better than it has been.
        save_weights_only: whether weights are saved without the model.
        mode: "min", "max", or "auto", which goes by the metric.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: value that the metric must be better than, to begin with.

    Raises:
        ValueError: a path or `save_freq` that does not fit.
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: int | str = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, best=initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._batches = 0
        self._last_batch = 0
        self._epoch = 0
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int)):
            raise ValueError(
                f"Unrecognized save_freq: {save_freq}. Expected save_freq are 'epoch' or integer "
                f"values"
            )
        if save_weights_only and not self.filepath.endswith(".weights.h5"):
            raise ValueError(
                "When using `save_weights_only=True` in `ModelCheckpoint`, the filepath provided "
                "must end in "
                f"`.weights.h5` (Keras weights format). Received: filepath={self.filepath}"
            )
        if not save_weights_only and not self.filepath.endswith((".keras", ".h5")):
            raise ValueError(
                "The filepath provided must end in `.keras` (Keras model format). "
                f"Received: filepath={self.filepath}"
            )

    def wants_batch_hook(self, name: str) -> bool:
        """Whether it must be called for each batch."""
        return name in ("on_train_batch_end", "on_batch_end") and self.save_freq != "epoch"

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += batch + 1 - self._last_batch if batch >= self._last_batch else batch + 1
        self._last_batch = batch + 1
        if self._batches >= int(self.save_freq):
            self._batches = 0
            self._save(self._epoch, batch, logs or {})

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch
        self._last_batch = 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> None:
        path = self._path(epoch, batch, logs)
        if self.save_best_only:
            self._set_direction_if_known(logs)
            current = logs.get(self.monitor)
            if current is None:
                warnings.warn(
                    f"ModelCheckpoint: can tell the best model only by {self.monitor}, so this one "
                    f"is saved, best or not. Available metrics are: {','.join(logs)}.",
                    stacklevel=3,
                )
                self._write(path)
                return
            if not self._improves(current, self.best):
                if self.verbose > 0:
                    print_msg(
                        f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {self.best:.5f}"
                    )
                return
            if self.verbose > 0:
                was = "-inf" if self._sign == 1 else "inf"
                before = was if self.best is None else f"{self.best:.5f}"
                print_msg(
                    f"\nEpoch {epoch + 1}: {self.monitor} improved from {before} to {current:.5f}, "
                    f"saving model to {path}"
                )
            self.best = current
        elif self.verbose > 0:
            print_msg(f"\nEpoch {epoch + 1}: saving model to {path}")
        self._write(path)

    def _set_direction_if_known(self, logs: dict[str, Any]) -> None:
        if self.monitor in logs:
            self._set_direction()

    def _write(self, path: str) -> None:
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if os.path.isdir(path):
            raise OSError(
                f"Please specify a non-directory filepath for ModelCheckpoint. Filepath used is "
                f"an existing "
                f"directory: {path}"
            )
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        values = {**logs, "epoch": epoch + 1}
        if batch is not None:
            values["batch"] = batch + 1
        try:
            return str(self.filepath).format(**values)
        except KeyError as error:
            raise KeyError(
                f'Failed to format this callback filepath: "{self.filepath}". Reason: {error}'
            ) from None
