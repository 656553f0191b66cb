"""Filters: blur, edges, and the similarity of images that is made of blurs."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import dtypes
from pronghorn.ops import numpy as knp
from pronghorn.ops.arguments import TensorLike, apply, as_tensor, concrete
from pronghorn.ops.image.layout import Layout, cast_back, check_rank
from pronghorn.ops.nn.convolution import depthwise_conv
from pronghorn.ops.nn.layout import to_channels_first
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor, convert_to_tensor


def _gaussian(size: int, sigma: Any) -> Tensor:
    """Returns the weights of a Gaussian at `size` neighbouring pixels; their sum is 1."""
    at = convert_to_tensor(np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2))
    weights = knp.exp(-0.5 * knp.square(at / sigma))
    return weights / knp.sum(weights)


def _separable(images: Tensor, rows: Tensor, columns: Tensor, padding: str) -> Tensor:
    """Returns (batch, height, width, channels) filtered along columns of pixels, then rows."""
    channels = images.shape[-1]
    for weights, shape in ((rows, (-1, 1, 1, 1)), (columns, (1, -1, 1, 1))):
        kernel = knp.reshape(weights, shape)
        kernel = apply("broadcast_to", kernel, shape=[*kernel.shape[:2], channels, 1])
        images = depthwise_conv(images, kernel, 1, padding, "channels_last")
    return images


def blur(images: Tensor, kernel_size: Any, sigma: Any) -> Tensor:
    """Returns float32 images, channels last, blurred; pairs are (along columns, along rows)."""
    across, down = _gaussian(kernel_size[0], sigma[0]), _gaussian(kernel_size[1], sigma[1])
    return _separable(images, down, across, "same")


@op
def gaussian_blur(
    images: TensorLike,
    kernel_size: Any = (3, 3),
    sigma: Any = (1.0, 1.0),
    data_format: str | None = None,
) -> Tensor:
    """Returns images blurred by a Gaussian; beyond their borders are zeros.

    Args:
        images: `(height, width, channels)`, or a batch of such images.
        kernel_size: how many columns and rows the Gaussian reaches over.
        sigma: its standard deviations along columns and rows, in pixels.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        Images of the same shape and dtype; integers are rounded.

    Raises:
        ValueError: if the rank is not 3 or 4, or `kernel_size` is no pair of positive integers.

    Example:

    >>> image = [[[0.0], [0.0], [4.0], [0.0], [0.0]]]
    >>> ops.image.gaussian_blur(image, (3, 1), (1.0, 1.0)).numpy().ravel().round(2)
    array([0.  , 1.1 , 1.81, 1.1 , 0.  ], dtype=float32)
    """
    size = [int(k) for k in concrete(kernel_size, "gaussian_blur", "kernel_size").tolist()]
    if len(size) != 2 or min(size) < 1:
        raise ValueError(
            "gaussian_blur: `kernel_size` must be a pair of positive integers. "
            f"Received: kernel_size={kernel_size}."
        )
    layout = Layout("gaussian_blur", images, data_format)
    x = layout.images
    sigmas = as_tensor(as_tensor(sigma), "float32")
    if sigmas.shape != (2,):
        raise ValueError(f"gaussian_blur: `sigma` must be a pair of numbers. Received: {sigma}.")
    found = blur(as_tensor(x, "float32"), size, (sigmas[0], sigmas[1]))
    return layout.restore(cast_back(found, x.dtype))


@op
def sobel_edges(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Returns how fast images change along rows and columns (Sobel's operator).

    Args:
        images: `(batch, height, width, channels)`.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        A tensor with a last dimension more: the change down and to the right.

    Raises:
        ValueError: if the rank is not 4.

    Example:

    >>> ops.image.sobel_edges(ops.ones((1, 8, 8, 1))).shape
    (1, 8, 8, 1, 2)
    """
    x = as_tensor(images)
    if x.ndim != 4:
        raise ValueError(
            "sobel_edges: Invalid images rank: expected rank 4 (batch of images). "
            f"Received: images.shape={x.shape}."
        )
    layout = Layout("sobel_edges", x, data_format)
    smooth, change = convert_to_tensor([1.0, 2.0, 1.0]), convert_to_tensor([-1.0, 0.0, 1.0])
    wide = as_tensor(layout.images, "float32")
    edges = []
    for rows, columns in ((change, smooth), (smooth, change)):
        found = cast_back(_separable(wide, rows, columns, "same"), x.dtype)
        edges.append(to_channels_first(found) if layout.first else found)
    return knp.stack(edges, axis=-1)


@op
def ssim(
    image1: TensorLike,
    image2: TensorLike,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """Returns the structural similarity of images, 1 for equal ones.

    Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to
    structural similarity", 2004, section III.

    Args:
        image1: `(height, width, channels)`, or a batch of such images.
        image2: of the same shape.
        max_val: the largest value that a pixel can have.
        filter_size: side of the Gaussian window.
        filter_sigma: its standard deviation, in pixels.
        k1: see the paper.
        k2: see the paper.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        A number, or one for each image of a batch.

    Raises:
        ValueError: if the shapes differ, the rank is not 3 or 4, or images are smaller than the
            window.

    Example:

    >>> image = ops.ones((16, 16, 3))
    >>> float(ops.image.ssim(image, image))
    1.0
    """
    a, b = as_tensor(image1), as_tensor(image2)
    check_rank("ssim", a.shape, "image1")
    check_rank("ssim", b.shape, "image2")
    if a.shape != b.shape:
        raise ValueError(
            "ssim: images must have the same shape. "
            f"Received: image1.shape={a.shape}, image2.shape={b.shape}."
        )
    layout = Layout("ssim", a, data_format)
    compute = dtypes.result_type(a.dtype, float)
    x = as_tensor(layout.images, compute)
    y = as_tensor(Layout("ssim", b, data_format).images, compute)
    weights = as_tensor(_gaussian(filter_size, filter_sigma), compute)

    def mean(values: Tensor) -> Tensor:
        return _separable(values, weights, weights, "valid")

    mean_x, mean_y = mean(x), mean(y)
    var_x, var_y = mean(x * x) - mean_x * mean_x, mean(y * y) - mean_y * mean_y
    covariance = mean(x * y) - mean_x * mean_y
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    similarity = ((2.0 * mean_x * mean_y + c1) * (2.0 * covariance + c2)) / (
        (mean_x * mean_x + mean_y * mean_y + c1) * (var_x + var_y + c2)
    )
    found = as_tensor(knp.mean(similarity, axis=[1, 2, 3]), a.dtype)
    return found[0] if layout.single else found
