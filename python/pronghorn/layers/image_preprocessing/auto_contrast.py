"""AutoContrast: images stretched over the whole range of values."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.image_preprocessing.base_recolor import BaseRecolor


class AutoContrast(BaseRecolor):
    """Stretches each channel of each image over `value_range`, in training and in inference.

    Channels of one value stay.

    Args:
        value_range: Smallest and largest value that a pixel can have.
        **kwargs: `data_format`, `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` or `(height, width, channels)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.AutoContrast()(np.array([[[10.0], [20.0], [30.0]]])).numpy().ravel().tolist()
    [0.0, 127.5, 255.0]
    """

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(value_range, False, **kwargs)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """Returns the images stretched."""
        return super().transform_images(images, transformation, True)

    def _recolor(self, images: Any, transformation: Any) -> Any:
        axes = (self._height_axis, self._height_axis + 1)
        low = ops.min(images, axis=axes, keepdims=True)
        span = ops.max(images, axis=axes, keepdims=True) - low
        first, last = self.value_range
        factor = (last - first) / ops.where(span > 0, span, ops.ones_like(span))
        return ops.where(span > 0, self._clip((images - low) * factor + first), images)
