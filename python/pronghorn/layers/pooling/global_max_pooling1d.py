"""GlobalMaxPooling1D: max over all positions of each channel."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.pooling.base_global_pooling import BaseGlobalPooling


class GlobalMaxPooling1D(BaseGlobalPooling):
    """Global max pooling over time: the largest over all positions, per channel.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        keepdims: Whether the spatial axes stay, with size 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, steps, channels)` with `"channels_last"`,
        `(batch, channels, steps)` with `"channels_first"`.

    Output shape:
        `(batch, channels)`; with `keepdims`, the input's rank with spatial axes of size 1.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.GlobalMaxPooling1D()(np.ones((2, 5, 3))).shape
    (2, 3)
    """

    rank = 1

    def call(self, inputs: Any) -> Any:
        """Returns the largest over the spatial axes."""
        return ops.max(inputs, axis=self.spatial_axes, keepdims=self.keepdims)
