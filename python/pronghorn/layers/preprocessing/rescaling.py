"""Rescaling: multiplies by a factor and adds an offset."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import ops
from pronghorn.config import image_data_format
from pronghorn.layers.layer import Layer
from pronghorn.layers.preprocessing.batches import from_lists


class Rescaling(Layer):
    """`outputs = inputs * scale + offset`, in training and in inference.

    `Rescaling(1 / 255)` maps pixels from 0, ..., 255 to 0, ..., 1; `Rescaling(1 / 127.5,
    offset=-1)` to -1, ..., 1. Integers are converted to the layer's compute dtype.

    Args:
        scale: Factor, a number or one number per channel.
        offset: What is added, a number or one number per channel.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        Any.

    Output shape:
        Same as the input.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.Rescaling(1 / 127.5, offset=-1)
    >>> layer(np.array([0.0, 127.5, 255.0])).numpy().tolist()
    [-1.0, 0.0, 1.0]
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(from_lists(inputs), *args, **kwargs)

    def call(self, inputs: Any) -> Any:
        """Returns `inputs * scale + offset`."""
        scale = self._constant(self.scale, len(inputs.shape))
        offset = self._constant(self.offset, len(inputs.shape))
        return ops.add(ops.multiply(ops.cast(inputs, self.compute_dtype), scale), offset)

    def _constant(self, value: Any, rank: int) -> Any:
        if isinstance(value, (int, float)):
            return ops.convert_to_tensor(float(value), dtype=self.compute_dtype)
        array = np.asarray(value, dtype="float32")
        if array.ndim == 1 and rank > 1 and image_data_format() == "channels_first":
            # One number per channel, in the axis of the channels.
            array = array.reshape((-1,) + (1,) * max(rank - 2, 0))
        return ops.convert_to_tensor(array, dtype=self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "scale": _plain(self.scale),
            "offset": _plain(self.offset),
        }


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
