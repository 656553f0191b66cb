"""Older names of the functions of `utils` that read, write and convert images."""

from __future__ import annotations

from pronghorn.utils.images import array_to_img, img_to_array, load_img, save_img

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img"]
