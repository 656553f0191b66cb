"""GaussianDropout: multiplies by normal noise while training."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import ops, random
from pronghorn.layers.regularization.base_noise import BaseNoise, probability


class GaussianDropout(BaseNoise):
    """Multiplies each element by noise with mean 1 and stddev `sqrt(rate / (1 - rate))`.

    Only while training. The noise has the mean and variance of dropout's mask. Source: Srivastava
    et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014, section 10.

    Args:
        rate: Drop probability as in `Dropout`, from 0 to below 1.
        seed: Seed of the layer's random numbers; `None`: drawn.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Tensor of any rank.
        training: Whether to multiply by noise.

    Input shape:
        Any.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If `rate` is not from 0 to 1, or is 1 when training.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.GaussianDropout(0.5)(np.ones((2, 3)), training=True).shape
    (2, 3)
    """

    def __init__(self, rate: float, seed: Any = None, **kwargs: Any) -> None:
        rate = probability("GaussianDropout", "rate", rate)
        super().__init__(seed, active=rate > 0, **kwargs)
        self.rate = rate

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the input times noise if `training`."""
        if not training or not self.active:
            return inputs
        if self.rate == 1:
            raise ValueError(
                f"GaussianDropout '{self.name}': rate must be below 1 for training, because the "
                f"noise has stddev sqrt(rate / (1 - rate)). Received: rate={self.rate}."
            )
        noise = random.normal(
            inputs.shape,
            mean=1.0,
            stddev=math.sqrt(self.rate / (1.0 - self.rate)),
            dtype=self.compute_dtype,
            seed=self.seed_generator,
        )
        return ops.multiply(inputs, noise)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
