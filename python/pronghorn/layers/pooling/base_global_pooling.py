"""BaseGlobalPooling: what the global pooling layers share."""

from __future__ import annotations

from typing import Any

from pronghorn.config import standardize_data_format
from pronghorn.layers.arguments import Shape
from pronghorn.layers.convolutional.geometry import check_rank, join_shape
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.spatial_layer import SpatialLayer


class BaseGlobalPooling(SpatialLayer):
    """Reduction over all `rank` spatial dimensions; a subclass sets `rank` and has `call`.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        keepdims: Whether the spatial axes stay, with size 1.
        **kwargs: `name`, `dtype`, `trainable`.
    """

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._build_at_init()

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """The axes that are reduced."""
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def call(self, inputs: Any) -> Any:
        """Returns the reduced tensor."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape of the output for inputs of `input_shape`."""
        check_rank(self, input_shape, self.rank, self.data_format)
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        if self.keepdims:
            return join_shape(input_shape[0], (1,) * self.rank, channels, self.data_format)
        return (input_shape[0], channels)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "data_format": self.data_format,
            "keepdims": self.keepdims,
        }
