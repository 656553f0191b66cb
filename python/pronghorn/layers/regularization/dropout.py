"""Dropout: sets random elements to 0 while training."""

from __future__ import annotations

from typing import Any

from pronghorn import random
from pronghorn.layers.regularization.base_noise import BaseNoise, noise_shape_tuple, probability


class Dropout(BaseNoise):
    """Sets each element to 0 with probability `rate` and scales the others by `1 / (1 - rate)`.

    Only while training; otherwise the input is returned. The expected sum of the output is that of
    the input. Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting", 2014.

    Args:
        rate: Fraction of the elements to drop, from 0 to 1.
        noise_shape: Shape of the random mask; a size of 1 shares one decision along that axis,
            `None` stands for the input's size. `(None, 1, None)` drops features for all time steps.
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
        ValueError: If `rate` is not from 0 to 1, or `noise_shape` is wrong.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.Dropout(0.5, seed=1)
    >>> sorted(set(layer(np.ones((8, 8)), training=True).numpy().ravel().tolist()))
    [0.0, 2.0]
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: Any = None, **kwargs: Any
    ) -> None:
        rate = probability("Dropout", "rate", rate)
        super().__init__(seed, active=rate > 0, **kwargs)
        self.rate = rate
        self.noise_shape = noise_shape_tuple("Dropout", noise_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the input with elements dropped if `training`."""
        if not training or not self.active:
            return inputs
        return random.dropout(
            inputs,
            self.rate,
            noise_shape=self.resolve_noise_shape(inputs, self.noise_shape),
            seed=self.seed_generator,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }
