"""BaseSpatialDropout: what SpatialDropout1D, 2D and 3D share."""

from __future__ import annotations

from typing import Any

from pronghorn import random
from pronghorn.config import standardize_data_format
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.regularization.base_noise import BaseNoise, probability
from pronghorn.layers.spatial_layer import SpatialLayer


class BaseSpatialDropout(SpatialLayer, BaseNoise):
    """Dropout of whole channels; a subclass sets `rank`.

    Args:
        rate: Fraction of the channels to drop, from 0 to 1.
        seed: Seed of the layer's random numbers; `None`: drawn.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        name: Name of the layer.
        dtype: Dtype policy of the layer.
    """

    def __init__(
        self,
        rate: float,
        seed: Any = None,
        data_format: str | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        rate = probability(type(self).__name__, "rate", rate)
        super().__init__(seed, active=rate > 0, name=name, dtype=dtype)
        self.rate = rate
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the input with channels dropped if `training`."""
        if not training or not self.active:
            return inputs
        ones = (1,) * self.rank
        if self.data_format == "channels_last":
            shape = (inputs.shape[0], *ones, inputs.shape[-1])
        else:
            shape = (*inputs.shape[:2], *ones)
        return random.dropout(inputs, self.rate, noise_shape=shape, seed=self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        config = {
            "rate": self.rate,
            "seed": self.seed,
            "name": self.name,
            "dtype": self.dtype,
        }
        if self.rank > 1:
            config["data_format"] = self.data_format
        return config
