"""RandomElasticTransform: images deformed at random."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import per_image
from pronghorn.layers.image_preprocessing.base_warp import BaseWarp
from pronghorn.layers.image_preprocessing.ranges import number_range, value_range_pair
from pronghorn.ops.image.warping import deform
from pronghorn.random.seed_generator import draw_key


class RandomElasticTransform(BaseWarp):
    """Deforms some images smoothly at random while training. See `ops.image.elastic_transform`.

    Args:
        factor: Range of the probability that an image is deformed: two numbers, or one for from 0;
            from 0 to 1.
        scale: Range of the strength s, one draw for all images: two numbers, or one for from 0;
            from 0 to 1. sigma is 5% of the smaller side of images times s, alpha 10% of the larger
            one times s.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: What lies outside of images: `"reflect"` `b a | a b c d | d c`, `"wrap"`
            `c d | a b c d | a b`, `"constant"`, or `"nearest"` `a a | a b c d | d d`.
        fill_value: For `"constant"`.
        value_range: Smallest and largest value that a pixel can have.
        seed: Seed of the layer's generator.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` or `(height, width, channels)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.RandomElasticTransform(1.0, 0.2, seed=1)(np.ones((8, 8, 3))).shape
    (8, 8, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            interpolation, fill_mode, fill_value, seed, data_format=data_format, **kwargs
        )
        self.factor = number_range("RandomElasticTransform", "factor", factor, 0, 1)
        self.scale = number_range("RandomElasticTransform", "scale", scale, 0, 1)
        self.value_range = value_range_pair("RandomElasticTransform", value_range)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws which images are deformed, the strength, and the key of the deformation."""
        if not training or self.scale[1] == 0 or self.factor[1] == 0:
            return None
        batch, _, _ = self._sizes(data)
        seed = self.generator if seed is None else seed
        probability = random.uniform((batch,), *self.factor, seed=seed)
        return {
            "apply_transform": random.uniform((batch,), seed=seed) < probability,
            "distortion_factor": random.uniform((), *self.scale, seed=seed),
            "seed": draw_key(seed),
        }

    def _warp(self, images: Any, transformation: Any, interpolation: str) -> Any:
        _, height, width = self._sizes(images)
        strength = transformation["distortion_factor"]
        reach = 0.05 * min(height, width)
        deformed = deform(
            images,
            0.1 * max(height, width) * strength,
            reach * strength + 1e-6,
            int(6 * reach * self.scale[1]) | 1,
            interpolation,
            self.fill_mode,
            self.fill_value,
            transformation["seed"],
            self.data_format,
        )
        return ops.where(per_image(transformation["apply_transform"]), deformed, images)

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """Returns the images, some of them deformed if `training`."""
        found = super().transform_images(images, transformation, training)
        if not training or transformation is None:
            return found
        return ops.clip(found, self.value_range[0], self.value_range[1])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "value_range": self.value_range,
        }
