"""LeakyReLU: rectified linear unit with a slope for negative inputs."""

from __future__ import annotations

import warnings
from typing import Any

from pronghorn import activations
from pronghorn.layers.layer import Layer


class LeakyReLU(Layer):
    """Leaky rectified linear unit: `x` for `x >= 0`, `negative_slope * x` for `x < 0`.

    Args:
        negative_slope: Slope for negative inputs, 0 or more.
        **kwargs: `name`, `dtype`, `trainable`. The old name `alpha` of `negative_slope` is accepted
            with a warning.

    Input shape:
        Any.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If `negative_slope` is `None` or negative.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.LeakyReLU(negative_slope=0.5)(np.array([-4.0, 0.0, 2.0])).numpy().tolist()
    [-2.0, 0.0, 2.0]
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
            warnings.warn(
                "Argument `alpha` is deprecated. Use `negative_slope` instead.", stacklevel=2
            )
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ValueError(
                "LeakyReLU: The negative_slope value of a Leaky ReLU layer cannot be None or "
                f"negative. Received: negative_slope={negative_slope}."
            )
        self.negative_slope = negative_slope
        self.supports_masking = True
        self._build_at_init()

    def call(self, inputs: Any) -> Any:
        """Returns `leaky_relu(inputs)`."""
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "negative_slope": self.negative_slope}
