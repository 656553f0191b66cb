"""Initializers that draw from one distribution, whatever the shape.

One instance draws the same numbers at each call for a shape, unless its seed is a `SeedGenerator`.
"""

from __future__ import annotations

import random as python_random
from collections.abc import Sequence
from typing import Any

from pronghorn import config, random
from pronghorn.dtypes import standardize_dtype
from pronghorn.initializers.initializer import Initializer
from pronghorn.saving import deserialization, serialization


class RandomInitializer(Initializer):
    """Base class of initializers with a seed.

    Args:
        seed: An int, a `keras.random.SeedGenerator`, or `None` to take one from Python's `random`.

    Raises:
        ValueError: If `seed` is something else.
    """

    def __init__(self, seed: Any = None) -> None:
        self._given_seed = seed
        if seed is None:
            seed = python_random.randint(1, int(1e9))
        elif isinstance(seed, dict):
            seed = deserialization.deserialize_keras_object(seed)
        if isinstance(seed, bool) or not isinstance(seed, (int, random.SeedGenerator)):
            raise ValueError(
                "`seed` argument should be an instance of `keras.random.SeedGenerator()` or an "
                f"integer. Received: seed={seed}"
            )
        self.seed = seed

    def get_config(self) -> dict[str, Any]:
        return {"seed": serialization.serialize_keras_object(self._given_seed)}

    def _dtype(self, dtype: Any) -> str:
        return standardize_dtype(dtype if dtype is not None else config.floatx())


class RandomNormal(RandomInitializer):
    """Normal distribution.

    Args:
        mean: Mean.
        stddev: Standard deviation.
        seed: An int, a `SeedGenerator` or `None`.

    Example:

    >>> import pronghorn as keras
    >>> keras.initializers.RandomNormal(stddev=0.1, seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return random.normal(
            tuple(shape),
            mean=self.mean,
            stddev=self.stddev,
            dtype=self._dtype(dtype),
            seed=self.seed,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomInitializer):
    """Normal distribution, drawn again beyond two standard deviations.

    Args:
        mean: Mean.
        stddev: Standard deviation before truncation.
        seed: An int, a `SeedGenerator` or `None`.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return random.truncated_normal(
            tuple(shape),
            mean=self.mean,
            stddev=self.stddev,
            dtype=self._dtype(dtype),
            seed=self.seed,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class RandomUniform(RandomInitializer):
    """Uniform distribution.

    Args:
        minval: Lower bound, included.
        maxval: Upper bound, excluded.
        seed: An int, a `SeedGenerator` or `None`.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        self.minval = minval
        self.maxval = maxval
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return random.uniform(
            tuple(shape),
            minval=self.minval,
            maxval=self.maxval,
            dtype=self._dtype(dtype),
            seed=self.seed,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}
