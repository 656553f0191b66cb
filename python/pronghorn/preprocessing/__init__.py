"""Older names of what `utils` holds: data sets from folders and series, images, sequences."""

from __future__ import annotations

from pronghorn.preprocessing import image, sequence
from pronghorn.utils.image_dataset import image_dataset_from_directory
from pronghorn.utils.text_dataset import text_dataset_from_directory
from pronghorn.utils.timeseries_dataset import timeseries_dataset_from_array

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]
