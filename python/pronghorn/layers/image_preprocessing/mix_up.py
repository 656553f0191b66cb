"""MixUp: means of two images, and of their labels."""

from __future__ import annotations

from typing import Any

from pronghorn import dtypes, ops, random
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import (
    BaseImagePreprocessingLayer,
    per_image,
)


class MixUp(BaseImagePreprocessingLayer):
    """Mixes each image with another one of the batch while training.

    Images and labels become `w a + (1 - w) b` with w of a beta distribution (Zhang, Cisse, Dauphin
    and Lopez-Paz, "mixup: beyond empirical risk minimization", 2017).
    Args:
        alpha: Both parameters of the beta distribution; from above 0 to 1. The larger, the more
            equal the shares.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        seed: Seed of the layer's generator.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        data: Images, or a dict of `"images"` and any of `"labels"` (one-hot, `(batch, classes)`)
            and `"segmentation_masks"`.
        training: Whether images are mixed.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.MixUp(0.2, seed=1)
    >>> found = layer({"images": np.ones((2, 4, 4, 3)), "labels": np.eye(2)})
    >>> found["labels"].numpy().sum()
    np.float32(2.0)
    """

    def __init__(
        self,
        alpha: float = 0.2,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not alpha > 0:
            raise ValueError(
                f"MixUp: `alpha` should be a number greater than 0. Received: alpha={alpha}"
            )
        self.alpha = alpha
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the other images, and the shares that stay."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        seed = self.generator if seed is None else seed
        return {
            "permutation_order": random.shuffle(ops.arange(batch, dtype="int32"), seed=seed),
            "mix_weight": random.beta((batch,), self.alpha, self.alpha, seed=seed),
        }

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """Returns the images mixed if `training`."""
        images = ops.cast(images, self.compute_dtype)
        return self._mix(images, transformation, training)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Returns the masks mixed, as floats."""
        return self._mix(ops.cast(segmentation_masks, "float32"), transformation, training)

    def _mix(self, images: Any, transformation: Any, training: bool) -> Any:
        if not training or transformation is None:
            return images
        others = ops.take(images, transformation["permutation_order"], axis=0)
        share = per_image(ops.cast(transformation["mix_weight"], images.dtype))
        return share * images + (1.0 - share) * others

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        """Returns the labels mixed."""
        if not training or transformation is None:
            return labels
        return mixed_labels(self, labels, transformation)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "alpha": self.alpha, "seed": self.seed}


def mixed_labels(owner: Any, labels: Any, transformation: Any) -> Any:
    """Returns labels mixed as the images of a transformation are.

    Args:
        owner: The layer, for errors.
        labels: One vector for each image, `(batch, classes)`.
        transformation: `permutation_order` and `mix_weight`.

    Raises:
        ValueError: If the labels are class numbers, of which there is no mean.
    """
    if len(labels.shape) != 2:
        raise ValueError(
            f"{owner_name(owner)}: labels must be one-hot, (batch, classes): class numbers cannot "
            f"be mixed. Received: labels.shape={tuple(labels.shape)}. Use ops.one_hot."
        )
    if not dtypes.is_float_dtype(labels.dtype):
        labels = ops.cast(labels, "float32")
    others = ops.take(labels, transformation["permutation_order"], axis=0)
    share = ops.reshape(ops.cast(transformation["mix_weight"], labels.dtype), (-1, 1))
    return share * labels + (1.0 - share) * others
