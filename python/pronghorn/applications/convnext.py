"""LayerScale and StochasticDepth: what ConvNeXt multiplies its residual branches with."""

from __future__ import annotations

from typing import Any

from pronghorn import initializers, ops, random
from pronghorn.layers.layer import Layer
from pronghorn.layers.regularization.base_noise import BaseNoise, probability


class LayerScale(Layer):
    """Multiplies each channel by a weight, `gamma`.

    Source: Touvron et al., "Going deeper with Image Transformers", 2021, section 2.

    Args:
        init_values: Value that all elements of `gamma` start with.
        projection_dim: Number of channels.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(..., projection_dim)`.

    Output shape:
        Same as the input.
    """

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = projection_dim

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Creates `gamma`."""
        self.gamma = self.add_weight(
            name="gamma",
            shape=(self.projection_dim,),
            initializer=initializers.Constant(self.init_values),
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the input times `gamma`."""
        return ops.multiply(inputs, self.gamma)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "init_values": self.init_values,
            "projection_dim": self.projection_dim,
        }


class StochasticDepth(BaseNoise):
    """Drops whole samples while training, and divides the others by the share that is kept.

    Source: Huang et al., "Deep Networks with Stochastic Depth", 2016, section 3.

    Args:
        drop_path_rate: Probability that a sample is dropped.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, ...)`.

    Output shape:
        Same as the input.
    """

    def __init__(self, drop_path_rate: float, **kwargs: Any) -> None:
        drop_path_rate = probability("StochasticDepth", "drop_path_rate", drop_path_rate)
        super().__init__(None, active=drop_path_rate > 0, **kwargs)
        self.drop_path_rate = drop_path_rate

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns the input, without the dropped samples if `training`."""
        if not training or not self.active:
            return inputs
        kept = 1.0 - self.drop_path_rate
        shape = (inputs.shape[0],) + (1,) * (len(inputs.shape) - 1)
        drawn = random.uniform(shape, dtype=self.compute_dtype, seed=self.seed_generator)
        return ops.multiply(ops.divide(inputs, kept), ops.floor(ops.add(drawn, kept)))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "drop_path_rate": self.drop_path_rate}
