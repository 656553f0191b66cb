"""GlobalAveragePooling1D: average over all positions of each channel."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.pooling.base_global_pooling import BaseGlobalPooling


class GlobalAveragePooling1D(BaseGlobalPooling):
    """Global average pooling over time: the mean over all positions, per channel.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        keepdims: Whether the spatial axes stay, with size 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: The tensor to pool.
        mask: Boolean mask `(batch, steps)`: only the steps where it is true count.

    Input shape:
        `(batch, steps, channels)` with `"channels_last"`,
        `(batch, channels, steps)` with `"channels_first"`.

    Output shape:
        `(batch, channels)`; with `keepdims`, the input's rank with spatial axes of size 1.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.GlobalAveragePooling1D()(np.ones((2, 5, 3))).shape
    (2, 3)
    """

    rank = 1

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, keepdims=keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Returns the mean over the steps, or over those where `mask` is true."""
        axis = self.spatial_axes[0]
        if mask is None:
            return ops.mean(inputs, axis=axis, keepdims=self.keepdims)
        expected = (inputs.shape[0], inputs.shape[axis])
        pairs = zip(mask.shape, expected)
        if len(mask.shape) != 2 or any(a != b for a, b in pairs if a is not None and b is not None):
            raise ValueError(
                f"{owner_name(self)}: expected a mask of shape (batch, steps) = {expected}. "
                f"Received: mask.shape={tuple(mask.shape)}, inputs.shape={tuple(inputs.shape)}."
            )
        weights = ops.expand_dims(
            ops.cast(mask, inputs.dtype), 2 if self.data_format == "channels_last" else 1
        )
        total = ops.sum(ops.multiply(inputs, weights), axis=axis, keepdims=self.keepdims)
        return ops.divide(total, ops.sum(weights, axis=axis, keepdims=self.keepdims))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Returns `None`: the axis of the mask is gone."""
        return None
