"""Padding and cropping of the spatial axes: what ZeroPadding1D to 3D and Cropping1D to 3D share."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.config import standardize_data_format
from pronghorn.layers.arguments import SPATIAL_NAMES, Shape, integer_tuple, owner_name, side_pairs
from pronghorn.layers.convolutional.geometry import check_rank, join_shape, spatial_part
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.spatial_layer import SpatialLayer
from pronghorn.ops.keras_tensor import KerasTensor

Pairs = tuple[tuple[int, int], ...]


class _Sides(SpatialLayer):
    # The 1D layers keep one pair, `(before, after)`, the others a tuple of pairs.
    def _read_sides(self, argument: str, value: Any) -> Pairs:
        owner = type(self).__name__
        if self.rank == 1:
            pair = integer_tuple(owner, argument, value, 2, allow_zero=True)
            return ((pair[0], pair[1]),)
        return side_pairs(owner, argument, value, self.rank)

    def _first_spatial_axis(self) -> int:
        return 1 if self.data_format == "channels_last" else 2


class BaseZeroPadding(_Sides):
    """Zeros before and after each spatial dimension; a subclass sets `rank`.

    Args:
        padding: Amounts, as in the subclass.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.
    """

    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self._pairs = self._read_sides("padding", padding)
        self.padding: Any = self._pairs[0] if self.rank == 1 else self._pairs
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """Returns the padded tensor."""
        pads = [(0, 0)] * (self.rank + 2)
        first = self._first_spatial_axis()
        pads[first : first + self.rank] = self._pairs
        return ops.pad(inputs, pads)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape of the output for inputs of `input_shape`."""
        check_rank(self, input_shape, self.rank, self.data_format)
        sizes = spatial_part(input_shape, self.data_format)
        output = tuple(None if n is None else n + a + b for n, (a, b) in zip(sizes, self._pairs))
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        return join_shape(input_shape[0], output, channels, self.data_format)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Returns a symbolic tensor of the output's shape and the input's dtype."""
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "padding": self.padding,
            "data_format": self.data_format,
        }


class BaseCropping(_Sides):
    """Removal of positions at the ends of each spatial dimension; a subclass sets `rank`.

    Args:
        cropping: Amounts, as in the subclass.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.
    """

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self._pairs = self._read_sides("cropping", cropping)
        self.cropping: Any = self._pairs[0] if self.rank == 1 else self._pairs
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """Returns the cropped tensor."""
        output = spatial_part(self.compute_output_shape(inputs.shape), self.data_format)
        first = self._first_spatial_axis()
        slices = [slice(None)] * (self.rank + 2)
        for i, (size, (before, _)) in enumerate(zip(output, self._pairs)):
            slices[first + i] = slice(before, before + (size or 0))
        return inputs[tuple(slices)]

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape of the output for inputs of `input_shape`."""
        check_rank(self, input_shape, self.rank, self.data_format)
        sizes = spatial_part(input_shape, self.data_format)
        output = tuple(None if n is None else n - a - b for n, (a, b) in zip(sizes, self._pairs))
        for i, n in enumerate(output):
            if n is not None and n <= 0:
                rule = (
                    "`cropping` parameter of `Cropping1D` layer must be smaller than the input "
                    "length."
                    if self.rank == 1
                    else "Values in `cropping` argument should be smaller than the corresponding "
                    f"spatial dimension of the input. Nothing is left of "
                    f"{SPATIAL_NAMES[self.rank][i]}."
                )
                raise ValueError(
                    f"{owner_name(self)}: {rule} Received: input_shape={tuple(input_shape)}, "
                    f"cropping={self.cropping}."
                )
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        return join_shape(input_shape[0], output, channels, self.data_format)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Returns a symbolic tensor of the output's shape and the input's dtype."""
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        config = {**super().get_config(), "cropping": self.cropping}
        if self.rank > 1:
            config["data_format"] = self.data_format
        return config
