"""RandomShear: images slanted at random."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_warp import BaseWarp, matrix
from pronghorn.layers.image_preprocessing.ranges import number_range


class RandomShear(BaseWarp):
    """Slants each image by random amounts while training.

    Args:
        x_factor: Range of how many columns a row is moved against the row above: two numbers from 0
            to 1, or one f for from -f to f. The sign is random.
        y_factor: The same for columns.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: What lies outside of images: `"reflect"` `b a | a b c d | d c`, `"wrap"`
            `c d | a b c d | a b`, `"constant"`, or `"nearest"` `a a | a b c d | d d`.
        fill_value: For `"constant"`.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        seed: Seed of the layer's generator.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` or `(height, width, channels)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.RandomShear(0.2, 0.1, seed=1)(np.ones((8, 8, 3))).shape
    (8, 8, 3)
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            interpolation, fill_mode, fill_value, seed, data_format=data_format, **kwargs
        )
        # The pair of one f is (-f, f), which a configuration brings back.
        self.x_factor = _shears("x_factor", x_factor)
        self.y_factor = _shears("y_factor", y_factor)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws the shears (x, y)."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        seed = self.generator if seed is None else seed
        sign = ops.where(random.uniform((batch, 1), seed=seed) > 0.5, -1.0, 1.0)
        y = random.uniform((batch, 1), *self.y_factor, seed=seed)
        x = random.uniform((batch, 1), *self.x_factor, seed=seed)
        shape = tuple((data["images"] if isinstance(data, dict) else data).shape)
        return {"shear_factor": ops.concatenate([x, y], axis=1) * sign, "input_shape": shape}

    def _matrix(self, images: Any, transformation: Any) -> Any:
        x, y = ops.split(ops.cast(transformation["shear_factor"], "float32"), 2, axis=1)
        return matrix(1.0, x, 0.0, y, 1.0, 0.0)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "x_factor": _argument(self.x_factor),
            "y_factor": _argument(self.y_factor),
        }


def _argument(factor: tuple[float, float]) -> Any:
    low, high = factor
    return high if low == -high < 0 else factor  # Keras takes no negative number


def _shears(argument: str, value: Any) -> tuple[float, float]:
    if isinstance(value, (tuple, list)) and len(value) == 2 and value[0] == -value[1] < 0:
        value = value[1]
    low, high = number_range("RandomShear", argument, value, 0.0, 1.0)
    return (low, high) if isinstance(value, (tuple, list)) else (-high, high)
