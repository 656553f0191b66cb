"""RandomColorJitter: brightness, contrast, saturation and hue changed at random."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.image_preprocessing.base_recolor import BaseRecolor
from pronghorn.layers.image_preprocessing.random_brightness import RandomBrightness
from pronghorn.layers.image_preprocessing.random_contrast import RandomContrast
from pronghorn.layers.image_preprocessing.random_hue import RandomHue
from pronghorn.layers.image_preprocessing.random_saturation import RandomSaturation


class RandomColorJitter(BaseRecolor):
    """Changes brightness, contrast, saturation and hue, in this order, while training.

    Args:
        value_range: Smallest and largest value that a pixel can have.
        brightness_factor: See `RandomBrightness`; `None` leaves it.
        contrast_factor: See `RandomContrast`; `None` leaves it.
        saturation_factor: See `RandomSaturation`; `None` leaves it.
        hue_factor: See `RandomHue`; `None` leaves it.
        seed: Seed of the layer's generator.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, 3)` or `(height, width, 3)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.RandomColorJitter((0, 1), brightness_factor=0.2, hue_factor=0.1)
    >>> layer(np.ones((4, 4, 3))).shape
    (4, 4, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format=data_format, **kwargs)
        self.brightness_factor = brightness_factor
        self.contrast_factor = contrast_factor
        self.saturation_factor = saturation_factor
        self.hue_factor = hue_factor
        self._steps = {
            name: kind(factor, value_range, data_format=self.data_format, dtype=self.dtype_policy)
            for name, kind, factor in (
                ("brightness", RandomBrightness, brightness_factor),
                ("contrast", RandomContrast, contrast_factor),
                ("saturation", RandomSaturation, saturation_factor),
                ("hue", RandomHue, hue_factor),
            )
            if factor is not None
        }

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the transformation of each step, by name."""
        if not training:
            return None
        seed = self.generator if seed is None else seed
        return {
            name: step.get_random_transformation(data, training, seed)
            for name, step in self._steps.items()
        }

    def _recolor(self, images: Any, transformation: Any) -> Any:
        for name, step in self._steps.items():
            images = step.transform_images(images, transformation[name])
        return images

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "brightness_factor": self.brightness_factor,
            "contrast_factor": self.contrast_factor,
            "saturation_factor": self.saturation_factor,
            "hue_factor": self.hue_factor,
        }
