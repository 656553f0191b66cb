"""RandomRotation: images turned by random angles."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_warp import BaseWarp, matrix
from pronghorn.layers.image_preprocessing.ranges import number_range


class RandomRotation(BaseWarp):
    """Turns each image about its centre by a random angle while training.

    Args:
        factor: Range of the angle in full turns, counter-clockwise: two numbers, or one f for from
            -f to f; from -1 to 1. `0.1` is up to 36 degrees either way.
        fill_mode: What lies outside of images: `"reflect"` `b a | a b c d | d c`, `"wrap"`
            `c d | a b c d | a b`, `"constant"`, or `"nearest"` `a a | a b c d | d d`.
        interpolation: `"nearest"` or `"bilinear"`.
        seed: Seed of the layer's generator.
        fill_value: For `"constant"`.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` or `(height, width, channels)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> quarter = keras.layers.RandomRotation((0.25, 0.25))
    >>> quarter(np.array([[[1.0], [2.0]], [[3.0], [4.0]]])).numpy()[..., 0].round(3).tolist()
    [[2.0, 4.0], [1.0, 3.0]]
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            interpolation, fill_mode, fill_value, seed, data_format=data_format, **kwargs
        )
        self.factor = number_range("RandomRotation", "factor", factor, -1, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the angles, in degrees."""
        if not training:
            return None
        batch, height, width = self._sizes(data)
        angle = random.uniform(
            (batch,),
            self.factor[0] * 360.0,
            self.factor[1] * 360.0,
            seed=self.generator if seed is None else seed,
        )
        radians = ops.reshape(angle * (math.pi / 180.0), (batch, 1))
        cos, sin = ops.cos(radians), ops.sin(radians)
        x, y = 0.5 * (width - 1), 0.5 * (height - 1)
        rotation = matrix(cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos)
        return {
            "angle": angle,
            "rotation_matrix": rotation,
            "image_height": height,
            "image_width": width,
            "batch_size": batch,
        }

    def _matrix(self, images: Any, transformation: Any) -> Any:
        return transformation["rotation_matrix"]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "factor": self.factor}
