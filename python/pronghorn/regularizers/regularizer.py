"""The base class of regularizers."""

from __future__ import annotations

import math
from typing import Any


class Regularizer:
    """Base class of regularizers: a scalar function of a weight or output, added to the loss.

    Subclasses override `__call__` and `get_config`.

    Example:

    >>> import pronghorn as keras
    >>> class SumOfSquares(keras.regularizers.Regularizer):
    ...     def __call__(self, x):
    ...         return keras.ops.sum(keras.ops.square(x))
    """

    def __call__(self, x: Any) -> Any:
        """Returns the penalty of the tensor `x`, a scalar. The base class returns 0."""
        return 0.0

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """Returns a regularizer made with the arguments in `config`."""
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor as a dict.

        Raises:
            NotImplementedError: If the subclass does not override it.
        """
        raise NotImplementedError(f"{self} does not implement get_config()")


def validate_float_arg(value: Any, name: str) -> float:
    """Returns `value` as a float; raises ValueError unless it is finite and not negative."""
    if not isinstance(value, (float, int)) or not math.isfinite(value) or value < 0:
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float. "
            f"Received: {name}={value}"
        )
    return float(value)
