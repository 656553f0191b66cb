"""ReLU: rectified linear unit."""

from __future__ import annotations

from typing import Any

from pronghorn import activations
from pronghorn.layers.layer import Layer


class ReLU(Layer):
    """Rectified linear unit with optional ceiling, slope and threshold.

    `f(x) = max_value` for `x >= max_value`; `f(x) = x` for `threshold <= x < max_value`;
    `f(x) = negative_slope * (x - threshold)` below. With the defaults that is `max(x, 0)`.

    Args:
        max_value: Largest output, or `None` for no limit.
        negative_slope: Slope below the threshold, 0 or more.
        threshold: Value below which the input counts as small, 0 or more.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        Any.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If an argument is negative, or `negative_slope` or `threshold` is `None`.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.ReLU(max_value=6)(np.array([-3.0, 0.0, 2.0, 9.0])).numpy().tolist()
    [0.0, 0.0, 2.0, 6.0]
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0.0:
            raise ValueError(
                "ReLU: max_value of a ReLU layer cannot be a negative value. "
                f"Received: max_value={max_value}."
            )
        if negative_slope is None or negative_slope < 0.0:
            raise ValueError(
                "ReLU: negative_slope of a ReLU layer cannot be None or a negative value. "
                f"Received: negative_slope={negative_slope}."
            )
        if threshold is None or threshold < 0.0:
            raise ValueError(
                "ReLU: threshold of a ReLU layer cannot be None or a negative value. "
                f"Received: threshold={threshold}."
            )
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold
        self.supports_masking = True
        self._build_at_init()

    def call(self, inputs: Any) -> Any:
        """Returns `relu(inputs)`."""
        return activations.relu(
            inputs,
            negative_slope=self.negative_slope,
            max_value=self.max_value,
            threshold=self.threshold,
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }
