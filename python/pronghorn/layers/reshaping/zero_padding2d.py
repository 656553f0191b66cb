"""ZeroPadding2D: zeros around the input."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.reshaping.base_sides import BaseZeroPadding


class ZeroPadding2D(BaseZeroPadding):
    """Adds zeros before and after each spatial dimension.

    Args:
        padding: An int for all ends; 2 ints (height, width) for both ends of each
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
        ValueError: If `padding` has another form or a negative amount.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.ZeroPadding2D((1, 2))(np.ones((2, 3, 4, 1))).shape
    (2, 5, 8, 1)
    """

    rank = 2

    def __init__(
        self,
        padding: Any = (1, 1),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(padding, data_format=data_format, **kwargs)
