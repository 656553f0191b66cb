"""Images moved: affine, perspective and elastic transformations."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn.ops import numpy as knp
from pronghorn.ops.arguments import TensorLike, apply, as_tensor, concrete
from pronghorn.ops.image.filters import blur
from pronghorn.ops.image.layout import Layout
from pronghorn.ops.image.sampling import check_fill_mode, check_interpolation, sample
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor, convert_to_tensor


def _grid(images: Tensor) -> tuple[Tensor, Tensor]:
    """Returns row and column of each pixel as float32 tensors of shape (1, height * width)."""
    rows, columns = np.indices(images.shape[1:3], np.float32)
    return convert_to_tensor(rows.reshape(1, -1)), convert_to_tensor(columns.reshape(1, -1))


def _warped(
    layout: Layout, places: tuple[Tensor, Tensor], order: int, fill_mode: str, fill_value: Any
) -> Tensor:
    x = layout.images
    found = sample(x, places, order, fill_mode, fill_value)
    return layout.restore(apply("reshape", found, shape=list(x.shape)))


@op
def affine_transform(
    images: TensorLike,
    transform: TensorLike,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: Any = 0,
    data_format: str | None = None,
) -> Tensor:
    """Returns images moved by affine transformations.

    Args:
        images: `(height, width, channels)`, or a batch of such images.
        transform: 8 numbers a0, a1, a2, b0, b1, b2, c0, c1, or a row of them for each image: the
            pixel in column x and row y of the result is that of the image in column
            `a0 x + a1 y + a2` and row `b0 x + b1 y + b2`. c0 and c1 have no effect, as in Keras on
            other backends than TensorFlow.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: what lies outside of the image, see `map_coordinates`.
        fill_value: for `"constant"`.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        Images of the same shape and dtype.

    Raises:
        ValueError: if shapes do not fit, or interpolation or fill mode is unknown.

    Example:

    >>> move = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]  # one column to the left
    >>> ops.image.affine_transform([[[1.0], [2.0], [3.0]]], move).numpy().ravel()
    array([2., 3., 0.], dtype=float32)
    """
    order = check_interpolation("affine_transform", interpolation)
    check_fill_mode("affine_transform", fill_mode)
    layout = Layout("affine_transform", images, data_format)
    x = layout.images
    t = as_tensor(as_tensor(transform), "float32")
    if t.ndim not in (1, 2):
        raise ValueError(
            "affine_transform: Invalid transform rank: expected rank 1 (single transform) or rank "
            f"2 (batch of transforms). Received: transform.shape={t.shape}."
        )
    if t.ndim == 1:
        t = apply("reshape", t, shape=[1, *t.shape])
    if t.shape[1] != 8 or t.shape[0] not in (1, x.shape[0]):
        raise ValueError(
            "affine_transform: expected 8 numbers, or 8 for each image. "
            f"Received: images.shape={as_tensor(images).shape}, transform.shape={t.shape}."
        )
    a0, a1, a2, b0, b1, b2 = knp.split(t, 8, axis=1)[:6]
    row, column = _grid(x)
    places = (b0 * column + b1 * row + b2, a0 * column + a1 * row + a2)
    return _warped(layout, places, order, fill_mode, fill_value)


@op
def perspective_transform(
    images: TensorLike,
    start_points: TensorLike,
    end_points: TensorLike,
    interpolation: str = "bilinear",
    fill_value: Any = 0,
    data_format: str | None = None,
) -> Tensor:
    """Returns images seen from elsewhere: four points of them come to lie at four other points.

    The projective maps between the unit square and both quadrilaterals have a closed form
    (Heckbert, "Fundamentals of texture mapping and image warping", 1989, section 2.2.3).

    Args:
        images: `(height, width, channels)`, or a batch of such images.
        start_points: four points (column, row) of the images, `(4, 2)` or `(batch, 4, 2)`; no three
            of them may lie on a line.
        end_points: where they are in the result, in the same order and of the same shape.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_value: what lies outside of the image.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        Images of the same shape and dtype.

    Raises:
        ValueError: if shapes do not fit or the interpolation is unknown.

    Example:

    >>> corners = [[0.0, 0.0], [3.0, 0.0], [0.0, 3.0], [3.0, 3.0]]
    >>> ops.image.perspective_transform(ops.ones((4, 4, 1)), corners, corners).shape
    (4, 4, 1)
    """
    order = check_interpolation("perspective_transform", interpolation)
    layout = Layout("perspective_transform", images, data_format)
    start = _corners("start_points", start_points)
    end = _corners("end_points", end_points)
    if start.shape != end.shape:
        raise ValueError(
            "perspective_transform: start_points and end_points must have the same shape. Received:"
            f" start_points.shape={start.shape}, end_points.shape={end.shape}."
        )
    x = layout.images
    if start.shape[0] not in (1, x.shape[0]):
        raise ValueError(
            "perspective_transform: expected four points, or four for each image. "
            f"Received: images.shape={as_tensor(images).shape}, start_points.shape={start.shape}."
        )
    # Result -> unit square -> image.
    m = _composed(_from_square(start), _adjugate(_from_square(end)))
    row, column = _grid(x)
    depth = m[6] * column + m[7] * row + m[8]
    places = (
        (m[3] * column + m[4] * row + m[5]) / depth,
        (m[0] * column + m[1] * row + m[2]) / depth,
    )
    return _warped(layout, places, order, "constant", fill_value)


def _corners(argument: str, points: TensorLike) -> Tensor:
    found = as_tensor(as_tensor(points), "float32")
    if found.ndim not in (2, 3) or tuple(found.shape[-2:]) != (4, 2):
        raise ValueError(
            f"perspective_transform: Invalid {argument} shape: expected (4,2) for a single image "
            f"or (N,4,2) for a batch. Received: {argument}.shape={found.shape}."
        )
    return apply("reshape", found, shape=[1, 4, 2]) if found.ndim == 2 else found


def _from_square(points: Tensor) -> list[Tensor]:
    """Returns the 9 elements, row by row, of the map that takes (0, 0), (1, 0), (0, 1) and (1, 1)
    to the points."""
    flat = knp.split(apply("reshape", points, shape=[points.shape[0], 8]), 8, axis=1)
    (x0, y0), (x1, y1), (x3, y3), (x2, y2) = flat[0:2], flat[2:4], flat[4:6], flat[6:8]
    dx1, dx2, sx = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
    dy1, dy2, sy = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
    whole = dx1 * dy2 - dx2 * dy1
    # Multiplied by `whole`, which a projective map does not feel.
    g, h = sx * dy2 - dx2 * sy, dx1 * sy - sx * dy1
    return [
        (x1 - x0) * whole + g * x1,
        (x3 - x0) * whole + h * x3,
        x0 * whole,
        (y1 - y0) * whole + g * y1,
        (y3 - y0) * whole + h * y3,
        y0 * whole,
        g,
        h,
        whole,
    ]


def _adjugate(m: list[Tensor]) -> list[Tensor]:
    a, b, c, d, e, f, g, h, i = m
    return [
        e * i - f * h,
        c * h - b * i,
        b * f - c * e,
        f * g - d * i,
        a * i - c * g,
        c * d - a * f,
        d * h - e * g,
        b * g - a * h,
        a * e - b * d,
    ]


def _composed(a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
    """Returns the product of two matrices, divided by its last element."""
    found = [
        a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j]
        for i in range(3)
        for j in range(3)
    ]
    return [x / found[8] for x in found]


@op
def elastic_transform(
    images: TensorLike,
    alpha: Any = 20.0,
    sigma: Any = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: Any = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Returns images deformed at random, smoothly.

    Each pixel is taken from a place moved by `alpha` times a random field, which is normal noise of
    standard deviation `sigma` blurred by a Gaussian of the same `sigma` (Simard, Steinkraus and
    Platt, "Best practices for convolutional neural networks", 2003).

    Args:
        images: `(height, width, channels)`, or a batch of such images.
        alpha: the strength.
        sigma: standard deviation of the Gaussian, in pixels; a number.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: what lies outside of the image, see `map_coordinates`.
        fill_value: for `"constant"`.
        seed: an integer, a SeedGenerator, or `None` for the global one.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        Images of the same shape and dtype.

    Raises:
        ValueError: if the rank is not 3 or 4, or interpolation or fill mode is unknown.

    Example:

    >>> ops.image.elastic_transform(ops.ones((2, 8, 8, 3)), seed=1).shape
    (2, 8, 8, 3)
    """
    from pronghorn.random.seed_generator import draw_key

    order = check_interpolation("elastic_transform", interpolation)
    check_fill_mode("elastic_transform", fill_mode)
    layout = Layout("elastic_transform", images, data_format)
    size = int(6 * float(concrete(sigma, "elastic_transform", "sigma"))) | 1
    return _deformed(layout, alpha, sigma, size, order, fill_mode, fill_value, draw_key(seed))


def deform(
    images: Tensor,
    alpha: Tensor,
    sigma: Tensor,
    size: int,
    interpolation: str,
    fill_mode: str,
    fill_value: Any,
    key: Tensor,
    data_format: str | None,
) -> Tensor:
    """Returns what `elastic_transform` does, for values that need not be known.

    Args:
        images: images.
        alpha: the strength.
        sigma: the standard deviation, above 0.
        size: how many pixels the Gaussian reaches over.
        interpolation: see `elastic_transform`.
        fill_mode: see `elastic_transform`.
        fill_value: see `elastic_transform`.
        key: the key that the field is drawn with.
        data_format: see `elastic_transform`.
    """
    order = check_interpolation("elastic_transform", interpolation)
    layout = Layout("elastic_transform", images, data_format)
    return _deformed(layout, alpha, sigma, size, order, fill_mode, fill_value, key)


def _deformed(
    layout: Layout,
    alpha: Any,
    sigma: Any,
    size: int,
    order: int,
    fill_mode: str,
    fill_value: Any,
    key: Tensor,
) -> Tensor:
    from pronghorn import random

    x = layout.images
    batch, height, width = x.shape[:3]
    # One draw of both fields: two with one key would be equal.
    noise = random.normal((batch, height, width, 2), seed=key) * sigma
    field = alpha * blur(noise, (size, size), (sigma, sigma))
    field = apply("reshape", field, shape=[batch, height * width, 2])
    row, column = _grid(x)
    places = (row + field[..., 1], column + field[..., 0])
    return _warped(layout, places, order, fill_mode, fill_value)
