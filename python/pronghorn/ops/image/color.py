"""Colours: grey values, and hue, saturation and value."""

from __future__ import annotations

from typing import Any

from pronghorn import dtypes
from pronghorn.ops import numpy as knp
from pronghorn.ops.arguments import TensorLike, as_tensor, is_float
from pronghorn.ops.image.layout import channel_axis
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor

# The luma of ITU-R BT.601.
_LUMA = (0.2989, 0.5870, 0.1140)
_EPSILON = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


@op
def rgb_to_grayscale(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Returns the grey values of colours: 0.2989 red + 0.587 green + 0.114 blue.

    Args:
        images: `(height, width, 3)`, or a batch of such images; images of one channel stay.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        Images of one channel and of the same dtype.

    Raises:
        ValueError: if the rank is not 3 or 4, or there are not 1 or 3 channels.

    Example:

    >>> ops.image.rgb_to_grayscale(ops.ones((2, 4, 4, 3))).shape
    (2, 4, 4, 1)
    """
    x, axis = channel_axis("rgb_to_grayscale", images, data_format)
    if x.shape[axis] not in (1, 3):
        raise ValueError(
            "rgb_to_grayscale: Invalid channel size: expected 3 (RGB) or 1 (Grayscale). "
            f"Received: images.shape={x.shape}."
        )
    if x.shape[axis] == 1:
        return x
    red, green, blue = knp.split(as_tensor(x, dtypes.result_type(x.dtype, float)), 3, axis)
    return as_tensor(red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2], x.dtype)


def _planes(name: str, images: TensorLike, data_format: str | None) -> tuple[Tensor, int, Any]:
    x, axis = channel_axis(name, images, data_format)
    if not is_float(x):
        raise ValueError(
            f"{name}: Invalid images dtype: expected float dtype. Received: images.dtype={x.dtype}."
        )
    if x.shape[axis] != 3:
        raise ValueError(
            f"{name}: Input images must have 3 channels, but received images with {x.shape[axis]} "
            f"channels. Received: images.shape={x.shape}."
        )
    return x, axis, knp.split(x, 3, axis)


@op
def rgb_to_hsv(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Returns hue, saturation and value of colours (Smith, "Color gamut transform pairs", 1978).

    Args:
        images: floats from 0 to 1, `(height, width, 3)`, or a batch of such images.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        Images of the same shape and dtype, with hue, saturation and value from 0 to 1.

    Raises:
        ValueError: if rank, channels or dtype are not such.

    Example:

    >>> ops.image.rgb_to_hsv([[[1.0, 0.5, 0.5]]]).numpy()
    array([[[0. , 0.5, 1. ]]], dtype=float32)
    """
    x, axis, (red, green, blue) = _planes("rgb_to_hsv", images, data_format)
    least = _EPSILON[x.dtype]
    red, green, blue = (
        knp.where(knp.abs(plane) < least, knp.zeros_like(plane), plane)
        for plane in (red, green, blue)
    )
    value = knp.maximum(knp.maximum(red, green), blue)
    span = value - knp.minimum(knp.minimum(red, green), blue)
    zero, one = knp.zeros_like(value), knp.ones_like(value)
    saturation = knp.where(value > 0, span / knp.where(value > 0, value, one), zero)
    sixth = 1.0 / (6.0 * knp.where(span > 0, span, one))
    hue = knp.where(
        value == green, sixth * (blue - red) + 2.0 / 6.0, sixth * (red - green) + 4.0 / 6.0
    )
    hue = knp.where(value == red, sixth * (green - blue), hue)
    hue = knp.where(span > 0, hue, zero) + as_tensor(hue < 0, x.dtype)
    return knp.concatenate([hue, saturation, value], axis)


@op
def hsv_to_rgb(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Returns the colours of hue, saturation and value: the inverse of `rgb_to_hsv`.

    Args:
        images: floats from 0 to 1, `(height, width, 3)`, or a batch of such images.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        Images of the same shape and dtype, with red, green and blue from 0 to 1.

    Raises:
        ValueError: if rank, channels or dtype are not such.

    Example:

    >>> ops.image.hsv_to_rgb([[[0.0, 0.5, 1.0]]]).numpy()
    array([[[1. , 0.5, 0.5]]], dtype=float32)
    """
    _, axis, (hue, saturation, value) = _planes("hsv_to_rgb", images, data_format)
    sixths = knp.mod(hue, 1.0) * 6.0
    shares = (
        knp.clip(knp.abs(sixths - 3.0) - 1.0, 0.0, 1.0),
        knp.clip(2.0 - knp.abs(sixths - 2.0), 0.0, 1.0),
        knp.clip(2.0 - knp.abs(sixths - 4.0), 0.0, 1.0),
    )
    grey = 1.0 - saturation
    return knp.concatenate([value * (grey + saturation * share) for share in shares], axis)
