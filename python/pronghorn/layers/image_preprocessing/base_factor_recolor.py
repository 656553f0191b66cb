"""BaseFactorRecolor: what the layers share that change colours by a factor from 0 to 1."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.image_preprocessing.base_recolor import BaseRecolor
from pronghorn.layers.image_preprocessing.ranges import number_range


class BaseFactorRecolor(BaseRecolor):
    """A layer that changes colours by a factor, drawn from a range within 0, ..., 1.

    Args:
        factor: The range: two numbers, or one for from 0.
        value_range: Smallest and largest value that a pixel can have.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        seed: Seed of the layer's generator.
        **kwargs: `name`, `dtype`, `trainable`.
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
        self.factor = number_range(type(self).__name__, "factor", factor, 0, 1)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "factor": self.factor}
