"""Cropping1D: removes the ends of the input."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.reshaping.base_sides import BaseCropping


class Cropping1D(BaseCropping):
    """Removes positions at both ends of the time axis.

    Args:
        cropping: An int for both ends, or a pair (before, after).
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, new_steps, channels)`.

    Raises:
        ValueError: If `cropping` has another form or a negative amount, or nothing would be left.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Cropping1D((1, 2))(np.ones((2, 7, 4))).shape
    (2, 4, 4)
    """

    rank = 1

    def __init__(
        self,
        cropping: Any = (1, 1),
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, data_format="channels_last", **kwargs)
