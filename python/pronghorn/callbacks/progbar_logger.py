"""ProgbarLogger: the progress line of `fit`, `evaluate` and `predict`."""

from __future__ import annotations

from typing import Any

from pronghorn.callbacks.callback import Callback, Logs
from pronghorn.utils.output import is_terminal, print_msg
from pronghorn.utils.progbar import Progbar


def resolve_verbose(verbose: int | str, mode: str, steps: int | None) -> int:
    """0, 1 or 2 for the argument `verbose`.

    "auto" is a progress bar on a terminal and one line an epoch elsewhere; `predict` has nothing to
    say in a line, and nothing for a single batch.
    """
    if verbose != "auto":
        return int(verbose)
    if mode == "predict":
        return 1 if is_terminal() and steps != 1 else 0
    return 1 if is_terminal() else 2


class ProgbarLogger(Callback):
    """Shows the progress of a run on standard output, at most ten times a second.

    On a terminal that is a line that is rewritten; elsewhere one line an epoch. Metrics are shown
    as they are: they are means over the epoch already.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose: int | bool = 1
        self.epochs = 1
        self._mode: str | None = None

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        self.verbose = params.get("verbose", 1)
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def shows(self, mode: str) -> bool:
        """Whether there is a bar to move within an epoch of this mode."""
        return self._mode == mode and self.progbar is not None and self.progbar.is_dynamic

    def _start(self, mode: str) -> None:
        self._mode = mode
        self.seen = 0
        self.progbar = Progbar(
            target=self.target, verbose=int(self.verbose), stateless_metrics=[], unit_name="step"
        )

    def on_train_begin(self, logs: Logs = None) -> None:
        self._mode = "train"

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._start("train")
        if self.epochs <= 1:
            return
        if self.verbose == 1:
            print_msg(f"Epoch {epoch + 1}/{self.epochs}")
        elif self.progbar is not None:
            self.progbar.prefix = f"Epoch {epoch + 1}/{self.epochs} - "

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.on_slice("train", batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._finish(logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        # The validation of fit is shown with the epoch that it belongs to.
        if self._mode != "train":
            self._start("test")

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.on_slice("test", batch, logs or {})

    def on_test_end(self, logs: Logs = None) -> None:
        if self._mode == "test":
            self._finish(logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._start("predict")

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.on_slice("predict", batch, {})

    def on_predict_end(self, logs: Logs = None) -> None:
        self._finish(logs)

    def on_slice(self, mode: str, batch: int, logs: dict[str, Any]) -> None:
        """Moves the bar after batch number `batch` (from 0)."""
        if self._mode != mode or self.progbar is None:
            return
        self.seen = batch + 1
        # Off a terminal one line an epoch is enough.
        if self.progbar.is_dynamic:
            self.progbar.update(self.seen, list(logs.items()), finalize=False)

    def _finish(self, logs: Logs) -> None:
        if self.progbar is None:
            return
        if self.target is None:
            self.target = self.progbar.target = self.seen or None
        self.progbar.update(self.target or self.seen, list((logs or {}).items()), finalize=True)
