"""RandomFlip: images mirrored at random."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.arguments import one_of
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import (
    BaseImagePreprocessingLayer,
)

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


class RandomFlip(BaseImagePreprocessingLayer):
    """Mirrors each image with probability 1/2 while training.

    Args:
        mode: `"horizontal"` (left and right), `"vertical"`, or `"horizontal_and_vertical"`, which
            mirrors in both directions at once.
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
    >>> layer = keras.layers.RandomFlip("horizontal", seed=1)
    >>> sorted(layer(np.array([[[1.0], [2.0]]])).numpy().ravel().tolist())
    [1.0, 2.0]
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.mode = one_of("RandomFlip", "mode", mode, _MODES)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws which images are mirrored."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        drawn = random.uniform((batch, 1, 1, 1), seed=self.generator if seed is None else seed)
        shape = tuple((data["images"] if isinstance(data, dict) else data).shape)
        return {"flips": drawn <= 0.5, "input_shape": shape}

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """Returns the images, some of them mirrored if `training`."""
        images = ops.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return images
        axes = []
        if self.mode != "vertical":
            axes.append(self._height_axis + 1)
        if self.mode != "horizontal":
            axes.append(self._height_axis)
        return ops.where(transformation["flips"], ops.flip(images, axis=axes), images)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Returns the masks mirrored as the images are."""
        return self.transform_images(segmentation_masks, transformation, training)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "seed": self.seed, "mode": self.mode}
