"""Reshape: another shape for each sample."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import Shape, is_integer, owner_name
from pronghorn.layers.layer import Layer
from pronghorn.ops.keras_tensor import KerasTensor


class Reshape(Layer):
    """Gives each sample the shape `target_shape`; the number of elements stays the same.

    Args:
        target_shape: Sizes without the batch axis. At most one may be -1: what is left.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, ...)`.

    Output shape:
        `(batch, *target_shape)`.

    Raises:
        ValueError: If `target_shape` has a wrong size, or the numbers of elements differ.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Reshape((3, -1))(np.ones((2, 12))).shape
    (2, 3, 4)
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        target = (target_shape,) if is_integer(target_shape) else tuple(target_shape)
        for size in target:
            if not is_integer(size) or size < -1:
                raise ValueError(
                    "Reshape: each size in target_shape must be a non-negative integer or -1. "
                    f"Received: target_shape={target}."
                )
        if target.count(-1) > 1:
            raise ValueError(
                "Reshape: target_shape can have at most one unknown dimension (-1). "
                f"Received: target_shape={target}."
            )
        self.target_shape = tuple(int(size) for size in target)
        self._build_at_init()

    def _resolve(self, sample_shape: Shape) -> Shape:
        # Returns the target shape with -1 replaced; None where it depends on an unknown size.
        target = self.target_shape
        received = (
            f"Received: input_shape={tuple(sample_shape)} (without the batch axis), "
            f"target_shape={target}."
        )
        known = math.prod(size for size in target if size != -1)
        if None in sample_shape:
            return tuple(None if size == -1 else size for size in target)
        total = math.prod(size for size in sample_shape if size is not None)
        if -1 not in target:
            if total != known:
                raise ValueError(
                    f"{owner_name(self)}: The total size of the tensor must be unchanged: the "
                    f"input "
                    f"has {total} elements per sample, target_shape {known}. {received}"
                )
            return target
        if (known == 0 and total != 0) or (known != 0 and total % known):
            raise ValueError(
                f"{owner_name(self)}: The total size of the tensor must be unchanged: {total} "
                f"elements per sample cannot be divided by {known}. {received}"
            )
        rest = total // known if known else 0
        return tuple(rest if size == -1 else size for size in target)

    def call(self, inputs: Any) -> Any:
        """Returns the input in its new shape."""
        target = self._resolve(tuple(inputs.shape[1:]))
        return ops.reshape(inputs, (inputs.shape[0], *target))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns `(batch, *target_shape)`."""
        return (input_shape[0], *self._resolve(tuple(input_shape[1:])))

    def compute_output_spec(self, inputs: Any) -> Any:
        """Returns a symbolic tensor of the output's shape and the input's dtype."""
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "target_shape": self.target_shape}
