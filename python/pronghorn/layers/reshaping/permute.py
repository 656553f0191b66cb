"""Permute: another order of the axes of each sample."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import Shape
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.ops.keras_tensor import KerasTensor


class Permute(Layer):
    """Permutes the axes of each sample.

    Args:
        dims: Order of the axes without the batch axis, counted from 1: output axis i is input axis
            `dims[i - 1]`. `(2, 1)` swaps the two axes of a sample.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, ...)` with `len(dims)` axes after the batch axis.

    Output shape:
        The input's sizes in the new order.

    Raises:
        ValueError: If `dims` is not a permutation of `1, ..., len(dims)`.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Permute((2, 1))(np.ones((8, 10, 64))).shape
    (8, 64, 10)
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                "Permute: Invalid permutation argument `dims`: it must have each of "
                f"1, ..., {len(self.dims)} once. Received: dims={self.dims}."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        """Returns the input with its axes permuted."""
        return ops.transpose(inputs, axes=(0, *self.dims))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the input's sizes in the new order."""
        return (input_shape[0], *(input_shape[d] for d in self.dims))

    def compute_output_spec(self, inputs: Any) -> Any:
        """Returns a symbolic tensor of the output's shape and the input's dtype."""
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "dims": self.dims}
