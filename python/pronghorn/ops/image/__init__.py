"""The namespace `pronghorn.ops.image`: functions of images."""

from __future__ import annotations

from pronghorn.ops.image.borders import crop_images, pad_images
from pronghorn.ops.image.color import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from pronghorn.ops.image.filters import gaussian_blur, sobel_edges, ssim
from pronghorn.ops.image.patches import extract_patches, extract_patches_3d
from pronghorn.ops.image.resampling import resize, scale_and_translate
from pronghorn.ops.image.sampling import map_coordinates
from pronghorn.ops.image.warping import (
    affine_transform,
    elastic_transform,
    perspective_transform,
)

__all__ = [
    "affine_transform",
    "crop_images",
    "elastic_transform",
    "extract_patches",
    "extract_patches_3d",
    "gaussian_blur",
    "hsv_to_rgb",
    "map_coordinates",
    "pad_images",
    "perspective_transform",
    "resize",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "scale_and_translate",
    "sobel_edges",
    "ssim",
]
