"""ZeroPadding1D: zeros around the input."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.reshaping.base_sides import BaseZeroPadding


class ZeroPadding1D(BaseZeroPadding):
    """Adds zeros before and after the time axis.

    Args:
        padding: An int for both ends, or a pair (before, after).
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, steps, channels)` with `"channels_last"`,
        `(batch, channels, steps)` with `"channels_first"`.

    Output shape:
        `(batch, new_steps, channels)` with `"channels_last"`,
        `(batch, channels, new_steps)` with `"channels_first"`.

    Raises:
        ValueError: If `padding` has another form or a negative amount.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.ZeroPadding1D(2)(np.ones((2, 3, 4))).shape
    (2, 7, 4)
    """

    rank = 1

    def __init__(
        self,
        padding: Any = 1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(padding, data_format=data_format, **kwargs)
