"""SwapEMAWeights: evaluates, predicts or saves with the moving average of the weights."""

from __future__ import annotations

from typing import Any

from pronghorn.callbacks.callback import Callback, Logs
from pronghorn.tensor import convert_to_tensor


class SwapEMAWeights(Callback):
    """Puts the averages that the optimizer keeps into the model while it is evaluated.

    The weights themselves are put back afterwards, and training goes on with them. The optimizer
    must be made with `use_ema=True`.

    Args:
        swap_on_epoch: whether the averages are also in the model from the end of an epoch to the
            beginning of the next one, for callbacks that come later in the list, such as
            `ModelCheckpoint`.

    Raises:
        ValueError: when a run begins, an optimizer without averages.

    Example:

    >>> import pronghorn as keras
    >>> optimizer = keras.optimizers.SGD(use_ema=True, ema_momentum=0.9)
    >>> callbacks = [keras.callbacks.SwapEMAWeights()]
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._kept: list[tuple[Any, Any]] | None = None  # variables and their values

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        optimizer = self._optimizer()
        if not getattr(optimizer, "use_ema", False):
            raise ValueError(
                "SwapEMAWeights must be used when `use_ema=True` is set on the optimizer. "
                f"Received: use_ema={getattr(optimizer, 'use_ema', False)} of "
                f"optimizer={optimizer!r}."
            )

    def _optimizer(self) -> Any:
        optimizer = self.model.optimizer
        return getattr(optimizer, "inner_optimizer", optimizer)

    def _swap_in(self) -> None:
        optimizer = self._optimizer()
        # Before the first step there is no average yet.
        if self._kept is not None or not optimizer.built or int(optimizer._iterations) == 0:
            return
        pairs = optimizer._averaged()
        self._kept = [(variable, variable.value) for variable, _ in pairs]
        for variable, average in pairs:
            variable.assign(average.value)

    def _swap_back(self) -> None:
        for variable, value in self._kept or []:
            variable.assign(value)
        self._kept = None

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch:
            self._swap_back()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch:
            self._swap_in()

    def resume_state(self) -> dict[str, Any] | None:
        """The weights that stand aside while the averages are in their place."""
        return None if self._kept is None else {"kept": [value for _, value in self._kept]}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Sets the weights aside again."""
        variables = [variable for variable, _ in self._optimizer()._averaged()]
        self._kept = [(v, convert_to_tensor(a, v.dtype)) for v, a in zip(variables, state["kept"])]

    def on_train_end(self, logs: Logs = None) -> None:
        # fit has set the weights to their averages.
        self._kept = None

    def on_test_begin(self, logs: Logs = None) -> None:
        self._swap_in()

    def on_test_end(self, logs: Logs = None) -> None:
        self._swap_back()

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._swap_in()

    def on_predict_end(self, logs: Logs = None) -> None:
        self._swap_back()
