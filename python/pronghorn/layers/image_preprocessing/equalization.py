"""Equalization: images whose values are equally frequent."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import strictly_positive
from pronghorn.layers.image_preprocessing.base_recolor import BaseRecolor


class Equalization(BaseRecolor):
    """Equalizes the histogram of each channel of each image while training.

    A value becomes the share of pixels that are not above it (Gonzalez and Woods, "Digital image
    processing", section 3.3). Channels of one value stay.

    Args:
        value_range: Smallest and largest value that a pixel can have.
        bins: How many steps of values are told apart.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` or `(height, width, channels)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Equalization()(np.array([[[1.0], [2.0], [9.0]]])).numpy().ravel().tolist()
    [0.0, 128.0, 255.0]
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, False, data_format=data_format, **kwargs)
        self.bins = strictly_positive("Equalization", "bins", bins)

    def _recolor(self, images: Any, transformation: Any) -> Any:
        x = ops.cast(self._scaled(images, self.value_range, (0, 255)), "float32")
        if self.data_format == "channels_last":
            x = ops.moveaxis(x, -1, 1)
        shape = tuple(x.shape)
        rows, pixels = shape[0] * shape[1], shape[2] * shape[3]
        x = ops.reshape(x, (rows, pixels))
        steps = ops.clip(ops.cast(x / 255.0 * float(self.bins - 1), "int32"), 0, self.bins - 1)
        # One histogram for each image and channel, all in one vector.
        first = ops.expand_dims(ops.arange(rows, dtype="int32") * self.bins, 1)
        places = ops.reshape(steps + first, (rows * pixels, 1))
        counts = ops.scatter(places, ops.ones((rows * pixels,)), (rows * self.bins,))
        below = ops.cumsum(ops.reshape(counts, (rows, self.bins)), axis=1)
        total = float(pixels)
        least = ops.min(ops.where(below > 0, below, total), axis=1, keepdims=True)
        span = ops.where(least < total, total - least, ops.ones_like(least))
        table = ops.clip(ops.round((below - least) * 255.0 / span), 0.0, 255.0)
        equal = ops.where(least < total, ops.take_along_axis(table, steps, axis=1), x)
        equal = ops.reshape(equal, shape)
        if self.data_format == "channels_last":
            equal = ops.moveaxis(equal, 1, -1)
        return self._scaled(equal, (0, 255), self.value_range)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "bins": self.bins}
