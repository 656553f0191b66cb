"""UpSampling2D: enlarges images by whole factors."""

from __future__ import annotations

import math
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

    `"nearest"` repeats rows and columns. The others compute row i of the output at the input
    position `p = (i + 0.5) / factor - 0.5` as `sum_j k(p - j) x_j / sum_j k(p - j)`, and columns
    alike, with the kernel k: `"bilinear"` `max(1 - |d|, 0)`; `"bicubic"` the cubic of Keys,
    "Cubic convolution interpolation for digital image processing", 1981, with a = -1/2;
    `"lanczos3"` and `"lanczos5"` `sinc(d) sinc(d / a)` for `|d| < a`.

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
        for i, factor in enumerate(self.size):
            inputs = _interpolate(inputs, first + i, factor, self.interpolation)
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


def _kernel(interpolation: str, distance: np.ndarray) -> np.ndarray:
    # The weight of an input at some distance, in pixels.
    d = np.abs(distance)
    weight: np.ndarray
    if interpolation == "bilinear":
        weight = np.maximum(1 - d, 0)
    elif interpolation == "bicubic":
        near = (1.5 * d - 2.5) * d * d + 1
        far = ((-0.5 * d + 2.5) * d - 4) * d + 2
        weight = np.where(d < 1, near, np.where(d < 2, far, 0))
    else:
        radius = int(interpolation[-1])
        weight = np.where(d < radius, np.sinc(d) * np.sinc(d / radius), 0)
    return weight


def _interpolate(x: Any, axis: int, factor: int, interpolation: str) -> Any:
    # Interpolation is linear: a product with a matrix (factor * n, n) along the axis.
    if factor == 1:
        return x
    n = x.shape[axis]
    place = (np.arange(n * factor) + 0.5) / factor - 0.5
    weights = _kernel(interpolation, place[:, None] - np.arange(n))
    weights = weights / weights.sum(axis=1, keepdims=True)
    matrix = ops.cast(ops.convert_to_tensor(weights.astype("float32")), x.dtype)
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    flat = ops.reshape(x, (math.prod(before), n, math.prod(after)))
    return ops.reshape(ops.matmul(matrix, flat), (*before, n * factor, *after))
