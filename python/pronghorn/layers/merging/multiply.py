"""Multiply: the product of a list of tensors, elementwise."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.merging.base_merge import Merge


class Multiply(Merge):
    """Multiplies a list of tensors, element by element: `y = x_1 * x_2 * ...`.

    Inputs of a lower rank get axes of size 1 after their batch axis; sizes of 1 are broadcast.
    The output has a mask if all inputs have one: true where any of them is.
    Masked elements of an input count as 1; where all inputs are masked, the output is 0.

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
    >>> keras.layers.Multiply()([a, b]).numpy().tolist()
    [[4.0, 10.0]]
    """

    masked_value = "one"

    def merge(self, inputs: list[Any]) -> Any:
        """Returns the product."""
        output = inputs[0]
        for x in inputs[1:]:
            output = ops.multiply(output, x)
        return output


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """Returns the product of a list of tensors: `Multiply(**kwargs)(inputs)`.

    Args:
        inputs: List of tensors.
        **kwargs: Arguments of `Multiply`.

    Returns:
        A tensor: the product of the inputs.
    """
    return Multiply(**kwargs)(inputs)
