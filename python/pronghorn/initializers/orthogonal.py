"""The initializer of orthogonal matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pronghorn import ops, random
from pronghorn.initializers.random_initializers import RandomInitializer


class Orthogonal(RandomInitializer):
    """A matrix with orthonormal rows or columns (whichever are fewer), times `gain`.

    More than two dimensions are flattened to `(first dimensions, last dimension)`. The Q factor
    of a normal random matrix, computed in float64.

    Args:
        gain: Factor.
        seed: An int, a `SeedGenerator` or `None`.

    Raises:
        ValueError: If the shape has fewer than two dimensions, or the dtype is not a float.

    Example:

    >>> import pronghorn as keras
    >>> q = keras.initializers.Orthogonal(seed=1)((3, 3)).numpy()
    >>> bool(abs(q @ q.T - keras.ops.eye(3).numpy()).max() < 1e-6)
    True
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        self.gain = gain
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        shape = tuple(shape)
        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize must be at least two-dimensional. "
                f"Received: shape={shape} of rank {len(shape)}."
            )
        name = self._dtype(dtype)
        rows, columns = int(np.prod(shape[:-1])), shape[-1]
        size = (max(rows, columns), min(rows, columns))
        normal = random.normal(size, dtype="float32", seed=self.seed)
        q, r = np.linalg.qr(np.asarray(normal, dtype="float64"))
        # The sign of each column is random only once R's diagonal is made positive.
        signs = np.sign(np.diag(r))
        q = q * np.where(signs == 0, 1.0, signs)
        if rows < columns:
            q = q.T
        values = (self.gain * q).reshape(shape).astype("float32")
        return ops.convert_to_tensor(np.ascontiguousarray(values), dtype=name)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gain": self.gain}
