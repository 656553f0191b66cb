"""The file of `BackupAndRestore`: all that a run has changed, and where it was."""

from __future__ import annotations

import json
import os
import zlib
from typing import Any

import numpy as np

from pronghorn.callbacks.callback import Callback
from pronghorn.saving.atomic_write import atomic_write
from pronghorn.saving.checked_hdf5 import open_hdf5
from pronghorn.saving.hdf5_arrays import new_hdf5, write_array

Arrays = dict[str, list[tuple[str, Any]]]

_GROUPS = ("metrics", "model", "optimizers", "generator")
_CALLBACKS = "callbacks"
_SEAL = b"crc32 "
_BLOCK = 2**20


def write_backup(path: str, previous: str | None, model: Any, point: dict[str, Any]) -> None:
    """Writes a backup, which replaces `path` when it is whole.

    Args:
        path: Path of the file.
        previous: Where the replaced file goes, or `None`.
        model: The model, in the middle of `fit`.
        point: Where the run is: JSON values.
    """
    from pronghorn.training.resume import state_variables

    kept: list[Any] = []
    point = {**point, "callbacks": _kept_by(model._callbacks, kept)}
    with atomic_write(path, previous) as beside:
        with new_hdf5(beside) as file:
            file.attrs["run"] = json.dumps(point, default=_plain)
            for group, variables in state_variables(model).items():
                target = file.create_group(group)
                for number, variable in enumerate(variables):
                    dataset = write_array(target, str(number), variable.value)
                    dataset.attrs["path"] = variable.path
            target = file.create_group(_CALLBACKS)
            for number, array in enumerate(kept):
                write_array(target, str(number), array).attrs["path"] = _CALLBACKS
        with open(beside, "rb+") as sealed:
            seal = _seal(sealed, os.path.getsize(beside))
            sealed.seek(0, os.SEEK_END)
            sealed.write(seal)


def _seal(file: Any, size: int) -> bytes:
    """Returns the checksum of a file's first bytes, which is appended to them."""
    checksum = 0
    file.seek(0)
    while size > 0 and (block := file.read(min(size, _BLOCK))):
        checksum = zlib.crc32(block, checksum)
        size -= len(block)
    return _SEAL + checksum.to_bytes(4, "little")


def _check_seal(path: str) -> None:
    """Raises `ValueError` where a byte of a backup has changed, or some are missing."""
    length = len(_SEAL) + 4
    with open(path, "rb") as file:
        size = max(os.fstat(file.fileno()).st_size - length, 0)
        expected = _seal(file, size)
        file.seek(size)
        if file.read() != expected:
            raise ValueError(f"'{path}' is damaged: its checksum is another one")


def _plain(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype == object:
        return str(value)
    return array.tolist()


def _kept_by(callbacks: Any, arrays: list[Any]) -> list[dict[str, Any]]:
    """Returns what each callback keeps; arrays go to `arrays`, and their numbers stay."""
    found = []
    for callback in callbacks:
        method = getattr(type(callback), "resume_state", Callback.resume_state)
        if method is Callback.resume_state:
            continue
        state = callback.resume_state()
        entry: dict[str, Any] = {"class": type(callback).__name__, "state": None, "arrays": {}}
        if state is not None:
            entry["state"] = {}
            for name, value in state.items():
                if isinstance(value, list) and value and hasattr(value[0], "shape"):
                    entry["arrays"][name] = [len(arrays), len(value)]
                    arrays += value
                else:
                    entry["state"][name] = value
        found.append(entry)
    return found


def _states(
    entries: list[dict[str, Any]], arrays: list[Any]
) -> list[tuple[str, dict[str, Any] | None]]:
    found = []
    for entry in entries:
        state = entry["state"]
        for name, (start, count) in entry["arrays"].items():
            state[name] = arrays[start : start + count]
        found.append((entry["class"], state))
    return found


def read_backup(path: str) -> tuple[dict[str, Any], Arrays]:
    """Returns where the run was, and its arrays with their paths.

    Raises:
        ValueError: If the file is damaged, or no backup.
        KeyError: The same.
    """
    _check_seal(path)
    arrays: Arrays = {}
    with open_hdf5(path, f"'{path}'") as file:
        point = json.loads(file.root.attrs["run"])
        for group in (*_GROUPS, _CALLBACKS):
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


def restore_run(model: Any, path: str, point: dict[str, Any], arrays: Arrays) -> None:
    """Sets the state of a model and its feed, and where `fit` goes on.

    Args:
        model: The model, in the middle of `fit`.
        path: Path of the backup, for errors.
        point: What `read_backup` returned.
        arrays: The same.

    Raises:
        ValueError: If it is the backup of another model, which is unchanged then.
    """
    from pronghorn.training.resume import ResumePoint, state_variables
    from pronghorn.training.runners import StepRunner

    # Metrics, and optimizers that a model's own step uses, have variables once it is traced.
    StepRunner(model, "train").make_variables(model._feed)
    variables = state_variables(model)
    for group in _GROUPS:
        stored = arrays[group]
        shapes = [tuple(v.shape) for v in variables[group]]
        found = [tuple(array.shape) for _, array in stored]
        if shapes != found:
            different = [i for i, (a, b) in enumerate(zip(shapes, found)) if a != b]
            at = different[0] if different else min(len(shapes), len(found))
            own = variables[group][at] if at < len(shapes) else None
            raise ValueError(
                f"BackupAndRestore: expected the backup of this model. Received: {path}, whose "
                f"variables of the {group} differ: "
                + (f"variable '{own.path}' of shape {shapes[at]}" if own is not None else "nothing")
                + " here, "
                + (f"'{stored[at][0]}' of shape {found[at]}" if at < len(found) else "nothing")
                + " there. Remove it to begin anew."
            )
    model._feed.go_to(point["place"], point["steps"])
    for group in _GROUPS:
        if group != "metrics":
            for variable, (_, array) in zip(variables[group], arrays[group]):
                variable.assign(array)
    model._put(
        "_resume",
        ResumePoint(
            epoch=point["epoch"],
            history=point["history"],
            epochs=point["epochs"],
            epochs_of=point["epochs_of"],
            metrics=[array for _, array in arrays["metrics"]] if point["steps"] else [],
            callbacks=_states(point["callbacks"], [array for _, array in arrays[_CALLBACKS]]),
            is_stopped=point["stopped"],
        ),
    )
