"""Values of images between pixels: what warping of images is made of."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pronghorn.ops import joining
from pronghorn.ops import numpy as knp
from pronghorn.ops.arguments import TensorLike, apply, as_tensor
from pronghorn.ops.image.layout import cast_back
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor, convert_to_tensor

ORDERS = {"nearest": 0, "bilinear": 1}
FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def check_interpolation(name: str, interpolation: str) -> int:
    """Returns the order of an interpolation, 0 for nearest and 1 for bilinear."""
    if interpolation not in ORDERS:
        raise ValueError(
            f"{name}: Invalid value for argument `interpolation`. Expected of one {tuple(ORDERS)}. "
            f"Received: interpolation={interpolation}"
        )
    return ORDERS[interpolation]


def check_fill_mode(name: str, fill_mode: str) -> None:
    """Raises unless a fill mode is known."""
    if fill_mode not in FILL_MODES:
        raise ValueError(
            f"{name}: Invalid value for argument `fill_mode`. Expected of one {FILL_MODES}. "
            f"Received: fill_mode={fill_mode}"
        )


def _inside(index: Tensor, size: int, fill_mode: str) -> Tensor:
    """Returns int32 indices moved into 0, ..., size - 1 in the way of a fill mode."""
    last = size - 1
    if fill_mode == "wrap":
        return knp.mod(index, size)
    if fill_mode == "mirror" and size > 1:  # d c b | a b c d | c b a
        index = knp.mod(index, 2 * last)
        return last - knp.abs(last - index)
    if fill_mode == "reflect":  # d c b a | a b c d | d c b a
        index = knp.mod(index, 2 * size)
        return knp.minimum(index, 2 * size - 1 - index)
    return knp.clip(index, 0, last)


def _round_half_away(x: Tensor) -> Tensor:
    return knp.sign(x) * knp.floor(knp.abs(x) + 0.5)


def sample(
    images: Tensor, places: Sequence[Tensor], order: int, fill_mode: str, fill_value: Any
) -> Tensor:
    """Returns the values of images at places between pixels.

    Args:
        images: `(batch, spatial..., channels)`.
        places: float32 coordinates `(batch, points)`, one tensor for each spatial axis; a batch of
            1 stands for all images.
        order: 0 for the nearest pixel, 1 for linear interpolation.
        fill_mode: what lies outside, see `map_coordinates`.
        fill_value: for `"constant"`.

    Returns:
        `(batch, points, channels)` of the dtype of the images.
    """
    batch, sizes, channels = images.shape[0], images.shape[1:-1], images.shape[-1]
    points = places[0].shape[-1]
    flat = apply("reshape", images, shape=[batch * math.prod(sizes), channels])
    fill = as_tensor(fill_value, "float32")
    # For each axis the neighbours: index, weight, and whether it lies inside.
    axes: list[list[tuple[Tensor, Any, Any]]] = []
    for place, size in zip(places, sizes):
        neighbours: list[tuple[Tensor, Any, Any]] = []
        low = _round_half_away(place) if order == 0 else knp.floor(place)
        share = place - low
        steps: list[tuple[Tensor, Any]] = [(low, 1.0 - share), (low + 1.0, share)]
        if order == 0:
            steps = [(low, None)]
        for corner, weight in steps:
            index = as_tensor(corner, "int32")
            valid: Any = None
            if fill_mode == "constant":
                valid = knp.logical_and(index >= 0, index < size)
            neighbours.append((_inside(index, size, fill_mode), weight, valid))
        axes.append(neighbours)
    offset = convert_to_tensor((np.arange(batch, dtype=np.int32) * math.prod(sizes))[:, None])
    total: Any = None
    for corner_axes in itertools.product(*axes):
        index, weight, inside = _combined(corner_axes, sizes)
        found = apply("gather", flat, index + offset, axis=0)
        if order == 1 or fill_mode == "constant":
            found = as_tensor(found, "float32")
        if inside is not None:
            found = knp.where(_per_point(inside), found, fill)
        if weight is not None:
            found = found * _per_point(weight)
        total = found if total is None else total + found
    total = apply("reshape", total, shape=[batch, points, channels])
    return cast_back(total, images.dtype)


def _combined(
    corner: Sequence[tuple[Tensor, Any, Any]], sizes: Sequence[int]
) -> tuple[Tensor, Any, Any]:
    """Returns flat index, weight and validity of one neighbour, from those along each axis."""
    index, weight, inside = corner[0]
    for (i, w, v), size in zip(corner[1:], sizes[1:]):
        index = index * size + i
        weight = None if w is None else weight * w
        inside = None if v is None else knp.logical_and(inside, v)
    return index, weight, inside


def _per_point(x: Tensor) -> Tensor:
    return apply("reshape", x, shape=[*x.shape, 1])


@op
def map_coordinates(
    inputs: TensorLike,
    coordinates: TensorLike,
    order: int,
    fill_mode: str = "constant",
    fill_value: Any = 0,
) -> Tensor:
    """Returns the values of an array at coordinates between its elements.

    Args:
        inputs: a tensor of any rank.
        coordinates: shape `(rank, ...)`: the place in each dimension, in elements.
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: what lies outside of `a b c d`: `"constant"` `k k | a b c d | k k` with the fill
            value k; `"nearest"` `a a | a b c d | d d`; `"wrap"` `c d | a b c d | a b`; `"mirror"`
            `c b | a b c d | c b`; `"reflect"` `b a | a b c d | d c`.
        fill_value: for `"constant"`.

    Returns:
        A tensor of shape `coordinates.shape[1:]` and of the dtype of `inputs`; integers are
        rounded.

    Raises:
        ValueError: if shapes do not fit, or order or fill mode is unknown.

    Example:

    >>> ops.image.map_coordinates([10.0, 20.0, 30.0], [[0.5, 1.75]], 1).numpy()
    array([15. , 27.5], dtype=float32)
    """
    x = as_tensor(inputs)
    if isinstance(coordinates, (list, tuple)):
        coordinates = joining.stack(coordinates)
    at = as_tensor(as_tensor(coordinates), "float32")
    if at.ndim < 2:
        raise ValueError(
            "map_coordinates: Invalid coordinates rank: expected at least rank 2. "
            f"Received: coordinates.shape={at.shape}."
        )
    if x.ndim == 0 or at.shape[0] != x.ndim:
        raise ValueError(
            "map_coordinates: First dim of `coordinates` must be the same as the rank of `inputs`. "
            f"Received: inputs.shape={x.shape}, coordinates.shape={at.shape}."
        )
    check_fill_mode("map_coordinates", fill_mode)
    if order not in (0, 1):
        raise ValueError(
            "map_coordinates: Invalid value for argument `order`. Expected one of [0, 1]. "
            f"Received: order={order}"
        )
    count = math.prod(at.shape[1:])
    rows = apply("reshape", at, shape=[x.ndim, 1, count])
    places = [rows[i] for i in range(x.ndim)]
    images = apply("reshape", x, shape=[1, *x.shape, 1])
    found = sample(images, places, order, fill_mode, fill_value)
    return apply("reshape", found, shape=list(at.shape[1:]))
