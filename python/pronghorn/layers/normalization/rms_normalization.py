"""RMSNormalization: scales each sample to root mean square 1."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.layer import Layer
from pronghorn.layers.normalization.base_normalization import (
    resolve_axes,
    to_float32,
    weight_shape,
)


class RMSNormalization(Layer):
    """Scales each sample by the root of the mean of its squares: `y = scale * x / rms(x)`.

    `rms(x) = sqrt(mean(x^2) + epsilon)` over `axis`. Source: Zhang and Sennrich, "Root Mean Square
    Layer Normalization", 2019, equation 4.

    Args:
        axis: Axis or axes to normalize over; `scale` has their sizes.
        epsilon: Small number added to the mean square.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        Any; the sizes along `axis` must be known.

    Output shape:
        Same as the input.

    Raises:
        TypeError: If `axis` is not an int or a list of ints.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.RMSNormalization()(np.array([[3.0, 3.0]])).numpy().round(2).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axis, (int, list, tuple)):
            raise TypeError(
                "RMSNormalization: Expected an int or a list/tuple of ints for the argument "
                f"'axis', but received: {axis!r}. Received: axis={axis!r}."
            )
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Creates `scale` with the sizes along `axis`."""
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        self.scale = self.add_weight(
            name="scale",
            shape=weight_shape(self, self.axis, input_shape),
            initializer="ones",
            autocast=False,
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the normalized input."""
        axes = resolve_axes(self, self.axis, len(inputs.shape))
        y = ops.rms_normalization(
            to_float32(inputs), scale=self.scale, axis=list(axes), epsilon=self.epsilon
        )
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        resolve_axes(self, self.axis, len(input_shape))
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
