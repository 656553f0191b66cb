"""RandomTranslation: images moved at random."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_warp import BaseWarp, matrix
from pronghorn.layers.image_preprocessing.ranges import number_range


class RandomTranslation(BaseWarp):
    """Moves each image by random parts of its height and width while training.

    Args:
        height_factor: Range of the move down: two numbers, or one f for from -f to f; from -1 to 1,
            in heights of the image.
        width_factor: The same to the right, in widths.
        fill_mode: What lies outside of images: `"reflect"` `b a | a b c d | d c`, `"wrap"`
            `c d | a b c d | a b`, `"constant"`, or `"nearest"` `a a | a b c d | d d`.
        interpolation: `"nearest"` or `"bilinear"`.
        seed: Seed of the layer's generator.
        fill_value: For `"constant"`.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` or `(height, width, channels)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> right = keras.layers.RandomTranslation(0.0, (0.5, 0.5), fill_mode="constant")
    >>> right(np.array([[[1.0], [2.0]]])).numpy().ravel().tolist()
    [0.0, 1.0]
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            interpolation, fill_mode, fill_value, seed, data_format=data_format, **kwargs
        )
        self.height_factor = height_factor
        self._height_range = number_range(
            "RandomTranslation", "height_factor", height_factor, -1.0, 1.0
        )
        self.width_factor = width_factor
        self._width_range = number_range(
            "RandomTranslation", "width_factor", width_factor, -1.0, 1.0
        )

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the moves (right, down), in pixels."""
        if not training:
            return None
        batch, height, width = self._sizes(data)
        seed = self.generator if seed is None else seed
        down = random.uniform((batch, 1), *self._height_range, seed=seed) * float(height)
        right = random.uniform((batch, 1), *self._width_range, seed=seed) * float(width)
        shape = tuple((data["images"] if isinstance(data, dict) else data).shape)
        return {"translations": ops.concatenate([right, down], axis=1), "input_shape": shape}

    def _matrix(self, images: Any, transformation: Any) -> Any:
        right, down = ops.split(ops.cast(transformation["translations"], "float32"), 2, axis=1)
        return matrix(1.0, 0.0, -right, 0.0, 1.0, -down)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "height_factor": self.height_factor,
            "width_factor": self.width_factor,
        }
