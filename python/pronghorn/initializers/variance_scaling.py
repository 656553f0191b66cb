"""Initializers whose variance depends on the number of inputs and outputs of a unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pronghorn import random
from pronghorn.initializers.random_initializers import RandomInitializer

# Standard deviation of a standard normal distribution truncated to [-2, 2].
_TRUNCATED_STDDEV = 0.87962566103423978

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


def compute_fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """Returns the numbers of inputs and outputs of a unit for a kernel of that shape.

    Args:
        shape: The kernel's shape: `(inputs, outputs)`, or `(spatial..., inputs, outputs)`.
        input_axes: Axes of inputs, where the shape does not say it.
        output_axes: Axes of outputs.

    Returns:
        Tuple `(fan_in, fan_out)`.

    Example:

    >>> compute_fans((3, 3, 16, 32))
    (144, 288)
    """
    shape = tuple(shape)
    if input_axes is not None or output_axes is not None:
        rank = len(shape)
        inputs = {a % rank for a in input_axes} if input_axes is not None else None
        outputs = {a % rank for a in output_axes} if output_axes is not None else None
        if inputs is None:
            inputs = set(range(rank)) - (outputs or set())
        if outputs is None:
            outputs = set(range(rank)) - inputs
        return (
            int(math.prod(shape[a] for a in inputs)),
            int(math.prod(shape[a] for a in outputs)),
        )
    if len(shape) == 0:
        return 1, 1
    if len(shape) == 1:
        return int(shape[0]), int(shape[0])
    field = math.prod(shape[:-2])
    return int(shape[-2] * field), int(shape[-1] * field)


class VarianceScaling(RandomInitializer):
    """Random values of variance `scale / n`, with n inputs, outputs, or their mean.

    Args:
        scale: Factor of the variance, positive.
        mode: `"fan_in"`, `"fan_out"` or `"fan_avg"`: what n is.
        distribution: `"truncated_normal"`, `"untruncated_normal"` or `"uniform"`.
        seed: An int, a `SeedGenerator` or `None`.
        input_axes: Axes of the kernel that count as inputs.
        output_axes: Axes of the kernel that count as outputs.

    Raises:
        ValueError: If an argument is out of range.

    Example:

    >>> import pronghorn as keras
    >>> keras.initializers.VarianceScaling(scale=2.0, seed=1)((4, 3)).shape
    (4, 3)
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        if scale <= 0.0:
            raise ValueError(f"Argument `scale` must be positive float. Received: scale={scale}")
        if mode not in _MODES:
            raise ValueError(f"Invalid `mode` argument: {mode}. Please use one of {_MODES}")
        distribution = distribution.lower()
        if distribution == "normal":
            distribution = "truncated_normal"
        if distribution not in _DISTRIBUTIONS:
            raise ValueError(
                f"Invalid `distribution` argument: {distribution}. "
                f"Please use one of {_DISTRIBUTIONS}"
            )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        shape, name = tuple(shape), self._dtype(dtype)
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}
        variance = self.scale / max(1.0, fan[self.mode])
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random.uniform(shape, -limit, limit, dtype=name, seed=self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(
                shape, mean=0.0, stddev=math.sqrt(variance), dtype=name, seed=self.seed
            )
        stddev = math.sqrt(variance) / _TRUNCATED_STDDEV
        return random.truncated_normal(shape, mean=0.0, stddev=stddev, dtype=name, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Named(VarianceScaling):
    """A `VarianceScaling` with fixed scale, mode and distribution."""

    _arguments: tuple[float, str, str]

    def __init__(
        self,
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        scale, mode, distribution = self._arguments
        super().__init__(
            scale=scale,
            mode=mode,
            distribution=distribution,
            seed=seed,
            input_axes=input_axes,
            output_axes=output_axes,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {key: config[key] for key in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_Named):
    """Uniform in ±sqrt(6 / (fan_in + fan_out)). Source: Glorot and Bengio, 2010.

    Args:
        seed: An int, a `SeedGenerator` or `None`.
        input_axes: Axes of the kernel that count as inputs.
        output_axes: Axes of the kernel that count as outputs.
    """

    _arguments = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Named):
    """Truncated normal of variance 2 / (fan_in + fan_out). Source: Glorot and Bengio, 2010.

    Args:
        seed: An int, a `SeedGenerator` or `None`.
        input_axes: Axes of the kernel that count as inputs.
        output_axes: Axes of the kernel that count as outputs.
    """

    _arguments = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Named):
    """Uniform in ±sqrt(6 / fan_in). Source: He et al., 2015.

    Args:
        seed: An int, a `SeedGenerator` or `None`.
        input_axes: Axes of the kernel that count as inputs.
        output_axes: Axes of the kernel that count as outputs.
    """

    _arguments = (2.0, "fan_in", "uniform")


class HeNormal(_Named):
    """Truncated normal of variance 2 / fan_in. Source: He et al., 2015.

    Args:
        seed: An int, a `SeedGenerator` or `None`.
        input_axes: Axes of the kernel that count as inputs.
        output_axes: Axes of the kernel that count as outputs.
    """

    _arguments = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Named):
    """Uniform in ±sqrt(3 / fan_in). Source: LeCun et al., 1998.

    Args:
        seed: An int, a `SeedGenerator` or `None`.
        input_axes: Axes of the kernel that count as inputs.
        output_axes: Axes of the kernel that count as outputs.
    """

    _arguments = (1.0, "fan_in", "uniform")


class LecunNormal(_Named):
    """Truncated normal of variance 1 / fan_in. Source: LeCun et al., 1998.

    Args:
        seed: An int, a `SeedGenerator` or `None`.
        input_axes: Axes of the kernel that count as inputs.
        output_axes: Axes of the kernel that count as outputs.
    """

    _arguments = (1.0, "fan_in", "truncated_normal")
