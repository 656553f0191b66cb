"""BaseRecolor: what the layers that change the colours of images share."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import (
    BaseImagePreprocessingLayer,
)
from pronghorn.layers.image_preprocessing.ranges import value_range_pair


class BaseRecolor(BaseImagePreprocessingLayer):
    """A layer that changes the values of pixels and moves none.

    Args:
        value_range: Smallest and largest value of a pixel; `None` for layers without one.
        seed: Seed of the layer's generator; `False` for layers that draw nothing.
        **kwargs: `data_format`, `name`, `dtype`, `trainable`.
    """

    value_range: list[float]

    def __init__(self, value_range: Any = None, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if value_range is not None:
            self.value_range = value_range_pair(type(self).__name__, value_range)
        if seed is not False:
            self._set_seed(seed)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """Returns the images with other colours if `training`."""
        images = ops.cast(images, self.compute_dtype)
        if not training or (transformation is None and hasattr(self, "seed")):
            return images
        return ops.cast(self._recolor(images, transformation), self.compute_dtype)

    def _recolor(self, images: Any, transformation: Any) -> Any:
        """Returns the images, which are of the compute dtype, changed."""
        raise NotImplementedError

    def _clip(self, images: Any) -> Any:
        return ops.clip(images, self.value_range[0], self.value_range[1])

    def _scaled(self, images: Any, source: Any, target: Any) -> Any:
        """Returns values of one range as those of another."""
        if tuple(source) == tuple(target):
            return images
        factor = (target[1] - target[0]) / (source[1] - source[0])
        return (images - source[0]) * factor + target[0]

    def _chosen(self, batch: int, probability: tuple[float, float], seed: Any) -> Any:
        """Draws a probability for each image, and which images are chosen with it."""
        limit = random.uniform((batch,), *probability, seed=seed)
        return random.uniform((batch,), seed=seed) < limit

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        config = super().get_config()
        if hasattr(self, "value_range"):
            config["value_range"] = self.value_range
        if hasattr(self, "seed"):
            config["seed"] = self.seed
        return config
