"""RandomColorDegeneration: images with weaker colours at random."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_factor_recolor import BaseFactorRecolor


class RandomColorDegeneration(BaseFactorRecolor):
    """Mixes each image with its grey values by a random share while training.

    Args:
        factor: Range of the share of grey: two numbers, or one for from 0; from 0 (none) to 1
            (grey).
        value_range: Smallest and largest value that a pixel can have.
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
    >>> grey = keras.layers.RandomColorDegeneration((1.0, 1.0), value_range=(0, 1))
    >>> grey(np.ones((2, 2, 3))).shape
    (2, 2, 3)
    """

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the shares."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        seed = self.generator if seed is None else seed
        return {"factor": random.uniform((batch, 1, 1, 1), *self.factor, seed=seed)}

    def _recolor(self, images: Any, transformation: Any) -> Any:
        grey = ops.image.rgb_to_grayscale(images, data_format=self.data_format)
        share = ops.cast(transformation["factor"], images.dtype)
        return self._clip(images + share * (grey - images))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`.

        Raises:
            ValueError: If the rank is not 3 or 4, or there are not 3 channels.
        """
        if not isinstance(input_shape, dict):
            if len(input_shape) not in (3, 4):
                raise ValueError(
                    "RandomColorDegeneration: Invalid images rank: expected rank 3 (single image) "
                    f"or rank 4 (batch of images). Received: input_shape={input_shape}"
                )
            channels = input_shape[self._channel_axis]
            if channels not in (None, 3):
                raise ValueError(
                    "RandomColorDegeneration: Input images must have 3 channels, but received "
                    f"images with {channels} channels."
                )
        return input_shape
