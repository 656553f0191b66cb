"""Identity: returns its input."""

from __future__ import annotations

from typing import Any

from pronghorn import tree
from pronghorn.layers.layer import Layer
from pronghorn.ops.keras_tensor import KerasTensor


class Identity(Layer):
    """Returns its input unchanged; a placeholder where a layer is expected.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        Any, also nested structures.

    Output shape:
        Same as the input.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Identity()(np.ones((2, 3))).shape
    (2, 3)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self._build_at_init()

    def call(self, inputs: Any) -> Any:
        """Returns `inputs`."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        return input_shape

    def compute_output_spec(self, inputs: Any) -> Any:
        """Returns symbolic tensors of the same shapes and dtypes."""
        return tree.map_structure(lambda x: KerasTensor(x.shape, dtype=x.dtype), inputs)
