"""RandomSaturation: images with stronger or weaker colours at random."""

from __future__ import annotations

from typing import Any

from pronghorn import config, ops, random
from pronghorn.layers.image_preprocessing.base_factor_recolor import BaseFactorRecolor
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import per_image


class RandomSaturation(BaseFactorRecolor):
    """Multiplies the saturation of each image by `f / (1 - f)` for a random f while training.

    f = 1/2 changes nothing, 0 gives grey images, 1 full saturation.

    Args:
        factor: Range of f: two numbers, or one for from 0; from 0 to 1.
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
    >>> grey = keras.layers.RandomSaturation((0.0, 0.0), value_range=(0, 1))
    >>> grey(np.array([[[1.0, 0.5, 0.0]]])).numpy().ravel().tolist()
    [1.0, 1.0, 1.0]
    """

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the factors of the saturation, f / (1 - f)."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        seed = self.generator if seed is None else seed
        f = random.uniform((batch,), *self.factor, seed=seed)
        return {"factor": f / (1.0 - f + config.epsilon())}

    def _recolor(self, images: Any, transformation: Any) -> Any:
        # Saturation and hue are ratios, whatever the range; the least value is taken for black.
        images = self._scaled(images, self.value_range, (0, 1))
        hsv = ops.image.rgb_to_hsv(images, data_format=self.data_format)
        hue, saturation, value = ops.split(hsv, 3, axis=self._channel_axis)
        factor = per_image(ops.cast(transformation["factor"], images.dtype))
        saturation = ops.clip(saturation * factor, 0.0, 1.0)
        hsv = ops.concatenate([hue, saturation, value], axis=self._channel_axis)
        rgb = ops.image.hsv_to_rgb(hsv, data_format=self.data_format)
        return self._scaled(rgb, (0, 1), self.value_range)
