"""MonitorCallback: the base class of callbacks that watch one metric for improvement."""

from __future__ import annotations

import math
import warnings
from typing import Any

from pronghorn import ops
from pronghorn.callbacks.callback import Callback

_MAXIMIZED = (
    "acc",
    "auc",
    "precision",
    "recall",
    "f1",
    "fbeta",
    "iou",
    "top_k",
    "r2",
    "sensitivity",
)


class MonitorCallback(Callback):
    """Knows which direction of a metric is better, and what has been best so far.

    Args:
        monitor: name of the metric in the logs.
        mode: "min", "max" or "auto".
        best: value to start with, or `None`.
        min_delta: how much a change must be to count as an improvement.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        best: float | None = None,
        min_delta: float = 0,
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__} mode '{mode}' is unknown, fallback to auto mode.",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = best
        self.min_delta = abs(min_delta)
        self._sign: int | None = None
        self.monitor_op: Any = None

    def _set_direction(self) -> None:
        # With "auto" the compiled metrics are asked, which exist once training has begun.
        if self._sign is not None:
            return
        self._sign = 1 if self._direction() == "up" else -1
        self.monitor_op = ops.greater if self._sign == 1 else ops.less

    def _direction(self) -> str:
        if self.mode != "auto":
            return "up" if self.mode == "max" else "down"
        name = self.monitor.removeprefix("val_")
        found = self._direction_of_metric(name)
        if found is None and name == "loss":
            found = "down"
        if found is None and any(part in name for part in _MAXIMIZED):
            found = "up"
        if found is None:
            if self._is_known(name) or name.endswith("_loss") or "error" in name:
                found = "down"
            else:
                raise ValueError(
                    f"{type(self).__name__}: cannot tell whether '{self.monitor}' is to rise or "
                    f"to fall. "
                    f"Received: monitor='{self.monitor}', mode='auto'. Pass mode='min' or "
                    f"mode='max'."
                )
        return found

    def _direction_of_metric(self, name: str) -> str | None:
        for metric, label in self._named_metrics():
            if label == name:
                direction = getattr(metric, "_direction", None)
                if direction is not None:
                    return str(direction)
        return None

    def _is_known(self, name: str) -> bool:
        return any(label == name for _, label in self._named_metrics())

    def _named_metrics(self) -> list[tuple[Any, str]]:
        found: list[tuple[Any, str]] = []
        for metric in getattr(self.model, "metrics", []):
            names = getattr(metric, "names", None)
            if names is not None:
                found.extend(zip(metric.metrics, names, strict=True))
            else:
                found.append((metric, metric.name))
        return found

    def _improves(self, value: Any, reference: Any) -> bool:
        if reference is None:
            return True
        if math.isnan(float(reference)):
            return not math.isnan(float(value))
        self._set_direction()
        sign = self._sign or -1
        return bool(sign * (float(value) - float(reference)) > self.min_delta)
