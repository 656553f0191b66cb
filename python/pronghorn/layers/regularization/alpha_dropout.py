"""AlphaDropout: dropout that keeps mean and variance, for SELU networks."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.regularization.base_noise import BaseNoise, noise_shape_tuple, probability

# Limit of SELU for very negative inputs: -scale * alpha (Klambauer et al., 2017, section 2).
_ALPHA = 1.6732632423543772
_SCALE = 1.0507009873554805
_SATURATION = -_ALPHA * _SCALE


class AlphaDropout(BaseNoise):
    """Sets elements to SELU's limit with probability `rate`, then restores mean and variance.

    With keep probability q and limit s: `y = a * (x * m + s * (1 - m)) + b`, where m is 1 with
    probability q, `a = (q + s^2 * q * (1 - q))^(-1/2)` and `b = -a * s * (1 - q)`. Only while
    training. Source: Klambauer et al., "Self-Normalizing Neural Networks", 2017, section 2.

    Args:
        rate: Fraction of the elements to drop, from 0 to below 1.
        noise_shape: Shape of the random mask; a size of 1 shares one decision along that axis,
            `None` stands for the input's size.
        seed: Seed of the layer's random numbers; `None`: drawn.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Tensor of any rank.
        training: Whether to drop.

    Input shape:
        Any.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If `rate` is not from 0 to 1 or is 1 when training, or `noise_shape` is wrong.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.AlphaDropout(0.2)(np.ones((2, 3)), training=True).shape
    (2, 3)
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: Any = None, **kwargs: Any
    ) -> None:
        rate = probability("AlphaDropout", "rate", rate)
        super().__init__(seed, active=rate > 0, **kwargs)
        self.rate = rate
        self.noise_shape = noise_shape_tuple("AlphaDropout", noise_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the input with elements dropped if `training`."""
        if not training or not self.active:
            return inputs
        if self.rate == 1:
            raise ValueError(
                f"AlphaDropout '{self.name}': rate must be below 1 for training. "
                f"Received: rate={self.rate}."
            )
        shape = self.resolve_noise_shape(inputs, self.noise_shape) or inputs.shape
        keep = ops.greater_equal(
            random.uniform(shape, dtype="float32", seed=self.seed_generator), self.rate
        )
        kept = 1.0 - self.rate
        a = (kept + _SATURATION**2 * kept * self.rate) ** -0.5
        b = -a * _SATURATION * self.rate
        m = ops.cast(keep, inputs.dtype)
        x = ops.add(ops.multiply(inputs, m), ops.multiply(_SATURATION, ops.subtract(1.0, m)))
        return ops.add(ops.multiply(a, x), b)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }
