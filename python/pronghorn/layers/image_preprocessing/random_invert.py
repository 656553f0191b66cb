"""RandomInvert: images inverted at random."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import per_image
from pronghorn.layers.image_preprocessing.base_recolor import BaseRecolor
from pronghorn.layers.image_preprocessing.ranges import number_range


class RandomInvert(BaseRecolor):
    """Replaces the pixels x of some images by `high - x` while training.

    Args:
        factor: Range of the probability that an image is inverted: two numbers, or one for from 0;
            from 0 to 1.
        value_range: `(low, high)` of the pixels.
        seed: Seed of the layer's generator.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` or `(height, width, channels)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> invert = keras.layers.RandomInvert((1.0, 1.0), value_range=(0, 1))
    >>> invert(np.array([[[0.25], [1.0]]])).numpy().ravel().tolist()
    [0.75, 0.0]
    """

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format=data_format, **kwargs)
        self.factor = number_range("RandomInvert", "factor", factor, 0, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws which images are inverted."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        seed = self.generator if seed is None else seed
        return {"apply_inversion": self._chosen(batch, self.factor, seed)}

    def _recolor(self, images: Any, transformation: Any) -> Any:
        chosen = per_image(transformation["apply_inversion"])
        return ops.where(chosen, self.value_range[1] - images, images)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "factor": self.factor}
