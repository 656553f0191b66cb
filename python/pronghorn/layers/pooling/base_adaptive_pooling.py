"""BaseAdaptivePooling: what the adaptive pooling layers share."""

from __future__ import annotations

from typing import Any, ClassVar

from pronghorn import ops
from pronghorn.config import standardize_data_format
from pronghorn.layers.arguments import Shape, integer_tuple, is_integer
from pronghorn.layers.convolutional.geometry import check_rank, join_shape
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.spatial_layer import SpatialLayer


class BaseAdaptivePooling(SpatialLayer):
    """Pooling to a fixed output size; a subclass sets `rank` and `mode`.

    Args:
        output_size: Output size, an int or a tuple of `rank` ints.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.
    """

    mode: ClassVar[str]

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        owner = type(self).__name__
        if not is_integer(output_size) and not isinstance(output_size, (list, tuple)):
            raise TypeError(
                f"{owner}: `output_size` must be an integer or (list or tuple) of {self.rank} "
                f"integers. Received: {output_size!r} of type {type(output_size)}."
            )
        self.output_size = integer_tuple(owner, "output_size", output_size, self.rank)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """Returns the pooled tensor."""
        pool = ops.adaptive_max_pool if self.mode == "max" else ops.adaptive_average_pool
        return pool(inputs, output_size=self.output_size, data_format=self.data_format)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape of the output for inputs of `input_shape`."""
        check_rank(self, input_shape, self.rank, self.data_format)
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        return join_shape(input_shape[0], self.output_size, channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "output_size": self.output_size,
            "data_format": self.data_format,
        }
