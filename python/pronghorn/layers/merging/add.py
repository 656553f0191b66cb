"""Add: the sum of a list of tensors, elementwise."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.merging.base_merge import Merge


class Add(Merge):
    """Adds a list of tensors, element by element: `y = x_1 + x_2 + ...`.

    Inputs of a lower rank get axes of size 1 after their batch axis; sizes of 1 are broadcast.
    The output has a mask if all inputs have one: true where any of them is.

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
    >>> keras.layers.Add()([a, b]).numpy().tolist()
    [[5.0, 7.0]]
    """

    def merge(self, inputs: list[Any]) -> Any:
        """Returns the sum."""
        output = inputs[0]
        for x in inputs[1:]:
            output = ops.add(output, x)
        return output


def add(inputs: Any, **kwargs: Any) -> Any:
    """Returns the sum of a list of tensors: `Add(**kwargs)(inputs)`.

    Args:
        inputs: List of tensors.
        **kwargs: Arguments of `Add`.

    Returns:
        A tensor: the sum of the inputs.
    """
    return Add(**kwargs)(inputs)
