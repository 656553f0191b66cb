"""BasePooling: what the max and average pooling layers share."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.config import standardize_data_format
from pronghorn.layers.arguments import Shape, integer_tuple, one_of
from pronghorn.layers.convolutional.geometry import join_shape, window_output
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.spatial_layer import SpatialLayer


class BasePooling(SpatialLayer):
    """Pooling over windows of `pool_dimensions` spatial dimensions.

    Args:
        pool_size: Size of the window.
        strides: Steps of the window. `None`: `pool_size`.
        pool_dimensions: Number of spatial dimensions, 1, 2 or 3.
        pool_mode: `"max"` or `"average"`.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        name: Name of the layer.
        **kwargs: `dtype`, `trainable`.
    """

    def __init__(
        self,
        pool_size: Any,
        strides: Any,
        pool_dimensions: int,
        pool_mode: str = "max",
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        owner = type(self).__name__
        rank = pool_dimensions
        self.rank = rank
        self.pool_size = integer_tuple(owner, "pool_size", pool_size, rank)
        strides = pool_size if strides is None else strides
        self.strides = integer_tuple(owner, "strides", strides, rank)
        self.pool_mode = one_of(owner, "pool_mode", pool_mode, ("max", "average"))
        self.padding = one_of(owner, "padding", padding, ("valid", "same"))
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=rank + 2)
        self._build_at_init()

    def call(self, inputs: Any) -> Any:
        """Returns the pooled tensor."""
        self.compute_output_shape(inputs.shape)
        pool = ops.max_pool if self.pool_mode == "max" else ops.average_pool
        return pool(
            inputs,
            pool_size=self.pool_size,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape of the output for inputs of `input_shape`."""
        spatial = window_output(
            self,
            "pool_size",
            input_shape,
            self.pool_size,
            self.strides,
            self.padding,
            (1,) * len(self.pool_size),
            self.data_format,
        )
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        return join_shape(input_shape[0], spatial, channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }
