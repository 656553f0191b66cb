"""image_dataset_from_directory: batches of images from a directory of files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from pronghorn import config
from pronghorn.ops.image.resampling import resize_to_float
from pronghorn.utils.file_dataset import FileDataset
from pronghorn.utils.images import img_to_array, load_img
from pronghorn.utils.labelled_files import index_files

_FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_COLOR_MODES = ("rgb", "rgba", "grayscale")
_INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


def image_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: str | Sequence[int] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    verbose: bool = True,
) -> Any:
    """Returns batches of images read from the files of a directory. Needs pillow.

    Args:
        directory: where the files are (.png, .jpg, .jpeg, .gif, .bmp); for `labels="inferred"` in
            one subdirectory a class.
        labels: `"inferred"` (from the subdirectories), `None`, or one integer a file in the order
            of the sorted paths.
        label_mode: `"int"`: int32 labels `(batch,)`; `"categorical"`: float32 `(batch, classes)`;
            `"binary"`: float32 `(batch, 1)`; `None`: no labels.
        class_names: the subdirectories to read, in the order of their class numbers; by default
            all in alphanumeric order.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"`: 3, 4 or 1 channels.
        batch_size: files of a batch; `None` gives files one by one.
        image_size: height and width that images are resized to, or one int for both.
        shuffle: whether the order of the files is random, and drawn anew for each pass; else it is
            alphanumeric.
        seed: of the order; by default drawn from NumPy's global generator.
        validation_split: the fraction of the files that is for validation.
        subset: with `validation_split`: `"training"`, `"validation"`, or `"both"` for a pair.
        interpolation: `"bilinear"`, `"nearest"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`, see
            `ops.image.resize`.
        follow_links: whether subdirectories that are symbolic links are read.
        crop_to_aspect_ratio: whether the middle of images is taken that has the proportions of
            `image_size`.
        pad_to_aspect_ratio: whether black borders are added that give images these proportions.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.
        verbose: whether the number of files and classes is printed.

    Returns:
        A data set for `fit`, `evaluate`, `predict` and `for` loops; `len()` is its number of
        batches; `.map(function)` changes its batches while they are read. A batch is `(images,
        labels)`, or `images` without labels, where `images` is float32 of shape `(batch, height,
        width, channels)`, or channels first, with values from 0 to 255. It has the attributes
        `class_names` and `file_paths`. For `subset="both"` a tuple of two: training and validation.

    Raises:
        ImportError: pillow is not installed.
        ValueError: an argument is not as above, or there are no images. While batches are read: a
            file is no image; the message names it.
    """
    name = "image_dataset_from_directory"
    for argument, value, allowed in (
        ("color_mode", color_mode, _COLOR_MODES),
        ("interpolation", interpolation, _INTERPOLATIONS),
    ):
        if value not in allowed:
            raise ValueError(
                f"{name}: `{argument}` must be one of {allowed}. Received: {argument}={value!r}."
            )
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    if (
        not isinstance(size, (tuple, list))
        or len(size) != 2
        or any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in size)
    ):
        raise ValueError(
            f"{name}: Invalid `image_size` value. Expected a tuple of 2 positive integers "
            f"(height, width), or one. Received: image_size={image_size}."
        )
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(
            f"{name}: only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can be True."
        )
    data_format = config.standardize_data_format(data_format)

    def read(path: str) -> np.ndarray:
        image = img_to_array(load_img(path, color_mode), data_format, "uint8")
        resized = resize_to_float(
            image,
            size,
            interpolation,
            False,
            crop_to_aspect_ratio,
            pad_to_aspect_ratio,
            "constant",
            0.0,
            data_format,
        )
        return np.asarray(resized).astype(np.float32, copy=False)

    parts = index_files(
        name,
        directory,
        labels=labels,
        label_mode=label_mode,
        class_names=class_names,
        formats=_FORMATS,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        follow_links=follow_links,
        verbose=verbose,
    )
    datasets = tuple(FileDataset(part, read, batch_size) for part in parts)
    return datasets if subset == "both" else datasets[0]
