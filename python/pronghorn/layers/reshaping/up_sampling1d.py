"""UpSampling1D: repeats time steps."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import Shape, is_integer
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer


class UpSampling1D(Layer):
    """Repeats each time step `size` times: `outputs[:, t] = inputs[:, t // size]`.

    Args:
        size: Number of repetitions, a positive integer.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, steps, features)`.

    Output shape:
        `(batch, steps * size, features)`.

    Raises:
        TypeError: If `size` is not an integer.
        ValueError: If `size` is below 1.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.UpSampling1D(2)(np.array([[[1.0], [2.0]]])).numpy().ravel().tolist()
    [1.0, 1.0, 2.0, 2.0]
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_integer(size):
            raise TypeError(
                f"UpSampling1D: Expected an integer value for `size`, got {type(size)}. "
                f"Received: size={size!r}."
            )
        if size < 1:
            raise ValueError(
                "UpSampling1D: The value of `size` should be a positive integer. "
                f"Received: size={size}."
            )
        self.size = int(size)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        """Returns the input with its time steps repeated."""
        return repeat_axes(inputs, {1: self.size})

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns `(batch, steps * size, features)`."""
        steps = None if input_shape[1] is None else input_shape[1] * self.size
        return (input_shape[0], steps, input_shape[2])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "size": self.size}


def repeat_axes(x: Any, factors: dict[int, int]) -> Any:
    """Returns `x` with each element repeated `factors[axis]` times along each axis.

    One reshape, one broadcast and one reshape: every axis gets an axis of size 1 behind it, which
    is broadcast.
    """
    single: list[int] = []
    wide: list[int] = []
    final: list[int] = []
    for axis, n in enumerate(x.shape):
        factor = factors.get(axis, 1)
        single.append(n)
        wide.append(n)
        if factor > 1:
            single.append(1)
            wide.append(factor)
        final.append(n * factor)
    return ops.reshape(ops.broadcast_to(ops.reshape(x, single), wide), final)
