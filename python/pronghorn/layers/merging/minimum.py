"""Minimum: the minimum of a list of tensors, elementwise."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.merging.base_merge import Merge


class Minimum(Merge):
    """Takes the smallest of a list of tensors, element by element: `y = min(x_1, x_2, ...)`.

    Inputs of a lower rank get axes of size 1 after their batch axis; sizes of 1 are broadcast.
    The output has a mask if all inputs have one: true where any of them is.
    Masked elements of an input count as the highest number; where all inputs are masked, the
    output is 0.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        A list of tensors `(batch, ...)`.

    Output shape:
        The shape that the inputs broadcast to.

    Raises:
        ValueError: If the shapes do not broadcast.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> a, b = np.array([[1.0, 2.0]]), np.array([[4.0, 5.0]])
    >>> keras.layers.Minimum()([a, b]).numpy().tolist()
    [[1.0, 2.0]]
    """

    masked_value = "highest"

    def merge(self, inputs: list[Any]) -> Any:
        """Returns the minimum."""
        output = inputs[0]
        for x in inputs[1:]:
            output = ops.minimum(output, x)
        return output


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """Returns the minimum of a list of tensors: `Minimum(**kwargs)(inputs)`.

    Args:
        inputs: List of tensors.
        **kwargs: Arguments of `Minimum`.

    Returns:
        A tensor: the minimum of the inputs.
    """
    return Minimum(**kwargs)(inputs)
