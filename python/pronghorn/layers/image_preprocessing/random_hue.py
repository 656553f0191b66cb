"""RandomHue: images with other hues at random."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_factor_recolor import BaseFactorRecolor
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import per_image


class RandomHue(BaseFactorRecolor):
    """Turns the hue of each image by a random amount, in a random direction, while training.

    Args:
        factor: Range of the amount in half turns of the colour circle: two numbers, or one for from
            0; from 0 to 1.
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
    >>> keras.layers.RandomHue(0.5, value_range=(0, 1), seed=1)(np.ones((4, 4, 3))).shape
    (4, 4, 3)
    """

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the change of hue, in turns."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        seed = self.generator if seed is None else seed
        sign = ops.where(random.uniform((batch,), seed=seed) > 0.5, -1.0, 1.0)
        return {"factor": sign * random.uniform((batch,), *self.factor, seed=seed) * 0.5}

    def _recolor(self, images: Any, transformation: Any) -> Any:
        images = self._scaled(images, self.value_range, (0, 1))
        hsv = ops.image.rgb_to_hsv(images, data_format=self.data_format)
        hue, saturation, value = ops.split(hsv, 3, axis=self._channel_axis)
        hue = hue + per_image(ops.cast(transformation["factor"], images.dtype))
        hue = ops.where(hue > 1.0, hue - 1.0, hue)
        hue = ops.where(hue < 0.0, hue + 1.0, hue)
        hsv = ops.concatenate([hue, saturation, value], axis=self._channel_axis)
        rgb = ops.image.hsv_to_rgb(hsv, data_format=self.data_format)
        return self._scaled(ops.clip(rgb, 0.0, 1.0), (0, 1), self.value_range)
