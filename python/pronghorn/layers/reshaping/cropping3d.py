"""Cropping3D: removes the ends of the input."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.reshaping.base_sides import BaseCropping


class Cropping3D(BaseCropping):
    """Removes positions at both ends of each spatial dimension.

    Args:
        cropping: An int for all ends; 3 ints (depth, height, width) for both ends of each
            dimension; or 3 pairs (before, after), one per dimension.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, depth, height, width, channels)` with `"channels_last"`,
        `(batch, channels, depth, height, width)` with `"channels_first"`.

    Output shape:
        `(batch, new_depth, new_height, new_width, channels)` with `"channels_last"`,
        `(batch, channels, new_depth, new_height, new_width)` with `"channels_first"`.

    Raises:
        ValueError: If `cropping` has another form or a negative amount, or nothing would be left.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Cropping3D(1)(np.ones((1, 4, 5, 6, 1))).shape
    (1, 2, 3, 4, 1)
    """

    rank = 3

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, data_format=data_format, **kwargs)
