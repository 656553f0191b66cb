"""Solarization: light pixels inverted."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_recolor import BaseRecolor
from pronghorn.layers.image_preprocessing.ranges import number_range


class Solarization(BaseRecolor):
    """Adds a random amount to pixels and inverts those above a random threshold while training.

    In units of 8 bits: `y = x + addition`, and y where it is below the threshold, else 255 - y.

    Args:
        addition_factor: Range of the amount, as parts of 255: two numbers, or one for from 0; from
            0 to 1.
        threshold_factor: Range of the threshold, alike; with 0 all pixels are inverted.
        value_range: Smallest and largest value that a pixel can have.
        seed: Seed of the layer's generator.
        **kwargs: `data_format`, `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` or `(height, width, channels)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Solarization()(np.array([[[0.0], [200.0]]])).numpy().ravel().tolist()
    [255.0, 55.0]
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, **kwargs)
        self.addition_factor = number_range(
            "Solarization", "addition_factor", addition_factor, 0, 1, "from_low"
        )
        self.threshold_factor = number_range(
            "Solarization", "threshold_factor", threshold_factor, 0, 1, "from_low"
        )

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws amounts and thresholds."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        seed = self.generator if seed is None else seed
        return {
            name: random.uniform((batch, 1, 1, 1), low * 255.0, high * 255.0, seed=seed)
            for name, (low, high) in (
                ("additions", self.addition_factor),
                ("thresholds", self.threshold_factor),
            )
        }

    def _recolor(self, images: Any, transformation: Any) -> Any:
        images = self._scaled(images, self.value_range, (0, 255))
        found = ops.clip(images + ops.cast(transformation["additions"], images.dtype), 0, 255)
        limit = ops.cast(transformation["thresholds"], images.dtype)
        return self._scaled(
            ops.where(found < limit, found, 255 - found), (0, 255), self.value_range
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "addition_factor": self.addition_factor,
            "threshold_factor": self.threshold_factor,
        }
