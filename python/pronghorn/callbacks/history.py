"""History: what `fit` returns."""

from __future__ import annotations

import weakref
from typing import Any

from pronghorn.callbacks.callback import Callback, Logs
from pronghorn.utils.curves import new_figure, save


class History(Callback):
    """Records the logs of each epoch; every `fit` adds one and returns it.

    `history` is a dict of names to lists with a value for each epoch in `epoch`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []
        self._epochs_of: dict[str, list[int]] = {}  # by name: not each epoch validates

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
        self._epochs_of = {}

    def plot(self, path: Any = None, metrics: Any = None) -> Any:
        """Draws the values over the epochs, those of the validation beside those of training.

        Args:
            path: file to save the picture in; `None` leaves it to `matplotlib.pyplot.show()`.
            metrics: names of what is drawn, without `val_`; by default the loss and all metrics.

        Returns:
            The figure, of matplotlib.

        Raises:
            ImportError: matplotlib is not installed.
            ValueError: there is nothing to draw, or a name is unknown.
        """
        known = [name for name in self.history if not name.startswith("val_")]
        names = known if metrics is None else [metrics] if isinstance(metrics, str) else metrics
        unknown = [name for name in names if name not in self.history]
        if unknown or not names:
            raise ValueError(
                f"History.plot: expected names among {known}. Received: metrics={metrics!r}."
            )
        figure, axes = new_figure("History.plot", len(names), 4.5, path)
        for ax, name in zip(axes, names):
            for label, key in (("training", name), ("validation", f"val_{name}")):
                values = self.history.get(key, [])
                known_epochs = self._epochs_of.get(key) or range(len(values))
                epochs = [epoch + 1 for epoch in known_epochs]
                if values:
                    marker = "o" if len(values) == 1 else None
                    ax.plot(epochs, values, label=label, marker=marker)
            ax.set(xlabel="epoch", title=name)
            ax.legend()
        save(figure, path)
        return figure

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._epochs_of.setdefault(name, []).append(epoch)
