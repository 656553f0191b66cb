"""Average: the mean of a list of tensors, elementwise."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.merging.base_merge import Merge


class Average(Merge):
    """Averages a list of tensors, element by element: `y = (x_1 + ... + x_n) / n`.

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
    >>> keras.layers.Average()([a, b]).numpy().tolist()
    [[2.5, 3.5]]
    """

    def merge(self, inputs: list[Any]) -> Any:
        """Returns the mean."""
        output = inputs[0]
        for x in inputs[1:]:
            output = ops.add(output, x)
        return ops.divide(output, len(inputs))


def average(inputs: Any, **kwargs: Any) -> Any:
    """Returns the mean of a list of tensors: `Average(**kwargs)(inputs)`.

    Args:
        inputs: List of tensors.
        **kwargs: Arguments of `Average`.

    Returns:
        A tensor: the mean of the inputs.
    """
    return Average(**kwargs)(inputs)
