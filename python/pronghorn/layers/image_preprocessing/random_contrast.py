"""RandomContrast: images with more or less contrast at random."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_recolor import BaseRecolor
from pronghorn.layers.image_preprocessing.ranges import number_range


class RandomContrast(BaseRecolor):
    """Moves all pixels away from, or towards, the mean of their channel while training.

    The output is `(x - mean) * f + mean` with one random factor f for each image.

    Args:
        factor: Range of f - 1: two numbers (lower, upper) for f from `1 - lower` to `1 + upper`, or
            one for both; from 0 to 1.
        value_range: Smallest and largest value that a pixel can have.
        seed: Seed of the layer's generator.
        **kwargs: `data_format`, `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` or `(height, width, channels)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.RandomContrast(0.5, value_range=(0, 1), seed=1)
    >>> layer(np.ones((4, 4, 3))).numpy().mean()
    np.float32(1.0)
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(value_range, seed, **kwargs)
        number_range("RandomContrast", "factor", factor, 0, 1)
        pair = factor if isinstance(factor, (tuple, list)) else (factor, factor)
        self.factor = (pair[0], pair[1])

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the factors."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        seed = self.generator if seed is None else seed
        low, high = 1.0 - self.factor[0], 1.0 + self.factor[1]
        return {"contrast_factor": random.uniform((batch, 1, 1, 1), low, high, seed=seed)}

    def _recolor(self, images: Any, transformation: Any) -> Any:
        factor = ops.cast(transformation["contrast_factor"], images.dtype)
        mean = ops.mean(images, axis=(self._height_axis, self._height_axis + 1), keepdims=True)
        return self._clip((images - mean) * factor + mean)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "factor": self.factor}
