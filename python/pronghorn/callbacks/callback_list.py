"""CallbackList: calls the hooks of several callbacks in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pronghorn import tree
from pronghorn.callbacks.callback import Callback, Logs
from pronghorn.callbacks.history import History
from pronghorn.callbacks.progbar_logger import ProgbarLogger


class CallbackList(Callback):
    """A container of callbacks that is called like one.

    Args:
        callbacks: a callback, or a list of them.
        add_history: whether a `History` is added, and set as `model.history`.
        add_progbar: whether a `ProgbarLogger` is added.
        model: the model of the run.
        **params: what the callbacks find in `params`.

    Raises:
        ValueError: an entry that is no callback.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        found = tree.flatten(callbacks) if callbacks is not None else []
        self.callbacks: list[Any] = [callback for callback in found if callback is not None]
        for callback in self.callbacks:
            if isinstance(callback, type) or not hasattr(callback, "set_params"):
                raise ValueError(
                    f"CallbackList: expected instances of Callback. Received: {callback!r}."
                )
        self._history: Any = None
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        if add_history:
            histories = [c for c in self.callbacks if isinstance(c, History)]
            self._history = histories[0] if histories else History()
            if not histories:
                self.callbacks.append(self._history)
        self.set_params(params)
        if model is not None:
            self.set_model(model)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.callbacks)

    def append(self, callback: Callback) -> None:
        """Adds a callback."""
        self.callbacks.append(callback)

    def set_params(self, params: dict[str, Any]) -> None:
        """Hands `params` to all callbacks."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Hands the model to all callbacks."""
        super().set_model(model)
        if self._history is not None:
            object.__setattr__(model, "history", self._history)
        for callback in self.callbacks:
            callback.set_model(model)

    def has_batch_hooks(self, mode: str) -> bool:
        """Whether a callback wants to be called for each batch.

        Args:
            mode: "train", "test" or "predict".
        """
        names = [f"on_{mode}_batch_begin", f"on_{mode}_batch_end"]
        if mode == "train":
            names += ["on_batch_begin", "on_batch_end"]
        return any(_overrides(callback, name) for callback in self.callbacks for name in names)

    def on_progress(self, mode: str, batch: int, logs: Callable[[], dict[str, Any]]) -> None:
        """Called now and then where no callback wants every batch: the progress bars look at it.

        Args:
            mode: "train", "test" or "predict".
            batch: number of the batch that ran last.
            logs: gives the logs so far, when called.
        """
        for callback in self.callbacks:
            if isinstance(callback, ProgbarLogger) and callback.shows(mode):
                callback.on_slice(mode, batch, {} if mode == "predict" else logs())

    def leave(self) -> None:
        """Called when `fit` is left, also by an error: what belongs to the process is given up."""
        for callback in self.callbacks:
            give_up = getattr(callback, "_leave", None)
            if give_up is not None:
                give_up()

    def _each(self, hook: str, *args: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*args)

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._each("on_batch_begin", batch, logs or {})

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._each("on_batch_end", batch, logs or {})

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._each("on_epoch_begin", epoch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._each("on_epoch_end", epoch, logs or {})

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._each("on_train_batch_begin", batch, logs or {})

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._each("on_train_batch_end", batch, logs or {})

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._each("on_test_batch_begin", batch, logs or {})

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._each("on_test_batch_end", batch, logs or {})

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._each("on_predict_batch_begin", batch, logs or {})

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._each("on_predict_batch_end", batch, logs or {})

    def on_train_begin(self, logs: Logs = None) -> None:
        self._each("on_train_begin", logs or {})

    def on_train_end(self, logs: Logs = None) -> None:
        self._each("on_train_end", logs or {})

    def on_test_begin(self, logs: Logs = None) -> None:
        self._each("on_test_begin", logs or {})

    def on_test_end(self, logs: Logs = None) -> None:
        self._each("on_test_end", logs or {})

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._each("on_predict_begin", logs or {})

    def on_predict_end(self, logs: Logs = None) -> None:
        self._each("on_predict_end", logs or {})


def _overrides(callback: Any, name: str) -> bool:
    if isinstance(callback, ProgbarLogger) and type(callback) is ProgbarLogger:
        return False
    if isinstance(callback, CallbackList):
        return any(_overrides(inner, name) for inner in callback.callbacks)
    own = getattr(callback, "wants_batch_hook", None)
    if own is not None:
        return bool(own(name))
    method = getattr(callback, name, None)
    return getattr(method, "__func__", method) is not getattr(Callback, name)
