"""Images of another size: interpolation by kernels, which is a product with a matrix along each
axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn.ops import numpy as knp
from pronghorn.ops import products
from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_float,
    as_tensor,
    normalize_axis,
    static_shape,
)
from pronghorn.ops.image.layout import Layout, cast_back
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor, convert_to_tensor

_METHODS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic")
_KERNELS = {
    "linear": "linear",
    "bilinear": "linear",
    "trilinear": "linear",
    "triangle": "linear",
    "cubic": "cubic",
    "bicubic": "cubic",
    "tricubic": "cubic",
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
}
# Up to so many inputs for an output are gathered and added; more are a product with the matrix.
_MOST_TAPS = 6


def _kernel(xp: Any, name: str, distance: Any) -> Any:
    """Returns the weight of an input at a distance in pixels. `xp` is NumPy or `ops.numpy`."""
    d = xp.abs(distance)
    if name == "linear":
        return xp.maximum(1.0 - d, 0.0)
    if name == "cubic":
        near = (1.5 * d - 2.5) * d * d + 1.0
        far = ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0
        return xp.where(d < 1.0, near, xp.where(d < 2.0, far, xp.zeros_like(d)))
    radius = float(name[-1])
    return xp.where(d < radius, xp.sinc(d) * xp.sinc(d / radius), xp.zeros_like(d))


def _weights(
    xp: Any, size: int, outputs: int, scale: Any, shift: Any, kernel: str, antialias: bool
) -> Any:
    """Returns the matrix (outputs, size) of an axis: output = input * scale + shift, in pixels."""
    step = 1.0 / scale
    width = xp.maximum(step, 1.0) if antialias else 1.0
    place = (np.arange(outputs, dtype=np.float32) + 0.5) * step - shift * step - 0.5
    distance = xp.reshape(place, (outputs, 1)) - np.arange(size, dtype=np.float32)
    found = _kernel(xp, kernel, distance / width)
    total = xp.sum(found, axis=1, keepdims=True)
    enough = xp.abs(total) > 1000.0 * 2.0**-23
    found = xp.where(enough, found / xp.where(enough, total, 1.0), 0.0)
    inside = xp.logical_and(place >= -0.5, place <= size - 0.5)
    return xp.where(xp.reshape(inside, (outputs, 1)), found, 0.0)


@op
def resize(
    images: TensorLike,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Returns images of another size.

    Output row i lies at row `p = (i + 0.5) * height / new_height - 0.5` of the input and is
    `sum_j k(p - j) x_j / sum_j k(p - j)`; columns alike. `"nearest"` takes the nearest pixel;
    `"bilinear"` has k(d) = max(1 - |d|, 0); `"bicubic"` the cubic of Keys, "Cubic convolution
    interpolation for digital image processing", 1981, with a = -1/2; `"lanczos3"` and `"lanczos5"`
    `sinc(d) sinc(d / a)` for `|d| < a`.

    Args:
        images: `(height, width, channels)`, or a batch of such images.
        size: the new height and width.
        interpolation: see above.
        antialias: whether kernels are widened where images become smaller.
        crop_to_aspect_ratio: whether the middle of images is taken that has the proportions of
            `size`.
        pad_to_aspect_ratio: whether borders are added that give images the proportions of `size`.
        fill_mode: what the borders hold; `"constant"`.
        fill_value: the constant.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        Images of the same dtype; integers are rounded.

    Raises:
        ValueError: if an argument is not such.

    Example:

    >>> ops.image.resize(ops.ones((2, 4, 4, 3)), (2, 6)).shape
    (2, 2, 6, 3)
    """
    x = as_tensor(images)
    found = resize_to_float(
        x,
        size,
        interpolation,
        antialias,
        crop_to_aspect_ratio,
        pad_to_aspect_ratio,
        fill_mode,
        fill_value,
        data_format,
    )
    return cast_back(found, x.dtype)


def resize_to_float(
    images: TensorLike,
    size: Any,
    interpolation: str,
    antialias: bool,
    crop_to_aspect_ratio: bool,
    pad_to_aspect_ratio: bool,
    fill_mode: str,
    fill_value: float,
    data_format: str | None,
) -> Tensor:
    """Returns what `resize` does before its result becomes the dtype of the images: float32, or
    that dtype where nothing was interpolated."""
    size = _checked_size(size)
    if interpolation not in _METHODS:
        raise ValueError(
            "resize: Invalid value for argument `interpolation`. Expected of one "
            f"{_METHODS}. Received: interpolation={interpolation}"
        )
    if fill_mode != "constant":
        raise ValueError(
            "resize: Invalid value for argument `fill_mode`. Only `'constant'` is supported. "
            f"Received: fill_mode={fill_mode}"
        )
    if pad_to_aspect_ratio and crop_to_aspect_ratio:
        raise ValueError(
            "resize: Only one of `pad_to_aspect_ratio` & `crop_to_aspect_ratio` can be `True`."
        )
    layout = Layout("resize", images, data_format)
    x = layout.images
    if crop_to_aspect_ratio:
        x = _cropped(x, size)
    elif pad_to_aspect_ratio:
        x = _padded(x, size, fill_value)
    # The axis that shrinks most comes first.
    for axis in sorted((1, 2), key=lambda a: size[a - 1] / max(x.shape[a], 1)):
        n, count = x.shape[axis], size[axis - 1]
        if n == count:
            continue
        if interpolation == "nearest":
            x = _nearest(x, axis, count)
        else:
            kernel = _KERNELS[interpolation]
            matrix = _weights(np, n, count, np.float32(count / n), 0.0, kernel, antialias)
            x = _along(x, axis, matrix.astype(np.float32))
    return layout.restore(x)


def _checked_size(size: Any) -> list[int]:
    if not hasattr(size, "__len__") or len(size) != 2:
        raise ValueError(
            "resize: Expected `size` to be a tuple of 2 integers (height, width). "
            f"Received: size={size}"
        )
    found = static_shape(size, "resize")
    if min(found) <= 0:
        raise ValueError(
            f"resize: `size` must have positive height and width. Received: size={size}"
        )
    return found


def _cropped(x: Tensor, size: list[int]) -> Tensor:
    height, width = x.shape[1:3]
    kept = (
        max(min(height, width * size[0] // size[1]), 1),
        max(min(width, height * size[1] // size[0]), 1),
    )
    top, left = (height - kept[0]) // 2, (width - kept[1]) // 2
    begin = [0, top, left, 0]
    end = [x.shape[0], top + kept[0], left + kept[1], x.shape[3]]
    return apply("slice", x, begin=begin, end=end, strides=[1] * 4)


def _padded(x: Tensor, size: list[int], fill_value: float) -> Tensor:
    height, width = x.shape[1:3]
    rows = (max(height, width * size[0] // size[1]) - height) // 2
    columns = (max(width, height * size[1] // size[0]) - width) // 2
    sides = [0, rows, columns, 0]
    return apply("pad", x, low=sides, high=sides, value=float(fill_value))


def _nearest(x: Tensor, axis: int, count: int) -> Tensor:
    step = np.float32(x.shape[axis] / count)
    places = np.floor((np.arange(count, dtype=np.float32) + np.float32(0.5)) * step)
    return apply("gather", x, convert_to_tensor(places.astype(np.int32)), axis=axis)


def _along(x: Tensor, axis: int, matrix: np.ndarray) -> Tensor:
    """Returns the product of a matrix (outputs, inputs) with an axis of images, as float32."""
    used = matrix != 0
    first = used.argmax(axis=1)
    taps = int((matrix.shape[1] - used[:, ::-1].argmax(axis=1) - first).max(initial=1))
    if taps > _MOST_TAPS:
        return _product(x, axis, matrix)
    first = np.minimum(first, max(matrix.shape[1] - taps, 0))
    found = None
    for tap in range(min(taps, matrix.shape[1])):
        places = (first + tap).astype(np.int32)
        weights = matrix[np.arange(len(first)), places]
        weights = weights.reshape([-1] + [1] * (x.ndim - 1 - axis))
        term = as_tensor(apply("gather", x, convert_to_tensor(places), axis=axis), "float32")
        term = apply("multiply", term, convert_to_tensor(weights))
        found = term if found is None else apply("add", found, term)
    assert found is not None
    return found


def _product(x: Tensor, axis: int, matrix: np.ndarray) -> Tensor:
    x = as_tensor(x, "float32")
    shape = list(x.shape)
    count, n = matrix.shape
    before, after = shape[:axis], shape[axis + 1 :]
    inner = math.prod(after)
    if inner <= 4:  # pixels of few channels: rows of channels take part as one
        matrix = np.kron(matrix.T, np.eye(inner, dtype=np.float32))
        flat = apply("reshape", x, shape=[math.prod(before), n * inner])
        found = products.matmul(flat, convert_to_tensor(matrix))
    else:
        flat = apply("reshape", x, shape=[math.prod(before), n, inner])
        found = products.matmul(convert_to_tensor(matrix), flat)
    return apply("reshape", found, shape=[*before, count, *after])


@op
def scale_and_translate(
    images: TensorLike,
    output_shape: Any,
    scale: TensorLike,
    translation: TensorLike,
    spatial_dims: Any,
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Returns images scaled and moved: a place p of an axis goes to `p * scale + translation`.

    Places are counted with pixel i at i + 0.5. What comes from outside of the images is 0.

    Args:
        images: a tensor of any rank.
        output_shape: the shape of the result; only `spatial_dims` may differ from `images`.
        scale: factors, one for each of `spatial_dims`.
        translation: pixels of the output, one for each of `spatial_dims`.
        spatial_dims: the axes.
        method: `"linear"`, `"bilinear"`, `"trilinear"` or `"triangle"`; `"cubic"`, `"bicubic"` or
            `"tricubic"`; `"lanczos3"`; `"lanczos5"`; see `resize`.
        antialias: whether kernels are widened where images become smaller.

    Returns:
        A float tensor of `output_shape`.

    Raises:
        ValueError: if shapes do not fit or the method is unknown.

    Example:

    >>> ops.image.scale_and_translate(
    ...     ops.ones((3, 3)), (5, 5), (2.0, 2.0), (0.0, 0.0), (0, 1), "linear").shape
    (5, 5)
    """
    if method not in _KERNELS:
        raise ValueError(
            "scale_and_translate: Invalid value for argument `method`. Expected of one "
            f"{tuple(_KERNELS)}. Received: method={method}"
        )
    x = as_float(images)
    shape = static_shape(output_shape, "scale_and_translate")
    dims = [normalize_axis(d, x.ndim, "scale_and_translate") for d in spatial_dims]
    scale, translation = as_tensor(scale, "float32"), as_tensor(translation, "float32")
    if len(shape) != x.ndim or any(shape[d] != n for d, n in enumerate(x.shape) if d not in dims):
        raise ValueError(
            "scale_and_translate: `output_shape` must differ from the shape of images in "
            f"`spatial_dims` only. Received: images.shape={x.shape}, output_shape={tuple(shape)}, "
            f"spatial_dims={tuple(spatial_dims)}."
        )
    if scale.shape != (len(dims),) or translation.shape != (len(dims),):
        raise ValueError(
            "scale_and_translate: expected one scale and one translation for each of "
            f"`spatial_dims`. Received: scale.shape={scale.shape}, "
            f"translation.shape={translation.shape}, spatial_dims={tuple(spatial_dims)}."
        )
    dtype = x.dtype
    x = as_tensor(x, "float32")
    for i, d in enumerate(dims):
        matrix = _weights(
            knp, x.shape[d], shape[d], scale[i], translation[i], _KERNELS[method], antialias
        )
        x = knp.moveaxis(products.tensordot(matrix, x, axes=([1], [d])), 0, d)
    return as_tensor(x, dtype)
