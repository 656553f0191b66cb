"""Masking: marks time steps to be skipped."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.layer import Layer


class Masking(Layer):
    """Masks the time steps whose features all equal `mask_value`.

    The features of masked steps are set to 0, and the mask, true for the steps to keep, goes to the
    layers that follow.

    Args:
        mask_value: The value that marks a step.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, steps, features)`, or more axes; the last one is reduced.

    Output shape:
        Same as the input; the mask is `(batch, steps)`.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> x = np.ones((1, 3, 2), "float32")
    >>> x[:, 1] = 0
    >>> keras.layers.Masking().compute_mask(x).numpy().tolist()
    [[True, False, True]]
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True
        self._build_at_init()

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Returns true where any feature differs from `mask_value`."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        """Returns `inputs` with masked steps set to 0."""
        keep = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.multiply(inputs, ops.cast(keep, inputs.dtype))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "mask_value": self.mask_value}
