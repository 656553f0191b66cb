"""RandomCrop: random parts of images."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.arguments import strictly_positive
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import (
    BaseImagePreprocessingLayer,
)


class RandomCrop(BaseImagePreprocessingLayer):
    """Crops images at a random place, the same for all images of a batch, while training.

    Of images that are not larger than the crop in both dimensions, and in inference, the largest
    middle part of the crop's proportions is resized (bilinear).

    Args:
        height: Height of the crop.
        width: Width of the crop.
        seed: Seed of the layer's generator.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        name: Name of the layer.
        **kwargs: `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` or `(height, width, channels)`, or channels first.

    Output shape:
        The same with the height and width of the crop; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.RandomCrop(4, 6, seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 4, 6, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, name=name, **kwargs)
        self.height = strictly_positive("RandomCrop", "height", height)
        self.width = strictly_positive("RandomCrop", "width", width)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the first row and column of the crop; `None` where the middle is resized."""
        _, height, width = self._sizes(data)
        if not training or height <= self.height or width <= self.width:
            return None
        seed = self.generator if seed is None else seed
        rooms = (height - self.height + 1, width - self.width + 1)
        return tuple(random.randint((), 0, room, seed=seed) for room in rooms)

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """Returns the crops."""
        images = ops.cast(images, self.compute_dtype)
        return self._crop(images, transformation, "bilinear")

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Returns the crops of the masks."""
        return self._crop(segmentation_masks, transformation, "nearest")

    def _crop(self, images: Any, transformation: Any, interpolation: str) -> Any:
        size = (self.height, self.width)
        if transformation is None:
            return ops.image.resize(
                images,
                size,
                interpolation,
                crop_to_aspect_ratio=True,
                data_format=self.data_format,
            )
        start: list[Any] = [0] * 4
        start[self._height_axis], start[self._height_axis + 1] = transformation
        shape = self._resized_shape(images.shape, *size)
        return ops.slice(images, start, shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shape with the height and width of the crop."""
        return self._resized_shape(input_shape, self.height, self.width)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "seed": self.seed,
        }
