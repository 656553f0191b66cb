"""CustomScaleLayer: the scaled residual sum of Inception-ResNet-v2, under Keras's name."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.layer import Layer


class CustomScaleLayer(Layer):
    """Adds the second of two inputs, times a constant, to the first.

    Source: Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections
    on Learning", 2016, section 3.3.

    Args:
        scale: The constant.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        Two inputs of one shape.

    Output shape:
        That of each input.
    """

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: Any) -> Any:
        """Returns `inputs[0] + scale * inputs[1]`."""
        return ops.add(inputs[0], ops.multiply(inputs[1], self.scale))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "scale": self.scale}
