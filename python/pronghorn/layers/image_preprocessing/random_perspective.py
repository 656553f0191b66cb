"""RandomPerspective: images seen from random places."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import per_image
from pronghorn.layers.image_preprocessing.base_warp import BaseWarp
from pronghorn.layers.image_preprocessing.ranges import number_range


class RandomPerspective(BaseWarp):
    """Moves the corners of images at random, as if seen from elsewhere, while training.

    Args:
        factor: Range of the probability that an image is changed: two numbers, or one for from 0;
            from 0 to 1.
        scale: How far corners move: up to half of it, in widths and heights of the image.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_value: What lies outside of images.
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
    >>> keras.layers.RandomPerspective(1.0, 0.5, seed=1)(np.ones((8, 8, 3))).shape
    (8, 8, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            interpolation, "constant", fill_value, seed, data_format=data_format, **kwargs
        )
        self.factor = number_range("RandomPerspective", "factor", factor, 0, 1)
        if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not 0 <= scale <= 1:
            raise ValueError(
                "RandomPerspective: The `scale` argument should be a number in the range [0,1]. "
                f"Received: scale={scale}"
            )
        self.scale = scale

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws which images are changed, and where their corners go."""
        if not training:
            return None
        batch, height, width = self._sizes(data)
        seed = self.generator if seed is None else seed
        probability = random.uniform((batch,), *self.factor, seed=seed)
        applied = random.uniform((batch,), seed=seed) < probability
        half = 0.5 * self.scale
        moves = random.uniform((batch, 4, 2), -half, half, seed=seed)
        right, bottom = width - 1.0, height - 1.0
        corners = np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]], np.float32)
        start = ops.broadcast_to(ops.convert_to_tensor(corners), (batch, 4, 2))
        shape = tuple((data["images"] if isinstance(data, dict) else data).shape)
        return {
            "apply_perspective": applied,
            "start_points": start,
            "end_points": start + start * moves,
            "input_shape": shape,
        }

    def _warp(self, images: Any, transformation: Any, interpolation: str) -> Any:
        moved = ops.image.perspective_transform(
            images,
            transformation["start_points"],
            transformation["end_points"],
            interpolation=interpolation,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )
        return ops.where(per_image(transformation["apply_perspective"]), moved, images)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        config = {**super().get_config(), "factor": self.factor, "scale": self.scale}
        del config["fill_mode"]
        return config
