"""The penalties of absolute values and of squares."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.regularizers.regularizer import Regularizer, validate_float_arg


class L1(Regularizer):
    """Penalty `l1 * sum(abs(x))`.

    Args:
        l1: Factor, not negative.

    Raises:
        ValueError: If `l1` is not a finite, non-negative number.

    Example:

    >>> import pronghorn as keras
    >>> round(float(keras.regularizers.L1(0.1)(keras.ops.array([1.0, -2.0]))), 4)
    0.3
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = validate_float_arg(0.0 if l1 is None else l1, "l1")

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.sum(ops.absolute(x))

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(Regularizer):
    """Penalty `l2 * sum(square(x))`.

    Args:
        l2: Factor, not negative.

    Raises:
        ValueError: If `l2` is not a finite, non-negative number.

    Example:

    >>> import pronghorn as keras
    >>> round(float(keras.regularizers.L2(0.1)(keras.ops.array([1.0, -2.0]))), 4)
    0.5
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = validate_float_arg(0.0 if l2 is None else l2, "l2")

    def __call__(self, x: Any) -> Any:
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


class L1L2(Regularizer):
    """Penalty `l1 * sum(abs(x)) + l2 * sum(square(x))`.

    Args:
        l1: Factor of the absolute values, not negative.
        l2: Factor of the squares, not negative.

    Raises:
        ValueError: If a factor is not a finite, non-negative number.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = validate_float_arg(0.0 if l1 is None else l1, "l1")
        self.l2 = validate_float_arg(0.0 if l2 is None else l2, "l2")

    def __call__(self, x: Any) -> Any:
        penalty: Any = None
        if self.l1:
            penalty = self.l1 * ops.sum(ops.absolute(x))
        if self.l2:
            squares = self.l2 * ops.sum(ops.square(x))
            penalty = squares if penalty is None else penalty + squares
        return ops.convert_to_tensor(0.0) if penalty is None else penalty

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}
