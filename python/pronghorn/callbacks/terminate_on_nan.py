"""TerminateOnNaN: ends training when the loss is no number any more."""

from __future__ import annotations

import math

from pronghorn.callbacks.callback import Callback, Logs
from pronghorn.utils.output import print_msg


class TerminateOnNaN(Callback):
    """Stops training at the step whose loss is NaN or infinite, and names it.

    The loss is read after every step, which costs a small network time.

    Args:
        raise_error: whether a `RuntimeError` is raised, instead of ending the run in order.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error
        self._epoch = 0
        self._found = False

    def on_train_begin(self, logs: Logs = None) -> None:
        self._found = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(float(loss)):
            return
        self._found = True
        where = f"epoch {self._epoch + 1}, batch {batch}"
        if self.raise_error:
            raise RuntimeError(
                f"TerminateOnNaN: NaN or Inf loss encountered at {where}. Received: "
                f"loss={float(loss)}. "
                "Check the data for NaN, and try a smaller learning rate."
            )
        print_msg(f"Batch {batch}: Invalid loss ({float(loss)}), terminating training ({where})")
        self.model.stop_training = True
