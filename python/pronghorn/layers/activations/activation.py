"""Activation: an activation function as a layer."""

from __future__ import annotations

from typing import Any

from pronghorn import activations
from pronghorn.layers.layer import Layer


class Activation(Layer):
    """Applies an activation function: `outputs = activation(inputs)`.

    Args:
        activation: Activation function, by name or callable.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        Any.

    Output shape:
        Same as the input.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Activation("relu")(np.array([-3.0, -1.0, 0.0, 2.0])).numpy().tolist()
    [0.0, 0.0, 0.0, 2.0]
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activations.get(activation)
        self._build_at_init()

    def call(self, inputs: Any) -> Any:
        """Returns `activation(inputs)`."""
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
