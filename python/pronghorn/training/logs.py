"""Logs: what callbacks and the history see of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn.tensor import Tensor


def as_logs(values: dict[str, Any]) -> dict[str, Any]:
    """Python numbers by name, sorted by it."""
    return {name: to_number(value) for name, value in sorted(values.items())}


def to_number(value: Any) -> Any:
    """A Python number for a scalar, nested the same way; arrays stay arrays."""
    if isinstance(value, dict):
        return {key: to_number(leaf) for key, leaf in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_number(leaf) for leaf in value]
    if isinstance(value, Tensor) or hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.size != 1:
            return array
        # One element of any rank prints as a number, as in Keras.
        return array.reshape(()).item()
    return value
