"""The penalty of rows or columns that are not orthogonal."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import ops
from pronghorn.regularizers.regularizer import Regularizer, validate_float_arg


class OrthogonalRegularizer(Regularizer):
    """Mean of the absolute cosines between the rows (or columns) of a matrix, times `factor`.

    Args:
        factor: Factor, not negative.
        mode: `"rows"` or `"columns"`.

    Raises:
        ValueError: If an argument is out of range, or the input is not a matrix.

    Example:

    >>> import pronghorn as keras
    >>> float(keras.regularizers.OrthogonalRegularizer(0.1)(keras.ops.eye(2)))
    0.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = validate_float_arg(factor, "factor")
        if mode not in ("rows", "columns"):
            raise ValueError(
                'Invalid value for argument `mode`. Expected one of {"rows", "columns"}. '
                f"Received: mode={mode}"
            )
        self.mode = mode

    def __call__(self, inputs: Any) -> Any:
        if len(inputs.shape) != 2:
            raise ValueError(
                "Inputs to OrthogonalRegularizer must have rank 2. "
                f"Received: inputs.shape={tuple(inputs.shape)}"
            )
        rows = self.mode == "rows"
        inputs = ops.normalize(inputs, axis=1 if rows else 0)
        transposed = ops.transpose(inputs)
        cosines = ops.matmul(inputs, transposed) if rows else ops.matmul(transposed, inputs)
        size = int(cosines.shape[0])
        off_diagonal = ops.convert_to_tensor(1.0 - np.eye(size, dtype="float32"))
        pairs = size * (size - 1.0) / 2.0
        total = ops.sum(ops.absolute(cosines * ops.cast(off_diagonal, cosines.dtype)))
        return self.factor * 0.5 * total / pairs

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}
