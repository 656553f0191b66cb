"""Softmax: the softmax function as a layer, with an optional mask."""

from __future__ import annotations

from typing import Any

from pronghorn import activations, ops
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.layer import Layer

# What is added to masked logits: large, and finite in the dtype.
_MASKED = {"float16": -3e4}


class Softmax(Layer):
    """Softmax: `exp(x_i) / sum_j exp(x_j)` along an axis, or over several axes together.

    Args:
        axis: Axis, or list of axes over which the outputs sum to 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: The logits.
        mask: Boolean mask that broadcasts to the inputs, true for the positions to keep. Other
            positions get 0; a row with no position to keep is all 0.

    Input shape:
        Any.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If the mask does not broadcast to the inputs.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.Softmax()
    >>> layer(np.zeros((1, 4)), mask=np.array([[True, True, False, False]])).numpy().tolist()
    [[0.5, 0.5, 0.0, 0.0]]
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True
        self._build_at_init()

    def _check_mask(self, inputs: Any, mask: Any) -> None:
        shape, mask_shape = tuple(inputs.shape), tuple(mask.shape)
        received = f"Received: inputs.shape={shape}, mask.shape={mask_shape}."
        if len(mask_shape) > len(shape):
            raise ValueError(
                f"{owner_name(self)}: the mask must not have more dimensions than the inputs. "
                + received
            )
        for size, mask_size in zip(reversed(shape), reversed(mask_shape)):
            if mask_size not in (1, size):
                raise ValueError(
                    f"{owner_name(self)}: the mask must be broadcastable to the inputs. {received}"
                )

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Returns `softmax(inputs)` over the axis, with no weight where `mask` is false."""
        if mask is None:
            return self._softmax(inputs)
        mask = ops.convert_to_tensor(mask)
        self._check_mask(inputs, mask)
        keep = ops.cast(mask, inputs.dtype)
        dropped = ops.multiply(ops.subtract(1.0, keep), _MASKED.get(inputs.dtype, -1e9))
        return ops.multiply(self._softmax(ops.add(inputs, dropped)), keep)

    def _softmax(self, inputs: Any) -> Any:
        if not isinstance(self.axis, (tuple, list)):
            return activations.softmax(inputs, axis=self.axis)
        if len(self.axis) == 1:
            return activations.softmax(inputs, axis=self.axis[0])
        axes = tuple(self.axis)
        return ops.exp(ops.subtract(inputs, ops.logsumexp(inputs, axis=axes, keepdims=True)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "axis": self.axis}
