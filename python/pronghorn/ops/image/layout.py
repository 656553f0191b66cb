"""Images as the functions here take them: one or a batch, channels last or first."""

from __future__ import annotations

from typing import Any

from pronghorn import dtypes
from pronghorn.ops import core
from pronghorn.ops import numpy as knp
from pronghorn.ops.arguments import TensorLike, apply, as_tensor
from pronghorn.ops.nn.layout import is_channels_first, to_channels_first, to_channels_last
from pronghorn.tensor import Tensor


def check_rank(name: str, shape: Any, argument: str = "images") -> None:
    """Raises unless a shape is that of an image or a batch of images."""
    if len(shape) not in (3, 4):
        raise ValueError(
            f"{name}: Invalid {argument} rank: expected rank 3 (single image) or rank 4 (batch of "
            f"images). Received: {argument}.shape={tuple(shape)}."
        )


class Layout:
    """How images were given, and how results are given back.

    Args:
        name: the function, for errors.
        images: `(height, width, channels)`, a batch of them, or channels first.
        data_format: `"channels_last"`, `"channels_first"` or `None` for the default.
    """

    def __init__(self, name: str, images: TensorLike, data_format: str | None) -> None:
        x = as_tensor(images)
        check_rank(name, x.shape)
        self.single = x.ndim == 3
        self.first = is_channels_first(data_format)
        if self.single:
            x = apply("reshape", x, shape=[1, *x.shape])
        #: The images as (batch, height, width, channels).
        self.images = to_channels_last(x) if self.first else x

    def restore(self, images: Tensor) -> Tensor:
        """Returns `(batch, height, width, channels)` as the images were given."""
        if self.first:
            images = to_channels_first(images)
        if self.single:
            images = apply("reshape", images, shape=list(images.shape[1:]))
        return images


def channel_axis(name: str, images: TensorLike, data_format: str | None) -> tuple[Tensor, int]:
    """Returns images as a tensor, and the axis of their channels counted from the end."""
    x = as_tensor(images)
    check_rank(name, x.shape)
    return x, -3 if is_channels_first(data_format) else -1


def cast_back(x: Tensor, dtype: str) -> Tensor:
    """Returns `x` in a dtype: rounded and limited to its range if that is an integer one."""
    if x.dtype == dtype:
        return x
    if dtype not in dtypes.FLOAT_DTYPES and dtype != "bool":
        x = knp.round(x)
    found: Tensor = core.saturate_cast(x, dtype)
    return found
