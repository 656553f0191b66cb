"""SpatialLayer: the check of rank and channels that layers on images and the like share."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.arguments import owner_name
from pronghorn.layers.convolutional.geometry import check_rank
from pronghorn.layers.layer import Layer


class SpatialLayer(Layer):
    """A layer on `(batch, spatial dimensions, channels)` or `(batch, channels, spatial ...)`.

    A subclass sets `rank`, the number of spatial dimensions, and `data_format`. The errors name the
    dimensions that the input should have.
    """

    rank: int
    data_format: str

    def _assert_input_compatibility(self, x: Any) -> None:
        shape = getattr(x, "shape", None)
        if shape is not None:
            check_rank(self, shape, self.rank, self.data_format)
            for axis, size in getattr(self.input_spec, "axes", {}).items():
                if shape[axis] not in (None, size):
                    raise ValueError(
                        f"{owner_name(self)}: the input is incompatible with the layer, which was "
                        f"built for {size} channels (axis {axis}, {self.data_format}). "
                        f"Received: shape={tuple(shape)}."
                    )
        super()._assert_input_compatibility(x)
