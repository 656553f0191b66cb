"""AdaptiveMaxPooling3D: max pooling to a given output size."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.pooling.base_adaptive_pooling import BaseAdaptivePooling


class AdaptiveMaxPooling3D(BaseAdaptivePooling):
    """Max pooling over volumes to a given output size, whatever the input size.

    Along a dimension with n inputs and m outputs, output i is the largest of the inputs from
    `floor(i * n / m)` up to, not including, `ceil((i + 1) * n / m)`.

    Args:
        output_size: Output size, an int or a tuple of 3 ints.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, depth, height, width, channels)` with `"channels_last"`,
        `(batch, channels, depth, height, width)` with `"channels_first"`.

    Output shape:
        `(batch, new_depth, new_height, new_width, channels)` with `"channels_last"`,
        `(batch, channels, new_depth, new_height, new_width)` with `"channels_first"`.

    Raises:
        TypeError: If `output_size` is not an int or a tuple.
        ValueError: If a size is not positive.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.AdaptiveMaxPooling3D(4)(np.ones((1, 5, 6, 7, 3))).shape
    (1, 4, 4, 4, 3)
    """

    rank = 3
    mode = "max"

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(output_size, data_format=data_format, **kwargs)
