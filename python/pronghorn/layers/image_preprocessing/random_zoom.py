"""RandomZoom: images enlarged or made smaller at random."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_warp import BaseWarp, matrix
from pronghorn.layers.image_preprocessing.ranges import number_range


class RandomZoom(BaseWarp):
    """Zooms into or out of each image, about its centre, by random factors while training.

    Args:
        height_factor: Range of the zoom: two numbers, or one f for from -f to f; above -1, up to 1.
            `0.2` shows 20% more of the height (zooms out), `-0.2` 20% less (zooms in).
        width_factor: The same for the width; `None` keeps the proportions.
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
    >>> keras.layers.RandomZoom(0.5, 0.2, seed=1)(np.ones((8, 8, 3))).shape
    (8, 8, 3)
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
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
            "RandomZoom", "height_factor", height_factor, -1.0, 1.0, open_low=True
        )
        self.width_factor = width_factor
        self._width_range = None
        if width_factor is not None:
            self._width_range = number_range(
                "RandomZoom", "width_factor", width_factor, -1.0, 1.0, open_low=True
            )

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the zooms: 1 leaves an image as it is, 2 makes it half as large."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        seed = self.generator if seed is None else seed
        low, high = self._height_range
        height_zoom = width_zoom = random.uniform((batch, 1), 1.0 + low, 1.0 + high, seed=seed)
        if self._width_range is not None:
            low, high = self._width_range
            width_zoom = random.uniform((batch, 1), 1.0 + low, 1.0 + high, seed=seed)
        shape = tuple((data["images"] if isinstance(data, dict) else data).shape)
        return {"height_zoom": height_zoom, "width_zoom": width_zoom, "input_shape": shape}

    def _matrix(self, images: Any, transformation: Any) -> Any:
        _, height, width = self._sizes(images)
        across = ops.cast(transformation["width_zoom"], "float32")
        down = ops.cast(transformation["height_zoom"], "float32")
        x, y = 0.5 * (width - 1) * (1.0 - across), 0.5 * (height - 1) * (1.0 - down)
        return matrix(across, 0.0, x, 0.0, down, y)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "height_factor": self.height_factor,
            "width_factor": self.width_factor,
        }
