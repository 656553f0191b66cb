"""CenterCrop: the middle of images."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import strictly_positive
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import (
    BaseImagePreprocessingLayer,
)


class CenterCrop(BaseImagePreprocessingLayer):
    """Crops images to their middle, in training and in inference.

    Of images that are smaller in one of the dimensions, the largest middle part of the new
    proportions is resized (bilinear).

    Args:
        height: New height.
        width: New width.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` or `(height, width, channels)`, or channels first.

    Output shape:
        The same with the new height and width; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.CenterCrop(1, 2)(np.arange(16.0).reshape(4, 4, 1)).numpy().ravel().tolist()
    [5.0, 6.0]
    """

    def __init__(
        self, height: int, width: int, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height = strictly_positive("CenterCrop", "height", height)
        self.width = strictly_positive("CenterCrop", "width", width)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """Returns the middle of the images."""
        images = ops.cast(images, self.compute_dtype)
        _, height, width = self._sizes(images)
        if height < self.height or width < self.width:
            return ops.image.resize(
                images,
                (self.height, self.width),
                crop_to_aspect_ratio=True,
                data_format=self.data_format,
            )
        return ops.image.crop_images(
            images,
            top_cropping=(height - self.height) // 2,
            left_cropping=(width - self.width) // 2,
            target_height=self.height,
            target_width=self.width,
            data_format=self.data_format,
        )

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """Returns the middle of the masks."""
        return self.transform_images(segmentation_masks, transformation, training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shape with the new height and width."""
        if isinstance(input_shape, (tuple, list)) and (
            len(input_shape) not in (3, 4) or isinstance(input_shape[0], (tuple, list))
        ):
            raise ValueError(
                "CenterCrop: `input_shape` must be a non-nested tuple or list of rank-1 with size "
                f"3 (unbatched) or 4 (batched). Received: input_shape={input_shape}."
            )
        return self._resized_shape(input_shape, self.height, self.width)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "height": self.height, "width": self.width}
