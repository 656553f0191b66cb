"""RandomBrightness: images made lighter or darker at random."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_recolor import BaseRecolor
from pronghorn.layers.image_preprocessing.ranges import number_range


class RandomBrightness(BaseRecolor):
    """Adds a random amount to all pixels of each image while training.

    Args:
        factor: Range of the amount, as a part of `value_range`: two numbers, or one f for from -f
            to f; from -1 (black) to 1 (white).
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
    >>> lighter = keras.layers.RandomBrightness((0.2, 0.2), value_range=(0, 1))
    >>> lighter(np.array([[[0.25], [0.9]]])).numpy().ravel().round(2).tolist()
    [0.44999998807907104, 1.0]
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(value_range, seed, **kwargs)
        self.factor = number_range("RandomBrightness", "factor", factor, -1, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws what is added to each image."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        seed = self.generator if seed is None else seed
        low, high = self.value_range
        return {
            "rgb_delta": random.uniform((batch, 1, 1, 1), *self.factor, seed=seed) * (high - low)
        }

    def _recolor(self, images: Any, transformation: Any) -> Any:
        return self._clip(images + ops.cast(transformation["rgb_delta"], images.dtype))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "factor": self.factor}
