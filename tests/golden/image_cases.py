"""The functions of images and the layers that `make_images.py` runs in Keras."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class ImageCase:
    """One function of `ops.image`, or one layer, on one input.

    Args:
        name: Name of the case, the prefix of its arrays.
        target: Name of the function, or class name of the layer.
        shape: Shape of the images.
        args: Arguments of the function, or of the layer's constructor.
        more: Shapes of further tensors, given after the images.
        dtype: Dtype of the images, which are from 0 to 1, or from 0 to 255 for integers.
        gradient: Whether the gradient of the images is compared.
        drawn: For a layer: what it would have drawn; arrays by name.
    """

    name: str
    target: str
    shape: tuple[int, ...]
    args: dict[str, Any] = dataclasses.field(default_factory=dict)
    more: tuple[Any, ...] = ()
    dtype: str = "float32"
    gradient: bool = True
    drawn: Any = None

    @property
    def is_layer(self) -> bool:
        """Whether `target` is a layer."""
        return self.target[0].isupper()

    def images(self) -> np.ndarray:
        """Returns the images."""
        rng = np.random.default_rng([ord(c) for c in self.name])
        x = rng.random(self.shape)
        if self.dtype == "float32":
            return x.astype("float32")
        return (x * 256).astype(self.dtype)

    def direction(self, shape: tuple[int, ...]) -> np.ndarray:
        """Returns what the output is multiplied with for the gradient."""
        rng = np.random.default_rng([2, *(ord(c) for c in self.name)])
        return rng.standard_normal(shape).astype("float32")


def _points(batch: int, seed: int, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], "float32")
    return (corners + rng.uniform(-1.5, 1.5, (batch, 4, 2))).astype("float32")


def _transforms(batch: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    matrix = np.array([1, 0, 0, 0, 1, 0, 0, 0], "float32")
    found = matrix + rng.uniform(-0.4, 0.4, (batch, 8)) * np.array([1, 1, 6, 1, 1, 6, 0, 0])
    return found.astype("float32")


def _uniform(shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> np.ndarray:
    return np.random.default_rng(11).uniform(low, high, shape).astype("float32")


_RESIZE = [
    ImageCase(f"resize_{m}_{h}x{w}_{'anti' if a else 'plain'}", "resize", (2, 7, 10, 3),
              {"size": (h, w), "interpolation": m, "antialias": a})
    for m in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
    for h, w in ((13, 21), (3, 4), (7, 5))
    for a in (False, True)
]  # fmt: skip
_FILLS = ("constant", "nearest", "wrap", "mirror", "reflect")
_AFFINE = [
    ImageCase(f"affine_{m}_{f}", "affine_transform", (2, 8, 6, 3),
              {"interpolation": m, "fill_mode": f, "fill_value": 0.5}, (_transforms(2),))
    for m in ("nearest", "bilinear")
    for f in _FILLS
]  # fmt: skip
_MAP = [
    ImageCase(f"map_{o}_{f}", "map_coordinates", (5, 6), {"order": o, "fill_mode": f},
              (_uniform((2, 4, 9), -9.0, 14.0),))
    for o in (0, 1)
    for f in _FILLS
]  # fmt: skip
_FIRST = {"data_format": "channels_first"}

OPS = [
    *_RESIZE,
    *_AFFINE,
    *_MAP,
    ImageCase("resize_one", "resize", (9, 4, 2), {"size": (4, 9), "interpolation": "bicubic"}),
    ImageCase("resize_first", "resize", (2, 3, 7, 9), {"size": (5, 5), **_FIRST}),
    ImageCase("resize_crop", "resize", (2, 9, 5, 3),
              {"size": (4, 6), "crop_to_aspect_ratio": True}),
    ImageCase("resize_pad", "resize", (2, 9, 5, 3),
              {"size": (4, 6), "pad_to_aspect_ratio": True, "fill_value": 0.25}),
    ImageCase("resize_pad_wide", "resize", (1, 4, 11, 1),
              {"size": (6, 6), "pad_to_aspect_ratio": True, "interpolation": "nearest"}),
    ImageCase("resize_uint8", "resize", (2, 9, 5, 3),
              {"size": (4, 6), "interpolation": "bicubic"}, dtype="uint8", gradient=False),
    ImageCase("resize_int32_nearest", "resize", (2, 9, 5, 3),
              {"size": (4, 6), "interpolation": "nearest"}, dtype="int32", gradient=False),
    ImageCase("affine_one", "affine_transform", (5, 7, 2), {}, (_transforms(1)[0],)),
    ImageCase("affine_first", "affine_transform", (2, 3, 5, 7), _FIRST, (_transforms(2),)),
    ImageCase("perspective", "perspective_transform", (2, 7, 8, 3), {},
              (_points(2, 1, 6, 7), _points(2, 2, 6, 7))),
    ImageCase("perspective_nearest", "perspective_transform", (7, 8, 3),
              {"interpolation": "nearest", "fill_value": 2.0},
              (_points(1, 3, 6, 7)[0], _points(1, 4, 6, 7)[0])),
    ImageCase("grayscale", "rgb_to_grayscale", (2, 4, 5, 3)),
    ImageCase("grayscale_first", "rgb_to_grayscale", (3, 4, 5), _FIRST),
    ImageCase("grayscale_uint8", "rgb_to_grayscale", (2, 4, 5, 3), dtype="uint8", gradient=False),
    ImageCase("to_hsv", "rgb_to_hsv", (2, 6, 5, 3)),
    ImageCase("to_hsv_first", "rgb_to_hsv", (3, 6, 5), _FIRST),
    ImageCase("to_rgb", "hsv_to_rgb", (2, 6, 5, 3)),
    ImageCase("patches", "extract_patches", (2, 9, 11, 3), {"size": (3, 4)}),
    ImageCase("patches_strides", "extract_patches", (9, 11, 2), {"size": 3, "strides": (2, 1)}),
    ImageCase("patches_same", "extract_patches", (2, 9, 11, 2),
              {"size": (3, 5), "strides": 1, "dilation_rate": 2, "padding": "same"}),
    ImageCase("patches_first", "extract_patches", (2, 2, 9, 11), {"size": 2, **_FIRST}),
    ImageCase("patches_3d", "extract_patches_3d", (2, 4, 5, 6, 2), {"size": 2, "strides": 1}),
    ImageCase("blur", "gaussian_blur", (2, 8, 9, 3),
              {"kernel_size": (5, 3), "sigma": (0.7, 1.5), "data_format": "channels_last"}),
    ImageCase("blur_first", "gaussian_blur", (3, 8, 9), _FIRST),
    ImageCase("sobel", "sobel_edges", (2, 6, 7, 3), {"data_format": "channels_last"}),
    ImageCase("sobel_first", "sobel_edges", (2, 3, 6, 7), _FIRST),
    ImageCase("ssim", "ssim", (2, 16, 15, 3), {"filter_size": 7}, (_uniform((2, 16, 15, 3)),)),
    ImageCase("scale_translate", "scale_and_translate", (6, 7, 2),
              {"output_shape": (9, 5, 2), "scale": np.array([1.7, 0.6], "float32"),
               "translation": np.array([-1.2, 0.4], "float32"), "spatial_dims": (0, 1),
               "method": "cubic"}),
    ImageCase("pad", "pad_images", (2, 4, 5, 3),
              {"top_padding": 1, "left_padding": 2, "target_height": 9, "target_width": 8}),
    ImageCase("crop", "crop_images", (2, 9, 8, 3),
              {"bottom_cropping": 1, "right_cropping": 2, "target_height": 4, "target_width": 5}),
]  # fmt: skip

_BATCH = {"shape": (3, 6, 8, 3), "gradient": False}
_ONE = {"value_range": (0, 1)}
LAYERS = [
    ImageCase("l_resizing", "Resizing", args={"height": 4, "width": 5, "antialias": True},
              **_BATCH),
    ImageCase("l_center_crop", "CenterCrop", args={"height": 3, "width": 4}, **_BATCH),
    ImageCase("l_center_crop_small", "CenterCrop", args={"height": 9, "width": 4}, **_BATCH),
    *[
        ImageCase(f"l_flip_{m}", "RandomFlip", args={"mode": m}, **_BATCH,
                  drawn={"flips": np.array([True, False, True]).reshape(3, 1, 1, 1)})
        for m in ("horizontal", "vertical", "horizontal_and_vertical")
    ],
    *[
        ImageCase(f"l_zoom_{f}", "RandomZoom", args={"height_factor": 0.5, "fill_mode": f},
                  **_BATCH, drawn={"height_zoom": _uniform((3, 1), 0.5, 1.5),
                         "width_zoom": _uniform((3, 1), 0.7, 1.9)})
        for f in ("reflect", "wrap", "constant", "nearest")
    ],
    ImageCase("l_translation", "RandomTranslation",
              args={"height_factor": 0.5, "width_factor": 0.5}, **_BATCH,
              drawn={"translations": _uniform((3, 2), -3.0, 3.0)}),
    ImageCase("l_shear", "RandomShear", args={"x_factor": 0.5, "y_factor": 0.5}, **_BATCH,
              drawn={"shear_factor": _uniform((3, 2), -0.5, 0.5)}),
    ImageCase("l_perspective", "RandomPerspective", args={}, **_BATCH,
              drawn={"apply_perspective": np.array([True, False, True]),
                     "start_points": _points(3, 5, 5, 7), "end_points": _points(3, 6, 5, 7)}),
    ImageCase("l_brightness", "RandomBrightness", args={"factor": 0.5, **_ONE}, **_BATCH,
              drawn={"rgb_delta": _uniform((3, 1, 1, 1), -0.5, 0.5)}),
    ImageCase("l_contrast", "RandomContrast", args={"factor": 0.5, **_ONE}, **_BATCH,
              drawn={"contrast_factor": _uniform((3, 1, 1, 1), 0.5, 1.5)}),
    ImageCase("l_hue", "RandomHue", args={"factor": 0.5, **_ONE}, **_BATCH,
              drawn={"factor": _uniform((3,), -0.5, 0.5)}),
    ImageCase("l_saturation", "RandomSaturation", args={"factor": 0.5, **_ONE}, **_BATCH,
              drawn={"factor": _uniform((3,), 0.2, 2.0)}),
    ImageCase("l_grayscale", "RandomGrayscale", args={"factor": 0.5}, **_BATCH,
              drawn=np.array([True, False, True]).reshape(3, 1, 1, 1)),
    ImageCase("l_degeneration", "RandomColorDegeneration", args={"factor": 0.5, **_ONE}, **_BATCH,
              drawn={"factor": _uniform((3, 1, 1, 1))}),
    ImageCase("l_sharpness", "RandomSharpness", args={"factor": 0.5, **_ONE}, **_BATCH,
              drawn={"factor": _uniform((3,))}),
    ImageCase("l_invert", "RandomInvert", args={"factor": 0.5, **_ONE}, **_BATCH,
              drawn={"apply_inversion": np.array([True, False, True])}),
    ImageCase("l_posterization", "RandomPosterization", args={"factor": 4, **_ONE}, **_BATCH,
              drawn={"shift_factor": np.array([1, 4, 6], "uint8")}),
    ImageCase("l_blur", "RandomGaussianBlur", args={"kernel_size": (5, 3), **_ONE}, **_BATCH,
              drawn={"should_apply_blur": np.array([True, False, True]),
                     "blur_factor": np.array([0.6, 0.9], "float32")}),
    ImageCase("l_erasing", "RandomErasing", args={"factor": 0.5, **_ONE}, **_BATCH,
              drawn={"apply_erasing": np.array([True, False, True]),
                     "batch_masks": _uniform((3, 6, 8, 3)) < 0.3,
                     "fill_value": _uniform((3, 6, 8, 3))}),
    ImageCase("l_solarization", "Solarization",
              args={"addition_factor": 0.5, "threshold_factor": 0.5, **_ONE}, **_BATCH,
              drawn={"additions": _uniform((3, 1, 1, 1), 0, 100),
                     "thresholds": _uniform((3, 1, 1, 1), 50, 200)}),
    ImageCase("l_equalization", "Equalization", shape=(6, 8, 3), args={}, dtype="uint8",
              gradient=False),
    ImageCase("l_equalization_bins", "Equalization", shape=(6, 8, 3),
              args={"bins": 16, "value_range": (0, 1)}, gradient=False),
    ImageCase("l_auto_contrast", "AutoContrast", args=_ONE, **_BATCH),
    ImageCase("l_cut_mix", "CutMix", args={}, **_BATCH,
              drawn={"permutation_order": np.array([2, 0, 1], "int32"),
                     "batch_masks": _uniform((3, 6, 8, 1)) < 0.3,
                     "mix_weight": _uniform((3,))}),
    ImageCase("l_mix_up", "MixUp", args={}, **_BATCH,
              drawn={"permutation_order": np.array([2, 0, 1], "int32"),
                     "mix_weight": _uniform((3,))}),
]  # fmt: skip

CASES = OPS + LAYERS
