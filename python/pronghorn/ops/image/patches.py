"""Patches of images and volumes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn.ops.arguments import TensorLike, apply, as_tensor, per_dimension
from pronghorn.ops.nn.layout import (
    check_output,
    check_padding,
    is_channels_first,
    to_channels_first,
    to_channels_last,
    window_pads,
)
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor, convert_to_tensor


@op
def extract_patches(
    images: TensorLike,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Returns the patches of images, or of volumes for a size of three.

    Args:
        images: `(height, width, channels)`, or a batch of such images; for volumes `(depth,
            height, width, channels)`.
        size: an int, or a tuple of 2 (images) or 3 (volumes) ints.
        strides: the distance between patches; by default `size`.
        dilation_rate: the distance between the elements of a patch.
        padding: `"valid"` for patches within the image, `"same"` for zeros around it.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        `(rows, columns, height * width * channels of a patch)`, with the batch in front if there is
        one.

    Raises:
        TypeError: if `size` is no int or tuple.
        ValueError: if ranks or sizes do not fit.

    Example:

    >>> ops.image.extract_patches(ops.ones((2, 20, 20, 3)), (5, 5)).shape
    (2, 4, 4, 75)
    """
    if not isinstance(size, int):
        if not isinstance(size, (tuple, list)):
            raise TypeError(
                "extract_patches: Invalid `size` argument. Expected an int or a tuple. "
                f"Received: size={size} of type {type(size).__name__}"
            )
        if len(size) not in (2, 3):
            raise ValueError(
                "extract_patches: Invalid `size` argument. Expected a tuple of length 2 or 3. "
                f"Received: size={size} with length {len(size)}"
            )
    n = 2 if isinstance(size, int) else len(size)
    name = "extract_patches"
    return _patches(name, images, n, size, strides, dilation_rate, padding, data_format)


@op
def extract_patches_3d(
    volumes: TensorLike,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Returns the patches of volumes.

    Args:
        volumes: `(depth, height, width, channels)`, or a batch of such volumes.
        size: an int or a tuple of 3 ints.
        strides: the distance between patches; by default `size`.
        dilation_rate: the distance between the elements of a patch.
        padding: `"valid"` for patches within the volume, `"same"` for zeros around it.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        `(layers, rows, columns, depth * height * width * channels of a patch)`, with the batch in
        front if there is one.

    Raises:
        ValueError: if ranks or sizes do not fit.

    Example:

    >>> ops.image.extract_patches_3d(ops.ones((10, 10, 10, 3)), 3).shape
    (3, 3, 3, 81)
    """
    return _patches(
        "extract_patches_3d", volumes, 3, size, strides, dilation_rate, padding, data_format
    )


def _patches(
    name: str,
    images: TensorLike,
    n: int,
    size: Any,
    strides: Any,
    dilation_rate: Any,
    padding: str,
    data_format: str | None,
) -> Tensor:
    x = as_tensor(images)
    if x.ndim not in (n + 1, n + 2):
        raise ValueError(
            f"{name}: expected rank {n + 1}, or {n + 2} for a batch. Received: shape={x.shape}."
        )
    window = per_dimension(size, n, name, "size")
    steps = per_dimension(window if strides is None else strides, n, name, "strides")
    dilations = per_dimension(dilation_rate, n, name, "dilation_rate")
    padding = check_padding(padding, name)
    single = x.ndim == n + 1
    if single:
        x = apply("reshape", x, shape=[1, *x.shape])
    first = is_channels_first(data_format)
    if first:
        x = to_channels_last(x)
    batch, channels = x.shape[0], x.shape[-1]
    low, high = window_pads(list(x.shape[1:-1]), window, steps, dilations, padding)
    check_output(name, x, window, dilations, (low, high))
    if any(low + high):
        x = apply("pad", x, low=[0, *low, 0], high=[0, *high, 0], value=0.0)
    counts = []
    for i, (k, s, d) in enumerate(zip(window, steps, dilations)):
        axis = 1 + 2 * i
        counts.append((x.shape[axis] - (k - 1) * d - 1) // s + 1)
        places = np.arange(counts[-1])[:, None] * s + np.arange(k) * d
        if k == s and d == 1:  # patches side by side: no element moves
            begin, end = [0] * x.ndim, list(x.shape)
            end[axis] = counts[-1] * k
            x = apply("slice", x, begin=begin, end=end, strides=[1] * x.ndim)
            x = apply("reshape", x, shape=[*x.shape[:axis], counts[-1], k, *x.shape[axis + 1 :]])
        else:
            x = apply("gather", x, convert_to_tensor(places.astype(np.int32)), axis=axis)
    # (batch, rows, patch rows, columns, patch columns, channels)
    places_axes = list(range(1, 2 * n + 1, 2))
    inner_axes = list(range(2, 2 * n + 2, 2))
    x = apply("transpose", x, axes=[0, *places_axes, *inner_axes, 2 * n + 1])
    x = apply("reshape", x, shape=[batch, *counts, int(np.prod(window)) * channels])
    if first:
        x = to_channels_first(x)
    return apply("reshape", x, shape=list(x.shape[1:])) if single else x
