"""Zeros around images, and their removal."""

from __future__ import annotations

from pronghorn.ops.arguments import TensorLike, apply, as_tensor, placeholder
from pronghorn.ops.image.layout import check_rank
from pronghorn.ops.nn.layout import is_channels_first
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor

_SIDES = (("top", "bottom", "height"), ("left", "right", "width"))


def _given(
    name: str, what: str, before: int | None, after: int | None, target: int | None, side: int
) -> None:
    """Raises unless two of the three are given, none of them negative."""
    first, last, extent = _SIDES[side]
    values = {f"{first}_{what}": before, f"{last}_{what}": after, f"target_{extent}": target}
    if list(values.values()).count(None) != 1:
        shown = ", ".join(f"{n}={v}" for n, v in values.items())
        raise ValueError(
            f"{name}: Must specify exactly two of {', '.join(values)}. Received: {shown}."
        )
    for argument, value in values.items():
        _not_negative(name, argument, value)


def _not_negative(name: str, argument: str, value: int | None) -> None:
    if value is not None and value < 0:
        raise ValueError(f"{name}: {argument} must be >= 0. Received: {argument}={value}")


@op
def pad_images(
    images: TensorLike,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Returns images with zeros around them. Of each three arguments of a dimension two are given.

    Args:
        images: `(height, width, channels)`, or a batch of such images.
        top_padding: rows of zeros above.
        left_padding: columns of zeros on the left.
        bottom_padding: rows of zeros below.
        right_padding: columns of zeros on the right.
        target_height: height of the results.
        target_width: width of the results.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        Images of the same dtype.

    Raises:
        ValueError: if the rank is not 3 or 4, or arguments are missing, too many or negative.

    Example:

    >>> ops.image.pad_images(ops.ones((15, 25, 3)), 2, 3, target_height=20, target_width=30).shape
    (20, 30, 3)
    """
    x = as_tensor(images)
    check_rank("pad_images", x.shape)
    first = x.ndim - (2 if is_channels_first(data_format) else 3)
    low, high = [0] * x.ndim, [0] * x.ndim
    shape = list(x.shape)
    for side, (before, after, target) in enumerate(
        (
            (top_padding, bottom_padding, target_height),
            (left_padding, right_padding, target_width),
        )
    ):
        _given("pad_images", "padding", before, after, target, side)
        size = shape[first + side]
        if before is None:
            before = (target or 0) - (after or 0) - size
        if after is None:
            after = (target or 0) - before - size
        low[first + side], high[first + side] = before, after
        shape[first + side] = size + before + after
    if min(low + high) < 0:
        found = placeholder(shape, x)
        if found is not None:
            return found
    for side, names in enumerate(_SIDES):
        _not_negative("pad_images", f"{names[0]}_padding", low[first + side])
        _not_negative("pad_images", f"{names[1]}_padding", high[first + side])
    return apply("pad", x, low=low, high=high, value=0.0)


@op
def crop_images(
    images: TensorLike,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Returns images without their borders. Of each three arguments of a dimension two are given.

    Args:
        images: `(height, width, channels)`, or a batch of such images.
        top_cropping: rows that are removed above.
        left_cropping: columns that are removed on the left.
        bottom_cropping: rows that are removed below.
        right_cropping: columns that are removed on the right.
        target_height: height of the results.
        target_width: width of the results.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        Images of the same dtype.

    Raises:
        ValueError: if the rank is not 3 or 4, arguments are missing, too many or negative, or the
            images are too small.

    Example:

    >>> ops.image.crop_images(ops.ones((2, 8, 8, 3)), 1, 2, 3, 4).shape
    (2, 4, 2, 3)
    """
    x = as_tensor(images)
    check_rank("crop_images", x.shape)
    first = x.ndim - (2 if is_channels_first(data_format) else 3)
    begin, end = [0] * x.ndim, list(x.shape)
    for side, (before, after, target) in enumerate(
        (
            (top_cropping, bottom_cropping, target_height),
            (left_cropping, right_cropping, target_width),
        )
    ):
        _given("crop_images", "cropping", before, after, target, side)
        size = end[first + side]
        if before is None:
            before = size - (target or 0) - (after or 0)
        if target is None:
            target = size - before - (after or 0)
        begin[first + side], end[first + side] = before, before + target
    sizes = [b - a for a, b in zip(begin, end)]
    if min(begin + sizes) < 0 or any(b > n for b, n in zip(end, x.shape)):
        found = placeholder([max(n, 0) for n in sizes], x)
        if found is not None:
            return found
    for side, (before_name, _, extent) in enumerate(_SIDES):
        _not_negative("crop_images", f"{before_name}_cropping", begin[first + side])
        _not_negative("crop_images", f"target_{extent}", sizes[first + side])
        if end[first + side] > x.shape[first + side]:
            raise ValueError(
                f"crop_images: the {extent} that is left must be within the images. Received: "
                f"images.shape={x.shape}, {before_name}_cropping={begin[first + side]}, "
                f"target_{extent}={sizes[first + side]}."
            )
    return apply("slice", x, begin=begin, end=end, strides=[1] * x.ndim)
