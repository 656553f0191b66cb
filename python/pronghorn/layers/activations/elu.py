"""ELU: exponential linear unit."""

from __future__ import annotations

from typing import Any

from pronghorn import activations
from pronghorn.layers.layer import Layer


class ELU(Layer):
    """Exponential linear unit: `x` for `x > 0`, `alpha * (exp(x) - 1)` for `x <= 0`.

    Source: Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units",
    2016, equation 15.

    Args:
        alpha: Value that the output approaches, negated, for very negative inputs.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        Any.

    Output shape:
        Same as the input.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.ELU()(np.array([0.0, 2.0])).numpy().tolist()
    [0.0, 2.0]
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True
        self._build_at_init()

    def call(self, inputs: Any) -> Any:
        """Returns `elu(inputs)`."""
        return activations.elu(inputs, alpha=self.alpha)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "alpha": self.alpha}
