"""CutMix: rectangles of other images, and their labels."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import (
    BaseImagePreprocessingLayer,
)
from pronghorn.layers.image_preprocessing.boxes import box_masks, random_span
from pronghorn.layers.image_preprocessing.mix_up import mixed_labels
from pronghorn.layers.image_preprocessing.ranges import number_range


class CutMix(BaseImagePreprocessingLayer):
    """Puts a random rectangle of another image of the batch into each image while training.

    Labels are mixed by the areas (Yun, Han, Oh, Chun, Choe and Yoo, "CutMix: regularization
    strategy to train strong classifiers with localizable features", 2019).
    Args:
        factor: Range of the parameter of the beta distribution of areas, one draw for a batch: two
            numbers, or one for from 0; from 0 to 1.
        seed: Seed of the layer's generator.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        data: Images, or a dict of `"images"` and any of `"labels"` (one-hot, `(batch, classes)`)
            and `"segmentation_masks"`. A single image stays as it is.
        training: Whether images are mixed.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.CutMix(seed=1)
    >>> found = layer({"images": np.ones((2, 4, 4, 3)), "labels": np.eye(2)})
    >>> found["labels"].shape
    (2, 2)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = number_range("CutMix", "factor", factor, 0, 1)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the other images, the rectangles, and the shares of labels that stay."""
        images = data["images"] if isinstance(data, dict) else data
        if not training or len(images.shape) == 3:
            return None
        batch, height, width = self._sizes(images)
        seed = self.generator if seed is None else seed
        alpha = random.uniform((), *self.factor, seed=seed) + 1e-6
        side = ops.sqrt(1.0 - random.beta((batch,), alpha, alpha, seed=seed))
        columns = random_span(batch, width, side, seed)
        rows = random_span(batch, height, side, seed)
        area = (columns[1] - columns[0]) * (rows[1] - rows[0])
        return {
            "permutation_order": random.shuffle(ops.arange(batch, dtype="int32"), seed=seed),
            "batch_masks": box_masks(rows, columns, height, width, self.data_format),
            "mix_weight": 1.0 - area / float(width * height),
        }

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """Returns the images with rectangles of others if `training`."""
        images = ops.cast(images, self.compute_dtype)
        return self._cut(images, transformation, training)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Returns the masks with the same rectangles of others."""
        return self._cut(segmentation_masks, transformation, training)

    def _cut(self, images: Any, transformation: Any, training: bool) -> Any:
        if not training or transformation is None:
            return images
        others = ops.take(images, transformation["permutation_order"], axis=0)
        return ops.where(transformation["batch_masks"], others, images)

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        """Returns the labels mixed by the areas."""
        if not training or transformation is None:
            return labels
        return mixed_labels(self, labels, transformation)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "factor": self.factor, "seed": self.seed}
