"""MaxPooling2D: max pooling over images."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.pooling.base_pooling import BasePooling


class MaxPooling2D(BasePooling):
    """Max pooling over images: the largest of each window, per channel.

    The output size along a dimension of size n is `floor((n - pool_size) / strides) + 1` with
    `padding="valid"` and `ceil(n / strides)` with `"same"`, where positions outside the input do
    not count.

    Args:
        pool_size: Size of the window, an int or a tuple of 2 ints.
        strides: Steps of the window. `None`: `pool_size`.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        name: Name of the layer.
        **kwargs: `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` with `"channels_last"`,
        `(batch, channels, height, width)` with `"channels_first"`.

    Output shape:
        `(batch, new_height, new_width, channels)` with `"channels_last"`,
        `(batch, channels, new_height, new_width)` with `"channels_first"`.

    Raises:
        ValueError: If an argument is out of range, or the window is larger than the input.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.MaxPooling2D(2)(np.ones((1, 5, 5, 3))).shape
    (1, 2, 2, 3)
    """

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            pool_size,
            strides,
            pool_dimensions=2,
            pool_mode="max",
            padding=padding,
            data_format=data_format,
            name=name,
            **kwargs,
        )
