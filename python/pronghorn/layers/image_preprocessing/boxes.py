"""Random rectangles in images, for layers that replace a part of each image."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import per_image


def random_span(batch: int, length: int, share: Any, seed: Any) -> tuple[Any, Any]:
    """Draws where a part of an axis begins and ends, in pixels.

    Args:
        batch: How many are drawn.
        length: Length of the axis.
        share: Length of the parts, as shares of the axis, `(batch,)`.
        seed: Where random numbers come from.
    """
    size = share * float(length)
    start = random.uniform((batch,), seed=seed) * (float(length) - size)
    return start, start + size


def box_masks(
    rows: tuple[Any, Any], columns: tuple[Any, Any], height: int, width: int, data_format: str
) -> Any:
    """Returns masks of rectangles, which broadcast to images.

    Args:
        rows: Where they begin and end, each `(batch,)`.
        columns: Alike.
        height: Height of the images.
        width: Width of the images.
        data_format: `"channels_last"` or `"channels_first"`.
    """
    first = 1 if data_format == "channels_last" else 2
    y, x = (
        ops.reshape(ops.arange(length, dtype="float32"), [-1 if a == axis else 1 for a in range(4)])
        for axis, length in ((first, height), (first + 1, width))
    )
    (top, bottom), (left, right) = (tuple(map(per_image, ends)) for ends in (rows, columns))
    in_rows = ops.logical_and(y >= top, y < bottom)
    in_columns = ops.logical_and(x >= left, x < right)
    return ops.logical_and(in_rows, in_columns)
