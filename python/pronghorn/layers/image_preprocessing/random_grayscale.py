"""RandomGrayscale: images made grey at random."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_recolor import BaseRecolor


class RandomGrayscale(BaseRecolor):
    """Makes some images grey while training; they keep their number of channels.

    Args:
        factor: Probability that an image becomes grey.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        seed: Seed of the layer's generator.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, 3)` or `(height, width, 3)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> grey = keras.layers.RandomGrayscale(1.0)
    >>> grey(np.array([[[1.0, 0.0, 0.0]]])).numpy().ravel().round(3).tolist()
    [0.29899999499320984, 0.29899999499320984, 0.29899999499320984]
    """

    def __init__(
        self,
        factor: float = 0.5,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(None, seed, data_format=data_format, **kwargs)
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0 <= factor <= 1:
            raise ValueError(
                f"RandomGrayscale: `factor` should be between 0 and 1. Received: factor={factor}"
            )
        self.factor = factor

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws which images become grey."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        drawn = random.uniform((batch, 1, 1, 1), seed=self.generator if seed is None else seed)
        return drawn < self.factor

    def _recolor(self, images: Any, transformation: Any) -> Any:
        grey = ops.image.rgb_to_grayscale(images, data_format=self.data_format)
        return ops.where(transformation, grey, images)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "factor": self.factor}
