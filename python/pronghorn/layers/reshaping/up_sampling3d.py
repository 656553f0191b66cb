"""UpSampling3D: repeats the positions of volumes."""

from __future__ import annotations

from typing import Any

from pronghorn.config import standardize_data_format
from pronghorn.layers.arguments import Shape, integer_tuple
from pronghorn.layers.convolutional.geometry import check_rank, join_shape, spatial_part
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.reshaping.up_sampling1d import repeat_axes
from pronghorn.layers.spatial_layer import SpatialLayer


class UpSampling3D(SpatialLayer):
    """Repeats each position `size[i]` times along spatial dimension i.

    Args:
        size: Factors (depth, height, width), or one int for all.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, depth, height, width, channels)` with `"channels_last"`,
        `(batch, channels, depth, height, width)` with `"channels_first"`.

    Output shape:
        The input's shape with the spatial sizes multiplied by `size`.

    Raises:
        ValueError: If `size` is not 3 positive integers.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.UpSampling3D(2)(np.ones((1, 1, 2, 1, 3))).shape
    (1, 2, 4, 2, 3)
    """

    def __init__(
        self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rank = 3
        self.data_format = standardize_data_format(data_format)
        self.size = integer_tuple("UpSampling3D", "size", size, 3)
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Any) -> Any:
        """Returns the enlarged volumes."""
        first = 1 if self.data_format == "channels_last" else 2
        return repeat_axes(inputs, {first + i: f for i, f in enumerate(self.size)})

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape of the output for inputs of `input_shape`."""
        check_rank(self, input_shape, 3, self.data_format)
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
        }
