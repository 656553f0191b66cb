"""RepeatVector: a vector repeated along a new time axis."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import Shape, is_integer
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer


class RepeatVector(Layer):
    """Repeats each vector `n` times along a new axis: `outputs[b, t, :] = inputs[b, :]`.

    Args:
        n: Number of repetitions, a positive integer.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, features)`.

    Output shape:
        `(batch, n, features)`.

    Raises:
        TypeError: If `n` is not an integer.
        ValueError: If `n` is below 1.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.RepeatVector(3)(np.ones((4, 32))).shape
    (4, 3, 32)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_integer(n):
            raise TypeError(
                f"RepeatVector: Expected an integer value for `n`, got {type(n)}. "
                f"Received: n={n!r}."
            )
        if n < 1:
            raise ValueError(
                f"RepeatVector: The value of `n` should be a positive integer. Received: n={n}."
            )
        self.n = int(n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """Returns the repeated vectors."""
        batch, features = inputs.shape
        column = ops.reshape(inputs, (batch, 1, features))
        return ops.broadcast_to(column, (batch, self.n, features))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns `(batch, n, features)`."""
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "n": self.n}
