"""UnitNormalization: scales each sample to length 1."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.layer import Layer

# Below this sum of squares a vector is not made longer.
_TINY = 1e-12


class UnitNormalization(Layer):
    """Scales vectors to Euclidean length 1: `y = x / sqrt(max(sum x^2, 1e-12))` over `axis`.

    Args:
        axis: Axis or axes of the vectors.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        Any.

    Output shape:
        Same as the input.

    Raises:
        TypeError: If `axis` is not an int or a list of ints.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.UnitNormalization()(np.array([[3.0, 4.0]])).numpy()
    array([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, (list, tuple)):
            self.axis: Any = list(axis)
        elif isinstance(axis, int):
            self.axis = axis
        else:
            raise TypeError(
                "UnitNormalization: Invalid value for `axis` argument: expected an int or a "
                f"list/tuple of ints. Received: axis={axis!r}."
            )
        self.supports_masking = True
        self._build_at_init()

    def call(self, inputs: Any) -> Any:
        """Returns the scaled input."""
        axes = tuple(self.axis) if isinstance(self.axis, list) else (self.axis,)
        total = ops.sum(ops.square(inputs), axis=axes, keepdims=True)
        return ops.multiply(inputs, ops.rsqrt(ops.maximum(total, _TINY)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`; raises for an axis out of range."""
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        rank = len(input_shape)
        if any(not -rank <= a < rank for a in axes):
            raise ValueError(
                f"UnitNormalization '{self.name}': axis {self.axis} is out of bounds for the "
                f"input. "
                f"Received: input_shape={tuple(input_shape)}."
            )
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "axis": self.axis}
