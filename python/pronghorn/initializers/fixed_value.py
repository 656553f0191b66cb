"""The initializer that stands for an array given in place of an initializer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pronghorn import ops
from pronghorn.tensor import Tensor


def is_array(value: Any) -> bool:
    """Returns whether `value` is an array or a tensor with data."""
    return isinstance(value, (np.ndarray, Tensor))


class FixedValue:
    """Callable of `(shape, dtype)` that returns one array, whose shape must be the asked one.

    Args:
        value: The array.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if tuple(self.value.shape) != tuple(shape):
            raise ValueError(
                f"Expected `shape` to be {tuple(self.value.shape)} for direct tensor as "
                f"initializer. Received shape={tuple(shape)}"
            )
        return ops.convert_to_tensor(self.value, dtype=dtype)
