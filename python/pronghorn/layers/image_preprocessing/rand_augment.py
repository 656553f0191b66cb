"""RandAugment: a few random changes out of many."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.arguments import strictly_positive
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import (
    BaseImagePreprocessingLayer,
)
from pronghorn.layers.image_preprocessing.changes import apply_change, draw_changes, make_changes
from pronghorn.layers.image_preprocessing.ranges import number_range, value_range_pair

_MOST_CHANGES = 100


class RandAugment(BaseImagePreprocessingLayer):
    """Applies a few changes, drawn from 11, to each batch while training.

    Cubuk, Zoph, Shlens and Le, "RandAugment: practical automated data augmentation with a reduced
    search space", 2019. The changes: RandomShear, RandomTranslation, RandomRotation,
    RandomBrightness, RandomColorDegeneration, RandomContrast, RandomSharpness, RandomPosterization,
    Solarization, AutoContrast, Equalization.

    Args:
        value_range: Smallest and largest value that a pixel can have.
        num_ops: How many changes are made, one after the other.
        factor: Range of their strength: two numbers, or one for from 0; from 0 to 1.
        interpolation: `"nearest"` or `"bilinear"`, for those that move pixels.
        seed: Seed of the layer's generator.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, 3)` or `(height, width, 3)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.RandAugment(seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range_pair("RandAugment", value_range)
        self.num_ops = strictly_positive("RandAugment", "num_ops", num_ops)
        if self.num_ops > _MOST_CHANGES:
            raise ValueError(
                f"RandAugment: num_ops must be at most {_MOST_CHANGES}: each is traced. "
                f"Received: num_ops={num_ops}."
            )
        self.factor = number_range("RandAugment", "factor", factor, 0, 1)
        self.interpolation = interpolation
        self._set_seed(seed)
        self._changes = make_changes(self)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws which changes are made, and the transformation of each."""
        if not training:
            return None
        seed = self.generator if seed is None else seed
        drawn = random.randint((self.num_ops,), 0, len(self._changes), seed=seed)
        transforms = [draw_changes(self._changes, data, seed) for _ in range(self.num_ops)]
        return {"layer_idxes": drawn, "transforms": transforms}

    def _apply(self, images: Any, transformation: Any, method: str) -> Any:
        for i, transforms in enumerate(transformation["transforms"]):
            drawn = transformation["layer_idxes"][i]
            images = apply_change(self._changes, drawn, transforms, images, method)
        return images

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """Returns the images changed if `training`."""
        images = ops.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return images
        return ops.cast(self._apply(images, transformation, "transform_images"), images.dtype)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Returns the masks moved as the images are."""
        if not training or transformation is None:
            return segmentation_masks
        return self._apply(segmentation_masks, transformation, "transform_segmentation_masks")

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "num_ops": self.num_ops,
            "factor": self.factor,
            "interpolation": self.interpolation,
            "seed": self.seed,
        }
