"""Cropping2D: removes the ends of the input."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.reshaping.base_sides import BaseCropping


class Cropping2D(BaseCropping):
    """Removes positions at both ends of each spatial dimension.

    Args:
        cropping: An int for all ends; 2 ints (height, width) for both ends of each
            dimension; or 2 pairs (before, after), one per dimension.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` with `"channels_last"`,
        `(batch, channels, height, width)` with `"channels_first"`.

    Output shape:
        `(batch, new_height, new_width, channels)` with `"channels_last"`,
        `(batch, channels, new_height, new_width)` with `"channels_first"`.

    Raises:
        ValueError: If `cropping` has another form or a negative amount, or nothing would be left.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Cropping2D(((1, 1), (0, 2)))(np.ones((2, 5, 8, 1))).shape
    (2, 3, 6, 1)
    """

    rank = 2

    def __init__(
        self,
        cropping: Any = ((0, 0), (0, 0)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, data_format=data_format, **kwargs)
