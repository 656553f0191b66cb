"""Constraints on the norm of weights along some axes."""

from __future__ import annotations

from typing import Any

from pronghorn import config, ops
from pronghorn.constraints.constraint import Constraint


def _norm(w: Any, axis: Any) -> Any:
    axes = tuple(axis) if isinstance(axis, list) else axis
    return ops.sqrt(ops.sum(ops.square(w), axis=axes, keepdims=True))


class MaxNorm(Constraint):
    """Limits the Euclidean norm of the weights of each unit.

    Args:
        max_value: Largest norm.
        axis: Axis or axes along which norms are taken. 0 for a `(inputs, units)` matrix,
            `[0, 1, 2]` for a `(height, width, channels, filters)` kernel.

    Example:

    >>> import pronghorn as keras
    >>> keras.constraints.MaxNorm(1.0)(keras.ops.array([[3.0], [4.0]])).numpy().ravel().round(3)
    array([0.6, 0.8], dtype=float32)
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        norm = _norm(w, self.axis)
        limited = ops.minimum(norm, self.max_value)
        return w * (limited / (norm + config.epsilon()))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class UnitNorm(Constraint):
    """Scales the weights of each unit to Euclidean norm 1.

    Args:
        axis: Axis or axes along which norms are taken.
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        return w / (_norm(w, self.axis) + config.epsilon())

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Keeps the Euclidean norm of the weights of each unit between two limits.

    Args:
        min_value: Smallest norm.
        max_value: Largest norm.
        rate: Part of the way to the limit that an update goes: 1 enforces the limits strictly.
        axis: Axis or axes along which norms are taken.
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        norm = _norm(w, self.axis)
        limited = ops.minimum(ops.maximum(norm, self.min_value), self.max_value)
        wanted = self.rate * limited + (1.0 - self.rate) * norm
        return w * (wanted / (norm + config.epsilon()))

    def get_config(self) -> dict[str, Any]:
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }
