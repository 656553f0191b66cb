"""GaussianNoise: adds normal noise while training."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.regularization.base_noise import BaseNoise, probability


class GaussianNoise(BaseNoise):
    """Adds noise from the normal distribution with mean 0 to each element, only while training.

    Args:
        stddev: Standard deviation of the noise, from 0 to 1.
        seed: Seed of the layer's random numbers; `None`: drawn.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Tensor of any rank.
        training: Whether to add noise.

    Input shape:
        Any.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If `stddev` is not from 0 to 1.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.GaussianNoise(0.1)(np.ones((2, 3))).numpy().tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    def __init__(self, stddev: float, seed: Any = None, **kwargs: Any) -> None:
        stddev = probability("GaussianNoise", "stddev", stddev)
        super().__init__(seed, active=stddev > 0, **kwargs)
        self.stddev = stddev

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the input with noise added if `training`."""
        if not training or not self.active:
            return inputs
        noise = random.normal(
            inputs.shape,
            mean=0.0,
            stddev=self.stddev,
            dtype=self.compute_dtype,
            seed=self.seed_generator,
        )
        return ops.add(inputs, noise)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}
