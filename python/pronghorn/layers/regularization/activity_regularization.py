"""ActivityRegularization: adds a penalty on its input to the loss."""

from __future__ import annotations

from typing import Any

from pronghorn import regularizers
from pronghorn.layers.layer import Layer


class ActivityRegularization(Layer):
    """Passes its input on and adds `(l1 * sum |x| + l2 * sum x^2) / batch` to the loss.

    Args:
        l1: Factor of the sum of absolute values, 0 or more.
        l2: Factor of the sum of squares, 0 or more.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        Any.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If a factor is negative.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.ActivityRegularization(l2=0.5)
    >>> _ = layer(np.array([[1.0, 2.0], [3.0, 0.0]]))
    >>> float(layer.losses[0])
    3.5
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.supports_masking = True
        self.l1 = l1
        self.l2 = l2
        self._build_at_init()

    def call(self, inputs: Any) -> Any:
        """Returns `inputs`."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return {**config, "l1": self.l1, "l2": self.l2}
