"""RandomPosterization: images with fewer values at random."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import per_image
from pronghorn.layers.image_preprocessing.base_recolor import BaseRecolor
from pronghorn.layers.image_preprocessing.ranges import number_range


class RandomPosterization(BaseRecolor):
    """Keeps a random number of bits, of 8, of the pixels of each image while training.

    Args:
        factor: Range of the number of bits: two integers (the second is not reached, unless both
            are equal), or one for from 1; from 1 to 8.
        value_range: Smallest and largest value that a pixel can have.
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
    >>> layer = keras.layers.RandomPosterization((1, 1))
    >>> layer(np.array([[[100.0], [200.0]]])).numpy().ravel().tolist()
    [0.0, 128.0]
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format=data_format, **kwargs)
        self.factor = number_range("RandomPosterization", "factor", factor, 1, 8, "from_low")

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws how many bits each image loses."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        low, high = (int(f) for f in self.factor)
        if low == high:
            return {"shift_factor": ops.full((batch,), 8 - low, dtype="uint8")}
        seed = self.generator if seed is None else seed
        return {"shift_factor": 8 - random.randint((batch,), low, high, dtype="uint8", seed=seed)}

    def _recolor(self, images: Any, transformation: Any) -> Any:
        bits = ops.cast(per_image(transformation["shift_factor"]), "uint8")
        images = ops.cast(self._scaled(images, self.value_range, (0, 255)), "uint8")
        images = ops.left_shift(ops.right_shift(images, bits), bits)
        return self._scaled(ops.cast(images, self.compute_dtype), (0, 255), self.value_range)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "factor": self.factor}
