"""Flatten: joins all axes but the batch axis."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import ops
from pronghorn.config import standardize_data_format
from pronghorn.layers.arguments import Shape
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.ops.keras_tensor import KerasTensor


class Flatten(Layer):
    """Joins all axes but the batch axis into one.

    An input of rank 1 gets a second axis of size 1.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; with the latter the channels are moved
            to the end first, so that the order of the output is that of `"channels_last"`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, ...)`.

    Output shape:
        `(batch, product of the other sizes)`.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Flatten()(np.ones((8, 10, 10, 64))).shape
    (8, 6400)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)
        self._channels_first = self.data_format == "channels_first"

    def call(self, inputs: Any) -> Any:
        """Returns the input with all axes but the first joined."""
        rank = len(inputs.shape)
        if self._channels_first and rank > 1:
            inputs = ops.transpose(inputs, axes=(0, *range(2, rank), 1))
        return ops.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns `(batch, product of the other sizes)`."""
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))

    def compute_output_spec(self, inputs: Any) -> Any:
        """Returns a symbolic tensor of the output's shape and the input's dtype."""
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "data_format": self.data_format}
