"""Blocks of pixels to channels and back; patches of images and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn.ops.arguments import TensorLike, apply, as_float, as_tensor, per_dimension
from pronghorn.ops.nn.layout import is_channels_first, to_channels_first, to_channels_last
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor, convert_to_tensor


def _image(name: str, x: TensorLike, block_size: int, data_format: str) -> tuple[Tensor, bool]:
    if not isinstance(block_size, int) or block_size < 2:
        raise ValueError(f"`block_size` must be at least 2. Received: block_size={block_size}")
    x = as_tensor(x)
    if x.ndim != 4:
        raise ValueError(f"{name}: expected rank 4. Received: x.shape={x.shape}.")
    first = is_channels_first(data_format)
    return (to_channels_last(x) if first else x), first


@op
def depth_to_space(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Spreads the channels of each pixel over a block of pixels.

    Args:
        x: images, `(batch, height, width, channels)`.
        block_size: the side of a block.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Images of shape `(batch, height * block, width * block, channels / block**2)`.

    Raises:
        ValueError: if the channels do not divide.

    Example:

    >>> ops.depth_to_space(ops.zeros((1, 2, 2, 4)), 2).shape
    (1, 4, 4, 1)
    """
    x, first = _image("depth_to_space", x, block_size, data_format)
    b, h, w, c = x.shape
    k = block_size
    if c % (k * k):
        raise ValueError(
            "depth_to_space: the number of channels must be divisible by block_size**2. "
            f"Received: channels={c}, block_size={k}."
        )
    rest = c // (k * k)
    order = [0, 1, 3, 2, 4, 5]
    found = apply("reshape", x, shape=[b, h, w, k, k, rest])
    if first:  # channels-first images have the block after the channels that stay
        found = apply("reshape", x, shape=[b, h, w, rest, k, k])
        order = [0, 1, 4, 2, 5, 3]
    found = apply("transpose", found, axes=order)
    found = apply("reshape", found, shape=[b, h * k, w * k, rest])
    return to_channels_first(found) if first else found


@op
def space_to_depth(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Gathers blocks of pixels into the channels of one pixel.

    Args:
        x: images, `(batch, height, width, channels)`.
        block_size: the side of a block.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Images of shape `(batch, height / block, width / block, channels * block**2)`.

    Raises:
        ValueError: if the sides do not divide.

    Example:

    >>> ops.space_to_depth(ops.zeros((1, 4, 4, 1)), 2).shape
    (1, 2, 2, 4)
    """
    x, first = _image("space_to_depth", x, block_size, data_format)
    b, h, w, c = x.shape
    k = block_size
    if h % k or w % k:
        raise ValueError(
            "space_to_depth: height and width must be divisible by block_size. "
            f"Received: height={h}, width={w}, block_size={k}."
        )
    found = apply("reshape", x, shape=[b, h // k, k, w // k, k, c])
    order = [0, 1, 3, 5, 2, 4] if first else [0, 1, 3, 2, 4, 5]
    found = apply("transpose", found, axes=order)
    found = apply("reshape", found, shape=[b, h // k, w // k, c * k * k])
    return to_channels_first(found) if first else found


def _pair(value: Any, name: str, argument: str, least: int = 1) -> list[int]:
    if least == 0:
        given = list(value) if isinstance(value, (tuple, list)) else [value, value]
        if len(given) != 2 or any(not isinstance(v, int) or v < 0 for v in given):
            raise ValueError(f"{name}: `{argument}` must not be negative. Received: {value}.")
        return given
    return per_dimension(value, 2, name, argument)


@op
def unfold(
    x: TensorLike, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Returns the patches of images, one in each column.

    Args:
        x: images, `(batch, channels, height, width)`.
        kernel_size: the size of a patch, an int or a pair.
        dilation: the distance between elements of a patch.
        padding: how many zeros are added on each side.
        stride: the distance between patches.

    Returns:
        A tensor of shape `(batch, channels * patch_size, patches)`.

    Raises:
        ValueError: if the rank is not 4 or an option is not valid.

    Example:

    >>> ops.unfold(ops.zeros((1, 2, 4, 4)), 2, stride=2).shape
    (1, 8, 4)
    """
    x = as_tensor(x)
    if x.ndim != 4:
        raise ValueError(f"unfold: expected rank 4. Received: x.shape={x.shape}.")
    k, d = _pair(kernel_size, "unfold", "kernel_size"), _pair(dilation, "unfold", "dilation")
    s, p = _pair(stride, "unfold", "stride"), _pair(padding, "unfold", "padding", 0)
    b, c = x.shape[:2]
    x = apply("pad", x, low=[0, 0, *p], high=[0, 0, *p], value=0.0)
    counts = [(x.shape[i + 2] - (k[i] - 1) * d[i] - 1) // s[i] + 1 for i in (0, 1)]
    if min(counts) < 1:
        raise ValueError(f"unfold: patches must fit into images. Received: x.shape={x.shape}.")
    for i, axis in ((0, 2), (1, 4)):
        places = np.arange(k[i])[:, None] * d[i] + np.arange(counts[i]) * s[i]
        x = apply("gather", x, convert_to_tensor(places.astype(np.int32)), axis=axis)
    # (b, c, kh, oh, kw, ow)
    found = apply("transpose", x, axes=[0, 1, 2, 4, 3, 5])
    return apply("reshape", found, shape=[b, c * k[0] * k[1], counts[0] * counts[1]])


@op
def fold(
    x: TensorLike,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """Returns images of which patches are given; where they overlap they are summed.

    Args:
        x: patches as `unfold` gives them, `(batch, channels * patch_size, patches)`.
        output_size: the height and width of images.
        kernel_size: the size of a patch, an int or a pair.
        dilation: the distance between elements of a patch.
        padding: how many pixels are cut off on each side.
        stride: the distance between patches.

    Returns:
        Images, `(batch, channels, height, width)`.

    Raises:
        ValueError: if the shapes do not fit.

    Example:

    >>> ops.fold(ops.ones((1, 8, 4)), (4, 4), 2, stride=2).shape
    (1, 2, 4, 4)
    """
    x = as_float(x)
    size, k = _pair(output_size, "fold", "output_size"), _pair(kernel_size, "fold", "kernel_size")
    d, s = _pair(dilation, "fold", "dilation"), _pair(stride, "fold", "stride")
    p = _pair(padding, "fold", "padding", 0)
    counts = [(size[i] + 2 * p[i] - (k[i] - 1) * d[i] - 1) // s[i] + 1 for i in (0, 1)]
    patch = k[0] * k[1]
    if x.ndim != 3 or x.shape[1] % patch or x.shape[2] != counts[0] * counts[1]:
        raise ValueError(
            f"fold: expected shape (batch, channels * {patch}, {counts[0] * counts[1]}). "
            f"Received: x.shape={x.shape}."
        )
    channels = x.shape[1] // patch
    # Each element of a patch is a channel of the small image that its own unit kernel made.
    small = apply("reshape", x, shape=[x.shape[0] * channels, patch, *counts])
    small = to_channels_last(small)
    unit = np.eye(patch, dtype=np.float32).reshape(k[0], k[1], 1, patch)
    found = apply(
        "conv_dx",
        small,
        as_tensor(convert_to_tensor(unit), x.dtype),
        strides=s,
        dilations=d,
        pads_low=p,
        pads_high=p,
        groups=1,
        input_spatial=size,
    )
    return apply("reshape", found, shape=[x.shape[0], channels, *size])
