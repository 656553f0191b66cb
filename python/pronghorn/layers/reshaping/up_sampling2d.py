"""UpSampling2D: enlarges images by whole factors."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import ops
from pronghorn.config import standardize_data_format
from pronghorn.layers.arguments import Shape, integer_tuple, one_of
from pronghorn.layers.convolutional.geometry import check_rank, join_shape, spatial_part
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.reshaping.up_sampling1d import repeat_axes
from pronghorn.layers.spatial_layer import SpatialLayer

_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


class UpSampling2D(SpatialLayer):
    """Enlarges images by whole factors.

    `"nearest"` repeats rows and columns. `"bilinear"` interpolates linearly between the centres of
    the pixels: output row i lies at input row `(i + 0.5) / factor - 0.5`; beyond the outermost
    centres the outermost pixel is repeated.

    Args:
        size: Factors (height, width), or one int for both.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        interpolation: `"nearest"` or `"bilinear"`. `"bicubic"`, `"lanczos3"` and `"lanczos5"` are
            not supported yet.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` with `"channels_last"`,
        `(batch, channels, height, width)` with `"channels_first"`.

    Output shape:
        `(batch, height * size[0], width * size[1], channels)` with `"channels_last"`,
        `(batch, channels, height * size[0], width * size[1])` with `"channels_first"`.

    Raises:
        ValueError: If `size` or `interpolation` is wrong.
        NotImplementedError: For an interpolation that is not supported.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.UpSampling2D((1, 2))(np.ones((2, 2, 1, 3))).shape
    (2, 2, 2, 3)
    """

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rank = 2
        self.data_format = standardize_data_format(data_format)
        self.size = integer_tuple("UpSampling2D", "size", size, 2)
        self.interpolation = one_of("UpSampling2D", "interpolation", interpolation, _INTERPOLATIONS)
        if self.interpolation not in ("nearest", "bilinear"):
            raise NotImplementedError(
                "UpSampling2D: expected interpolation 'nearest' or 'bilinear', the ones that are "
                f"supported. Received: interpolation={interpolation!r}."
            )
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        """Returns the enlarged images."""
        first = 1 if self.data_format == "channels_last" else 2
        if self.interpolation == "nearest":
            return repeat_axes(inputs, {first: self.size[0], first + 1: self.size[1]})
        for i, factor in enumerate(self.size):
            inputs = _interpolate(inputs, first + i, factor)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape of the output for inputs of `input_shape`."""
        check_rank(self, input_shape, 2, self.data_format)
        sizes = spatial_part(input_shape, self.data_format)
        output = tuple(None if n is None else n * f for n, f in zip(sizes, self.size))
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        return join_shape(input_shape[0], output, channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "size": self.size,
            "data_format": self.data_format,
            "interpolation": self.interpolation,
        }


def _interpolate(x: Any, axis: int, factor: int) -> Any:
    # y(i) = (1 - w) * x(low) + w * x(low + 1) with low + w = (i + 0.5) / factor - 0.5, clipped.
    if factor == 1:
        return x
    n = x.shape[axis]
    place = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
    low = np.floor(place).astype("int32")
    high = np.minimum(low + 1, n - 1).astype("int32")
    weight = (place - low).astype("float32").reshape((-1,) + (1,) * (len(x.shape) - 1 - axis))
    w = ops.cast(ops.convert_to_tensor(weight), x.dtype)
    below = ops.multiply(ops.take(x, low, axis=axis), ops.subtract(1.0, w))
    return ops.add(below, ops.multiply(ops.take(x, high, axis=axis), w))
