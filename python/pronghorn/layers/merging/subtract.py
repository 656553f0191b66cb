"""Subtract: the difference of two tensors, elementwise."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.merging.base_merge import Merge


class Subtract(Merge):
    """Subtracts two tensors, element by element: `y = x_1 - x_2` of exactly two tensors.

    Inputs of a lower rank get axes of size 1 after their batch axis; sizes of 1 are broadcast.
    The output has a mask if all inputs have one: true where any of them is.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        A list of two tensors `(batch, ...)`.

    Output shape:
        The shape that the inputs broadcast to.

    Raises:
        ValueError: If the shapes do not broadcast, or there are not two inputs.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> a, b = np.array([[1.0, 2.0]]), np.array([[4.0, 5.0]])
    >>> keras.layers.Subtract()([a, b]).numpy().tolist()
    [[-3.0, -3.0]]
    """

    def check_count(self, count: int) -> None:
        """Raises unless there are two inputs."""
        if count != 2:
            raise ValueError(
                f"{owner_name(self)}: A `Subtract` layer should be called on exactly 2 inputs. "
                f"Received {count} inputs."
            )

    def merge(self, inputs: list[Any]) -> Any:
        """Returns the first input less the second."""
        return ops.subtract(inputs[0], inputs[1])


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """Returns the difference of two tensors: `Subtract(**kwargs)(inputs)`.

    Args:
        inputs: List of two tensors.
        **kwargs: Arguments of `Subtract`.

    Returns:
        A tensor: the difference of the inputs.
    """
    return Subtract(**kwargs)(inputs)
