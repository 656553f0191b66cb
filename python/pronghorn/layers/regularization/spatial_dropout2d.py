"""SpatialDropout2D: drops whole channels of images while training."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.regularization.base_spatial_dropout import BaseSpatialDropout


class SpatialDropout2D(BaseSpatialDropout):
    """Dropout that sets whole channels to 0, at all positions together, and scales the others.

    Neighbouring positions of a convolution's output are alike, so that dropping single elements
    would hardly regularize. Source: Tompson et al., "Efficient Object Localization Using
    Convolutional Networks", 2015, section 3.2.

    Args:
        rate: Fraction of the channels to drop, from 0 to 1.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        seed: Seed of the layer's random numbers; `None`: drawn.
        name: Name of the layer.
        dtype: Dtype policy of the layer.

    Call arguments:
        inputs: Tensor of rank 4.
        training: Whether to drop.

    Input shape:
        `(batch, height, width, channels)` with `"channels_last"`,
        `(batch, channels, height, width)` with `"channels_first"`.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If `rate` is not from 0 to 1.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> y = keras.layers.SpatialDropout2D(0.5)(np.ones((2, 4, 4, 3)), training=True).numpy()
    >>> bool((y.max((1, 2)) == y.min((1, 2))).all())
    True
    """

    rank = 2

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, seed=seed, data_format=data_format, name=name, dtype=dtype)
