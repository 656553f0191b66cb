"""BackupAndRestore: training that was interrupted goes on where it was."""

from __future__ import annotations

import os
import warnings
from typing import Any

from pronghorn.callbacks.backup_file import read_backup, restore_run, write_backup
from pronghorn.callbacks.callback import Callback, Logs
from pronghorn.callbacks.folder_lock import is_owner, lock_folder, unlock_folder

_FILE = "latest.backup.h5"
_PREVIOUS = "previous.backup.h5"


class BackupAndRestore(Callback):
    """Saves the state of training, and goes on from it when `fit` is called again.

    Saved are weights, the state of the optimizer and of stateful layers, random counters, the
    place in the shuffled data, the metrics of the epoch and the history: a run that was killed and
    started again with the same model and data ends with the same bits as one that was not. A file
    is written beside its name, synchronized to the disk and then renamed, so that a crash leaves
    the last one whole. Put this one last in the list, so that it saves what the others do at the
    end of an epoch: `EarlyStopping`, `ReduceLROnPlateau`, `LearningRateScheduler`,
    `ModelCheckpoint`, `SwapEMAWeights` and `CSVLogger` go on where they were, and so do callbacks
    of your own that define `resume_state` and `restore_state`.

    One run at a time uses a folder: a second process that is started with it gets an error.

    A `PyDataset` is told of the epochs that have run (`on_epoch_begin`, `on_epoch_end`), so that
    one that changes with them goes on. A generator goes on from wherever it begins in the new
    process. Batches of the interrupted epoch that have run (`save_freq` as a number) are made again
    and passed over.

    Args:
        backup_dir: folder for the file, used for nothing else.
        save_freq: "epoch", or a number of batches after which it saves too.
        double_checkpoint: whether the file before the last is kept, to be used where the last one
            is damaged, which a checksum tells.
        delete_checkpoint: whether the files are removed when training has ended in order.

    Raises:
        ValueError: an argument out of range; or, when `fit` begins, a backup of another model or
            other data.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> import pronghorn as keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("adam", "mean_squared_error")
    >>> x = np.ones((8, 2), "float32")
    >>> callback = keras.callbacks.BackupAndRestore(tempfile.mkdtemp(), delete_checkpoint=False)
    >>> _ = model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[callback])
    >>> len(model.fit(x, x[:, :1], epochs=3, verbose=0, callbacks=[callback]).epoch)
    3
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: int | str = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ValueError(
                f"BackupAndRestore: empty `backup_dir`. Received: backup_dir={backup_dir!r}."
            )
        is_number = isinstance(save_freq, int) and not isinstance(save_freq, bool)
        if save_freq != "epoch" and not (is_number and int(save_freq) > 0):
            raise ValueError(
                "BackupAndRestore: save_freq must be 'epoch' or a positive number of batches. "
                f"Received: save_freq={save_freq!r}."
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._epoch = 0
        self._steps = 0
        self._saved_at = 0

    def wants_batch_hook(self, name: str) -> bool:
        """Whether it must be called for each batch."""
        return name == "on_train_batch_end" and self.save_freq != "epoch"

    def on_train_begin(self, logs: Logs = None) -> None:
        if self.model._feed is None:
            raise RuntimeError(
                "BackupAndRestore: it knows where fit() is in its data, so it works inside of "
                "fit() only. In a loop of your own save the model with `model.save`."
            )
        if os.path.exists(self.backup_dir) and not os.path.isdir(self.backup_dir):
            raise NotADirectoryError(
                "BackupAndRestore: backup_dir must be a folder, which may be missing. Received: "
                f"backup_dir={self.backup_dir}, a file."
            )
        os.makedirs(self.backup_dir, exist_ok=True)
        lock_folder(self.backup_dir, self)
        for name in (_FILE, _PREVIOUS):
            path = os.path.join(self.backup_dir, name)
            if not os.path.isfile(path):
                continue
            try:
                point, arrays = read_backup(path)
            except (OSError, KeyError, ValueError) as error:
                if name == _FILE and os.path.isfile(os.path.join(self.backup_dir, _PREVIOUS)):
                    warnings.warn(
                        f"BackupAndRestore: {path} cannot be read ({error}); using {_PREVIOUS}.",
                        stacklevel=2,
                    )
                    continue
                raise ValueError(
                    f"BackupAndRestore: expected a backup that can be read. Received: {path} "
                    f"({error}). Remove it to begin anew."
                ) from error
            restore_run(self.model, path, point, arrays)
            return

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch
        self._saved_at = self.model._feed.steps_done

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        steps = batch + 1
        if self.save_freq != "epoch" and steps - self._saved_at >= int(self.save_freq):
            self._saved_at = steps
            self._save(self._epoch, steps, {})

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._save(epoch + 1, 0, {epoch: logs or {}})

    def on_train_end(self, logs: Logs = None) -> None:
        if not self.delete_checkpoint:
            unlock_folder(self.backup_dir, self)
            return
        for name in (_FILE, _PREVIOUS):
            path = os.path.join(self.backup_dir, name)
            if os.path.isfile(path):
                os.remove(path)
        unlock_folder(self.backup_dir, self)
        if os.path.isdir(self.backup_dir) and not os.listdir(self.backup_dir):
            os.rmdir(self.backup_dir)

    def _leave(self) -> None:
        unlock_folder(self.backup_dir, self)

    def _save(self, epoch: int, steps: int, logs: dict[int, dict[str, Any]]) -> None:
        if not is_owner(self.backup_dir, self):
            raise RuntimeError(
                "BackupAndRestore: expected a folder that no other run uses. Received: "
                f"backup_dir={self.backup_dir!r}, which a later call of fit has taken over."
            )
        history = self.model.history
        values = {name: list(column) for name, column in history.history.items()}
        epochs = list(history.epoch)
        epochs_of = {name: list(column) for name, column in history._epochs_of.items()}
        for number, entries in logs.items():
            # The history is told of the epoch after this callback.
            if number not in epochs:
                epochs.append(number)
                for name, value in entries.items():
                    values.setdefault(name, []).append(value)
                    epochs_of.setdefault(name, []).append(number)
        point = {
            "epoch": epoch,
            "steps": steps,
            "stopped": bool(self.model.stop_training),
            "place": self.model._feed.place(),
            "history": values,
            "epochs": epochs,
            "epochs_of": epochs_of,
        }
        os.makedirs(self.backup_dir, exist_ok=True)
        path = os.path.join(self.backup_dir, _FILE)
        previous = os.path.join(self.backup_dir, _PREVIOUS) if self.double_checkpoint else None
        write_backup(path, previous, self.model, point)
