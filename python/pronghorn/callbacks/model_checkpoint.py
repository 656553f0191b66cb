"""ModelCheckpoint: saves the model, or its weights, while it is trained."""

from __future__ import annotations

import math
import os
import warnings
from typing import Any

from pronghorn.callbacks import checkpoint_path
from pronghorn.callbacks.callback import Logs
from pronghorn.callbacks.monitor import MonitorCallback
from pronghorn.saving.file_notes import noted
from pronghorn.saving.public_names import is_own
from pronghorn.training.runners import StepRunner
from pronghorn.utils.output import print_msg


class ModelCheckpoint(MonitorCallback):
    """Saves after each epoch, or every so many batches.

    A file is written beside its name first and then moved there, so that a crash or a full disk
    leaves the last one whole.

    With `save_best_only` each file carries the value that it was saved for. A run that begins anew
    with the same `filepath`, in another process too, looks for the best value in the files of that
    pattern, and does not replace a better file by a worse one; remove them to begin from nothing.

    Args:
        filepath: path; `{epoch}`, with a number as `save_freq` also `{batch}`, both from 1, and
            names of the logs in braces are filled in, as in `"{epoch:02d}-{val_loss:.2f}.keras"`.
            It ends with `.weights.h5` where `save_weights_only`, else with `.keras` or `.h5`.
            Folders that are missing are made.
        monitor: name of the metric in the logs.
        verbose: 1 says when it saves.
        save_best_only: whether it saves only when the metric is better than it has been.
        save_weights_only: whether weights are saved without the model.
        mode: "min", "max", or "auto", which goes by the metric.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: value that the metric must be better than, to begin with; files
            of earlier runs are not looked at then.

    Raises:
        ValueError: a path or `save_freq` that does not fit; when training begins, a name in braces
            that the logs will not have.
        OSError: a file cannot be written; training ends, and may be continued with `fit`.
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
        self._looks_back = initial_value_threshold is None
        self._found_mode: str | None = None  # of the best value, where a file told it
        self._resumed_batch = 0
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int)):
            raise ValueError(
                f"Unrecognized save_freq: {save_freq}. Expected save_freq are 'epoch' or integer "
                f"values"
            )
        if save_freq != "epoch" and int(save_freq) < 1:
            raise ValueError(
                f"ModelCheckpoint: save_freq must be positive. Received: save_freq={save_freq}."
            )
        if save_weights_only and not self.filepath.endswith(".weights.h5"):
            raise ValueError(
                "When using `save_weights_only=True` in `ModelCheckpoint`, the filepath provided "
                "must end in "
                f"`.weights.h5` (Keras weights format). Received: filepath={self.filepath}"
            )
        is_model = self.filepath.endswith((".keras", ".h5"))
        if not save_weights_only and (not is_model or self.filepath.endswith(".weights.h5")):
            raise ValueError(
                "The filepath provided must end in `.keras` (Keras model format), or in "
                "`.weights.h5` with `save_weights_only=True`. "
                f"Received: filepath={self.filepath}"
            )

        checkpoint_path.check(self.filepath, has_batch=save_freq != "epoch")

    def on_train_begin(self, logs: Logs = None) -> None:
        self._check_names()
        if self.save_best_only and self._looks_back and self.best is None:
            found = checkpoint_path.best_of_earlier_files(self.filepath, self.monitor, self.mode)
            if found is not None:
                self.best, self._found_mode, path = found
                if self.verbose > 0:
                    print_msg(f"\nModelCheckpoint: {self.monitor} was {self.best:.5f} in {path}")

    def resume_state(self) -> dict[str, Any]:
        """What has been best so far, and the batches since the last file."""
        return {"best": self.best, "batches": self._batches, "last_batch": self._last_batch}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Goes on from what was best."""
        self.best, self._found_mode = state["best"], None
        self._batches = state["batches"]
        self._resumed_batch = state["last_batch"]

    def _check_names(self) -> None:
        """Raises where the logs will not have a name in the path, as far as can be told."""
        names = checkpoint_path.names_in(self.filepath)
        names -= {"epoch", "batch", "loss", "val_loss", "learning_rate"}
        model = self.model
        feed = getattr(model, "_feed", None)
        own = all(is_own(type(c)) for c in getattr(model, "_callbacks", None) or ())
        steps = (type(model).train_step, type(model).test_step)
        if not names or feed is None or model.run_eagerly or not own or not all(map(is_own, steps)):
            return
        StepRunner(model, "train").make_variables(feed)
        known = set(model._metric_logs())
        for name in sorted(names):
            if name.removeprefix("val_") not in known:
                raise ValueError(
                    f"ModelCheckpoint: expected names of the logs in the path: epoch, "
                    f"{', '.join(sorted(known))}, or with val_ before them. Received: '{{{name}}}' "
                    f"in filepath={self.filepath}."
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
        self._last_batch, self._resumed_batch = self._resumed_batch, 0

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
                self._write(path, None)
                return
            if not self._improves(current, self.best):
                if self.verbose > 0:
                    print_msg(
                        f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {self.best:.5f}"
                    )
                return
            if self.verbose > 0:
                was = "-inf" if self._sign == 1 else "inf"
                was = was if self.best is None else f"{self.best:.5f}"
                print_msg(
                    f"\nEpoch {epoch + 1}: {self.monitor} improved from {was} to {current:.5f}, "
                    f"saving model to {path}"
                )
            before, self.best = self.best, current
            try:
                self._write(path, self._note())
            except BaseException:
                self.best = before
                raise
            return
        if self.verbose > 0:
            print_msg(f"\nEpoch {epoch + 1}: saving model to {path}")
        self._write(path, None)

    def _set_direction_if_known(self, logs: dict[str, Any]) -> None:
        if self.monitor not in logs:
            return
        self._set_direction()
        if self._found_mode is not None and self._found_mode != self._own_mode():
            self.best = None  # a file's value was one to go the other way
        self._found_mode = None

    def _own_mode(self) -> str:
        return "max" if self._sign == 1 else "min"

    def _note(self) -> dict[str, Any] | None:
        if not self.save_best_only or self.best is None or not math.isfinite(float(self.best)):
            return None
        return {"monitor": self.monitor, "mode": self._own_mode(), "value": float(self.best)}

    def _write(self, path: str, note: dict[str, Any] | None) -> None:
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if os.path.isdir(path):
            raise OSError(
                f"Please specify a non-directory filepath for ModelCheckpoint. Filepath used is "
                f"an existing "
                f"directory: {path}"
            )
        with noted(note):
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
