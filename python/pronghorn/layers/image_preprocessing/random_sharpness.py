"""RandomSharpness: images made sharper or softer at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_factor_recolor import BaseFactorRecolor
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import per_image


class RandomSharpness(BaseFactorRecolor):
    """Moves each image towards, or away from, a smoothed copy by a random amount while training.

    The output is `smooth + 2 f (x - smooth)`: f = 0 gives the smooth image, 1/2 the image, 1 a
    sharpened one. The smooth image has 5/13 of the pixel and 1/13 of each of its 8 neighbours.

    Args:
        factor: Range of f: two numbers, or one for from 0; from 0 to 1.
        value_range: Smallest and largest value that a pixel can have.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        seed: Seed of the layer's generator.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` or `(height, width, channels)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.RandomSharpness(0.5, value_range=(0, 1), seed=1)(np.ones((4, 4, 3))).shape
    (4, 4, 3)
    """

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws f for each image."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        seed = self.generator if seed is None else seed
        return {"factor": random.uniform((batch,), *self.factor, seed=seed)}

    def _recolor(self, images: Any, transformation: Any) -> Any:
        channels = images.shape[self._channel_axis]
        kernel = np.full((3, 3, channels, 1), 1.0 / 13.0, np.float32)
        kernel[1, 1] = 5.0 / 13.0
        smooth = ops.depthwise_conv(
            images,
            ops.cast(ops.convert_to_tensor(kernel), images.dtype),
            padding="same",
            data_format=self.data_format,
        )
        share = per_image(ops.cast(transformation["factor"] * 2.0, images.dtype))
        return self._clip(images + (1.0 - share) * (smooth - images))
