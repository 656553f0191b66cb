"""Images as files and arrays: load_img, save_img, img_to_array, array_to_img. They need pillow."""

from __future__ import annotations

import importlib
import io
import os
import warnings
from typing import Any

import numpy as np

from pronghorn import config

_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def _pillow(function: str) -> Any:
    try:
        return importlib.import_module("PIL.Image")
    except ImportError:
        raise ImportError(
            f"{function}: needs pillow (`import PIL`). `pip install 'pronghorn[image]'`."
        ) from None


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None
) -> Any:
    """Returns an array as a pillow image.

    Args:
        x: one image, `(height, width, channels)` with 1, 3 or 4 channels, or channels first.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.
        scale: whether values are stretched linearly to 0, ..., 255; else they are cut to integers.
        dtype: the float dtype that this is computed in; by default `config.floatx()`.

    Returns:
        A `PIL.Image.Image` of mode L, RGB or RGBA; I for one channel with values above 255.

    Raises:
        ImportError: pillow is not installed.
        ValueError: rank or channels are not such.
    """
    pillow = _pillow("array_to_img")
    first = config.standardize_data_format(data_format) == "channels_first"
    array: np.ndarray = np.asarray(x, dtype=dtype or config.floatx())
    if array.ndim != 3:
        raise ValueError(
            "array_to_img: Expected image array to have rank 3 (single image). "
            f"Received: x.shape={array.shape}."
        )
    if first:
        array = array.transpose(1, 2, 0)
    channels = array.shape[2]
    if channels not in (1, 3, 4):
        raise ValueError(
            f"array_to_img: expected 1, 3 or 4 channels. Received: {channels} channels."
        )
    if scale:
        array = array - array.min()
        most = array.max()
        array = array / (most if most != 0 else 1.0) * 255
    if channels == 1 and array.max() > 255:
        return pillow.fromarray(array[:, :, 0].astype("int32"))
    return pillow.fromarray(
        np.ascontiguousarray(array[:, :, 0] if channels == 1 else array).astype("uint8")
    )


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """Returns a pillow image as an array.

    Args:
        img: the image.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.
        dtype: the dtype; by default `config.floatx()`.

    Returns:
        An array `(height, width, channels)`, or channels first, with the values of the pixels.

    Raises:
        ValueError: it is no image.
    """
    first = config.standardize_data_format(data_format) == "channels_first"
    array: np.ndarray = np.asarray(img, dtype=dtype or config.floatx())
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise ValueError(f"img_to_array: Unsupported image shape: {array.shape}")
    return array.transpose(2, 0, 1) if first else array


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Writes an array as an image file.

    Args:
        path: the path, or a file object, which needs `file_format`.
        x: one image, see `array_to_img`.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.
        file_format: `"png"`, `"jpeg"`, ...; by default by the ending of the path. JPEG has no
            transparency: 4 channels become 3, with a warning.
        scale: whether values are stretched linearly to 0, ..., 255.
        **kwargs: given to pillow's `save`.

    Raises:
        ImportError: pillow is not installed.
        ValueError: rank or channels are not such, or the format is unknown.
    """
    if file_format is None and isinstance(path, (str, os.PathLike)):
        file_format = os.path.splitext(os.fspath(path))[1][1:]
    if file_format is not None:
        file_format = file_format.lower()
        file_format = "jpeg" if file_format == "jpg" else file_format
    image = array_to_img(x, data_format, scale)
    if image.mode == "RGBA" and file_format == "jpeg":
        warnings.warn(
            "The JPEG format does not support RGBA images, converting to RGB.", stacklevel=2
        )
        image = image.convert("RGB")
    try:
        image.save(path, format=file_format, **kwargs)
    except KeyError:
        raise ValueError(
            f"save_img: unknown format. Received: path={path}, file_format={file_format}."
        ) from None


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Any = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Returns the image of a file as a pillow image; of an animation the first picture.

    Args:
        path: path of the file, or `io.BytesIO` with its bytes.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"` (16 and 32 bits of grey stay).
        target_size: height and width to resize to; by default as it is.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"hamming"`, `"box"` or `"lanczos"`,
            which are pillow's.
        keep_aspect_ratio: whether the largest middle part with the proportions of `target_size` is
            resized.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ImportError: pillow is not installed.
        OSError: the file is not there.
        TypeError: `path` is something else.
        ValueError: an argument is not as above, or the file is no image; the message names it.
    """
    pillow = _pillow("load_img")
    if color_mode not in _MODES:
        raise ValueError(
            'load_img: color_mode must be "grayscale", "rgb", or "rgba". '
            f"Received: color_mode={color_mode!r}."
        )
    if isinstance(path, io.BytesIO):
        data: Any = path
    elif isinstance(path, (str, bytes, os.PathLike)):
        with open(path, "rb") as file:
            data = io.BytesIO(file.read())
    else:
        raise TypeError(f"load_img: path should be path-like or io.BytesIO, not {type(path)}")
    try:
        image = pillow.open(data)
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ValueError(
            f"load_img: expected an image that pillow can read. Received: path={path} ({error})."
        ) from error
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")  # as pillow asks for
    if image.mode != _MODES[color_mode] and not (
        color_mode == "grayscale" and image.mode in ("I;16", "I")
    ):
        image = image.convert(_MODES[color_mode])
    if target_size is None:
        return image
    if interpolation not in _INTERPOLATIONS:
        raise ValueError(
            f"load_img: Invalid interpolation method. Supported methods are {_INTERPOLATIONS}. "
            f"Received: interpolation={interpolation!r}."
        )
    height, width = target_size
    if image.size == (width, height):
        return image
    box = None
    if keep_aspect_ratio:
        own_width, own_height = image.size
        kept_height = min(own_height, own_width * height // width)
        kept_width = min(own_width, own_height * width // height)
        top, left = (own_height - kept_height) // 2, (own_width - kept_width) // 2
        box = (left, top, left + kept_width, top + kept_height)
    return image.resize((width, height), getattr(pillow.Resampling, interpolation.upper()), box=box)
