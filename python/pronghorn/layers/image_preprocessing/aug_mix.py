"""AugMix: means of images changed in several ways."""

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


class AugMix(BaseImagePreprocessingLayer):
    """Mixes images with a mean of copies that went through chains of changes, while training.

    Hendrycks, Mu, Cubuk, Zoph, Gilmer and Lakshminarayanan, "AugMix: a simple data processing
    method to improve robustness and uncertainty", 2019. The chains and the shares are the same for
    all images of a batch. The changes are those of `RandAugment`.

    Args:
        value_range: Smallest and largest value that a pixel can have.
        num_chains: How many chains there are.
        chain_depth: The most changes of a chain: each of them is left out with the probability that
            every change has.
        factor: Range of their strength: two numbers, or one for from 0; from 0 to 1.
        alpha: Parameter of the Dirichlet distribution of the chains' shares, and of the beta
            distribution of the share of the images as they are.
        all_ops: Whether brightness, colour degeneration, contrast and sharpness are among the
            changes.
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
    >>> keras.layers.AugMix(seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range_pair("AugMix", value_range)
        self.num_chains = strictly_positive("AugMix", "num_chains", num_chains)
        self.chain_depth = strictly_positive("AugMix", "chain_depth", chain_depth)
        if self.num_chains * self.chain_depth > _MOST_CHANGES:
            raise ValueError(
                f"AugMix: num_chains * chain_depth must be at most {_MOST_CHANGES}: each change is "
                f"traced. Received: num_chains={num_chains}, chain_depth={chain_depth}."
            )
        self.factor = number_range("AugMix", "factor", factor, 0, 1)
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not alpha > 0:
            raise ValueError(
                f"AugMix: `alpha` should be a number greater than 0. Received: alpha={alpha}"
            )
        self.alpha = alpha
        self.all_ops = all_ops
        self.interpolation = interpolation
        self._set_seed(seed)
        self._changes = make_changes(self, all_ops)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the shares, and the changes of each chain."""
        if not training:
            return None
        seed = self.generator if seed is None else seed
        weights = random.gamma((self.num_chains,), self.alpha, seed=seed)
        # One number more than there are changes: none.
        shape = (self.num_chains, self.chain_depth)
        drawn = random.randint(shape, 0, len(self._changes) + 1, seed=seed)
        chains = [
            [draw_changes(self._changes, data, seed) for _ in range(self.chain_depth)]
            for _ in range(self.num_chains)
        ]
        return {
            "chain_mixing_weights": weights / ops.sum(weights),
            "weight_sample": random.beta((), self.alpha, self.alpha, seed=seed),
            "layer_idxes": drawn,
            "chain_transforms": chains,
        }

    def _mix(self, images: Any, transformation: Any, method: str) -> Any:
        shares = ops.cast(transformation["chain_mixing_weights"], images.dtype)
        mixed = ops.zeros_like(images)
        for i, chain in enumerate(transformation["chain_transforms"]):
            changed = images
            for j, transforms in enumerate(chain):
                drawn = transformation["layer_idxes"][i, j]
                changed = apply_change(self._changes, drawn, transforms, changed, method)
            mixed = mixed + shares[i] * changed
        own = ops.cast(transformation["weight_sample"], images.dtype)
        return own * images + (1.0 - own) * mixed

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """Returns the images mixed if `training`."""
        images = ops.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return images
        mixed = self._mix(images, transformation, "transform_images")
        return ops.clip(mixed, self.value_range[0], self.value_range[1])

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Returns the masks mixed as the images are, as floats."""
        if not training or transformation is None:
            return segmentation_masks
        masks = ops.cast(segmentation_masks, "float32")
        return self._mix(masks, transformation, "transform_segmentation_masks")

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "num_chains": self.num_chains,
            "chain_depth": self.chain_depth,
            "factor": self.factor,
            "alpha": self.alpha,
            "all_ops": self.all_ops,
            "interpolation": self.interpolation,
            "seed": self.seed,
        }
