"""History: what `fit` returns."""

from __future__ import annotations

import weakref
from typing import Any

from pronghorn.callbacks.callback import Callback, Logs


class History(Callback):
    """Records the logs of each epoch; every `fit` adds one and returns it.

    `history` is a dict of names to lists with a value for each epoch in `epoch`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def set_model(self, model: Any) -> None:
        # The model holds its history, so the history must not hold the model.
        self._model = weakref.ref(model)

    @property
    def model(self) -> Any:
        """The model of the run, while it exists."""
        return self._model() if self._model is not None else None

    def __getstate__(self) -> dict[str, Any]:
        # A copy belongs to a copy of the model, if to any.
        return {**self.__dict__, "_model": None}

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epoch = []
        self.history = {}

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
