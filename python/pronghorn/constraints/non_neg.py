"""The constraint of weights that are not negative."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.constraints.constraint import Constraint


class NonNeg(Constraint):
    """Sets negative weights to zero.

    Example:

    >>> import pronghorn as keras
    >>> keras.constraints.NonNeg()(keras.ops.array([-1.0, 2.0])).numpy().tolist()
    [0.0, 2.0]
    """

    def __call__(self, w: Any) -> Any:
        return ops.relu(ops.convert_to_tensor(w))
