"""BackupAndRestore: training that was interrupted goes on where it was."""

from __future__ import annotations

import json
import os
import warnings
from typing import Any

import numpy as np

from pronghorn.callbacks.callback import Callback, Logs

_FILE = "latest.backup.h5"
_PREVIOUS = "previous.backup.h5"


class BackupAndRestore(Callback):
    """Saves the state of training, and goes on from it when `fit` is called again.

    Saved are weights, the state of the optimizer and of stateful layers, random counters, the
    place in the shuffled data, the metrics of the epoch and the history: a run that was killed and
    started again with the same model and data ends with the same bits as one that was not. A file
    is written beside its name, synchronized to the disk and then renamed, so that a crash leaves
    the last one whole. Other callbacks begin anew. Put this one last in the list, so that it saves
    what the others do at the end of an epoch.

    A generator goes on from wherever it begins in the new process; batches of the interrupted epoch
    that have run (`save_freq` as a number) are drawn and passed over.

    Args:
        backup_dir: folder for the file, used for nothing else.
        save_freq: "epoch", or a number of batches after which it saves too.
        double_checkpoint: whether the file before the last is kept, to be used where the last one
            cannot be read.
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
        for name in (_FILE, _PREVIOUS):
            path = os.path.join(self.backup_dir, name)
            if not os.path.isfile(path):
                continue
            try:
                point, arrays = _read(path)
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
            _restore(self.model, path, point, arrays)
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
            return
        for name in (_FILE, _PREVIOUS):
            path = os.path.join(self.backup_dir, name)
            if os.path.isfile(path):
                os.remove(path)
        if os.path.isdir(self.backup_dir) and not os.listdir(self.backup_dir):
            os.rmdir(self.backup_dir)

    def _save(self, epoch: int, steps: int, logs: dict[int, dict[str, Any]]) -> None:
        from pronghorn.saving.atomic_write import atomic_write
        from pronghorn.saving.hdf5_arrays import new_hdf5, write_array
        from pronghorn.training.resume import state_variables

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
            "place": self.model._feed.place(),
            "history": values,
            "epochs": epochs,
            "epochs_of": epochs_of,
        }
        os.makedirs(self.backup_dir, exist_ok=True)
        path = os.path.join(self.backup_dir, _FILE)
        previous = os.path.join(self.backup_dir, _PREVIOUS) if self.double_checkpoint else None
        with atomic_write(path, previous) as beside, new_hdf5(beside) as file:
            file.attrs["run"] = json.dumps(point, default=_plain)
            for group, variables in state_variables(self.model).items():
                target = file.create_group(group)
                for number, variable in enumerate(variables):
                    dataset = write_array(target, str(number), variable.value)
                    dataset.attrs["path"] = variable.path


def _plain(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype == object:
        return str(value)
    return array.tolist()


def _read(path: str) -> tuple[dict[str, Any], dict[str, list[tuple[str, Any]]]]:
    from pronghorn.saving.checked_hdf5 import open_hdf5

    arrays: dict[str, list[tuple[str, Any]]] = {}
    with open_hdf5(path, f"'{path}'") as file:
        point = json.loads(file.root.attrs["run"])
        for group in ("metrics", "model", "optimizers", "generator"):
            stored = file.groups[group]
            arrays[group] = [
                # Read while the file is open.
                (
                    file.attributes[f"{group}/{n}"]["path"].decode("utf-8"),
                    np.asarray(stored[str(n)]),
                )
                for n in range(len(stored))
            ]
    return point, arrays


def _restore(
    model: Any, path: str, point: dict[str, Any], arrays: dict[str, list[tuple[str, Any]]]
) -> None:
    from pronghorn.training.resume import ResumePoint, state_variables
    from pronghorn.training.runners import StepRunner

    # Metrics, and optimizers that a model's own step uses, have variables once it is traced.
    StepRunner(model, "train").make_variables(model._feed)
    variables = state_variables(model)
    for group, stored in arrays.items():
        shapes = [tuple(v.shape) for v in variables[group]]
        found = [tuple(array.shape) for _, array in stored]
        if shapes != found:
            different = [i for i, (a, b) in enumerate(zip(shapes, found)) if a != b]
            at = different[0] if different else min(len(shapes), len(found))
            own = variables[group][at] if at < len(shapes) else None
            raise ValueError(
                f"BackupAndRestore: expected the backup of this model. Received: {path}, whose "
                f"{group} differ: "
                + (f"variable '{own.path}' of shape {shapes[at]}" if own is not None else "nothing")
                + " here, "
                + (f"'{stored[at][0]}' of shape {found[at]}" if at < len(found) else "nothing")
                + " there. Remove it to begin anew."
            )
    model._feed.go_to(point["place"], point["steps"])
    for group, stored in arrays.items():
        if group != "metrics":
            for variable, (_, array) in zip(variables[group], stored):
                variable.assign(array)
    model._put(
        "_resume",
        ResumePoint(
            epoch=point["epoch"],
            history=point["history"],
            epochs=point["epochs"],
            epochs_of=point["epochs_of"],
            metrics=[array for _, array in arrays["metrics"]] if point["steps"] else [],
        ),
    )
