"""BaseWarp: what the layers that move the pixels of images share."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import (
    BaseImagePreprocessingLayer,
)

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("nearest", "bilinear")


class BaseWarp(BaseImagePreprocessingLayer):
    """A layer that takes each pixel from elsewhere.

    Args:
        interpolation: `"nearest"` or `"bilinear"`; masks are always sampled with `"nearest"`.
        fill_mode: What lies outside of images, see `ops.image.map_coordinates`.
        fill_value: For `"constant"`.
        seed: Seed of the layer's generator.
        **kwargs: `data_format`, `name`, `dtype`, `trainable`.
    """

    def __init__(
        self, interpolation: str, fill_mode: str, fill_value: float, seed: Any, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if fill_mode not in FILL_MODES:
            raise NotImplementedError(
                f"{owner_name(type(self).__name__)}: Unknown `fill_mode` {fill_mode}. Expected of "
                f"one {FILL_MODES}."
            )
        if interpolation not in INTERPOLATIONS:
            raise NotImplementedError(
                f"{owner_name(type(self).__name__)}: Unknown `interpolation` {interpolation}. "
                f"Expected of one {INTERPOLATIONS}."
            )
        self.interpolation = interpolation
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self._set_seed(seed)

    def _warp(self, images: Any, transformation: Any, interpolation: str) -> Any:
        """Returns images of the compute dtype, or masks, moved."""
        return ops.image.affine_transform(
            images,
            self._matrix(images, transformation),
            interpolation=interpolation,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )

    def _matrix(self, images: Any, transformation: Any) -> Any:
        """Returns the 8 numbers of `ops.image.affine_transform` for each image."""
        raise NotImplementedError

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """Returns the images moved if `training`."""
        images = ops.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return images
        return self._warp(images, transformation, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Returns the masks moved as the images are, each pixel one of the mask."""
        if not training or transformation is None:
            return segmentation_masks
        return self._warp(segmentation_masks, transformation, "nearest")

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "interpolation": self.interpolation,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "seed": self.seed,
        }


def matrix(a0: Any, a1: Any, a2: Any, b0: Any, b1: Any, b2: Any) -> Any:
    """Returns rows of 8 numbers from columns `(batch, 1)`; a plain number stands for a column."""
    columns = [a0, a1, a2, b0, b1, b2]
    one = next(ops.ones_like(c) for c in columns if not isinstance(c, (int, float)))
    columns = [c * one for c in columns]
    return ops.concatenate([*columns, ops.zeros_like(one), ops.zeros_like(one)], axis=1)
