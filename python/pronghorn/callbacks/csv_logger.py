"""CSVLogger: writes the logs of each epoch to a file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from typing import IO, Any

import numpy as np

from pronghorn.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Writes a line of values for each epoch, which is in the file before the next one begins.

    A run that `BackupAndRestore` goes on with goes on with its file: lines of epochs that run again
    are replaced.

    Args:
        filename: path of the file.
        separator: character between two values.
        append: whether an existing file is added to.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self.append_header = True
        self.csv_file: IO[str] | None = None
        self._writer: Any = None
        self._begins_at = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self.append_header = True
        if self.append and os.path.exists(self.filename):
            with open(self.filename, encoding="utf-8") as file:
                self.append_header = not file.readline().strip()
        # An old file is kept until there is a line, which a run that is resumed adds to it.
        self.csv_file = open(  # noqa: SIM115  (closed in on_train_end)
            self.filename, "a", encoding="utf-8", newline=""
        )
        self._writer = None
        self.keys = None
        self._begins_at = self.csv_file.tell() if self.append else 0

    def resume_state(self) -> dict[str, Any] | None:
        """Where the file ends, and its columns."""
        if self.csv_file is None or self.keys is None:
            return None
        size = self._begins_at if self._writer is None else self.csv_file.tell()
        return {"size": size, "keys": self.keys}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Goes on behind the lines of the epochs that are done."""
        if os.path.getsize(self.filename) >= state["size"]:
            self._begins_at = state["size"]
            self.keys = state["keys"]
            self.append_header = False

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        if self.csv_file is None:
            return
        if self.keys is None:
            self.keys = sorted(logs)
            # An epoch without validation must not lose the columns of the others.
            names = [name for name in self.keys if not name.startswith("val_")]
            if len(names) == len(self.keys):
                self.keys += [f"val_{name}" for name in names]
        if self._writer is None:
            self.csv_file.truncate(self._begins_at)
            self._writer = csv.DictWriter(
                self.csv_file, ["epoch", *self.keys], delimiter=self.sep, extrasaction="ignore"
            )
            if self.append_header:
                self._writer.writeheader()
        row = {name: _text(logs.get(name, "NA")) for name in self.keys}
        self._writer.writerow({"epoch": epoch, **row})
        self.csv_file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        if self.csv_file is not None and self._writer is None and not self.append:
            self.csv_file.truncate(self._begins_at)
        self._leave()

    def _leave(self) -> None:
        if self.csv_file is not None:
            self.csv_file.close()
        self.csv_file = None
        self._writer = None


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, Iterable) and not (isinstance(value, np.ndarray) and value.ndim == 0):
        return f'"[{", ".join(map(str, value))}]"'
    return value
