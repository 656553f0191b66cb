"""UpSampling2D: enlarges images by whole factors."""

from __future__ import annotations

from typing import Any

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

    `"nearest"` repeats rows and columns; `ops.image.resize` has the formulas of the others.

    Args:
        size: Factors (height, width), or one int for both.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` with `"channels_last"`,
        `(batch, channels, height, width)` with `"channels_first"`.

    Output shape:
        `(batch, height * size[0], width * size[1], channels)` with `"channels_last"`,
        `(batch, channels, height * size[0], width * size[1])` with `"channels_first"`.

    Raises:
        ValueError: If `size` or `interpolation` is wrong.

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
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        """Returns the enlarged images."""
        first = 1 if self.data_format == "channels_last" else 2
        if self.interpolation == "nearest":
            return repeat_axes(inputs, {first: self.size[0], first + 1: self.size[1]})
        sizes: Any = spatial_part(inputs.shape, self.data_format)
        size = [n * factor for n, factor in zip(sizes, self.size)]
        return ops.image.resize(
            inputs, size, interpolation=self.interpolation, data_format=self.data_format
        )

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
