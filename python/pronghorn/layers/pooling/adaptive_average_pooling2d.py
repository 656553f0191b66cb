"""AdaptiveAveragePooling2D: average pooling to a given output size."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.pooling.base_adaptive_pooling import BaseAdaptivePooling


class AdaptiveAveragePooling2D(BaseAdaptivePooling):
    """Average pooling over images to a given output size, whatever the input size.

    Along a dimension with n inputs and m outputs, output i is the mean of the inputs from
    `floor(i * n / m)` up to, not including, `ceil((i + 1) * n / m)`.

    Args:
        output_size: Output size, an int or a tuple of 2 ints.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` with `"channels_last"`,
        `(batch, channels, height, width)` with `"channels_first"`.

    Output shape:
        `(batch, new_height, new_width, channels)` with `"channels_last"`,
        `(batch, channels, new_height, new_width)` with `"channels_first"`.

    Raises:
        TypeError: If `output_size` is not an int or a tuple.
        ValueError: If a size is not positive.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.AdaptiveAveragePooling2D(4)(np.ones((2, 7, 8, 3))).shape
    (2, 4, 4, 3)
    """

    rank = 2
    mode = "average"

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(output_size, data_format=data_format, **kwargs)
