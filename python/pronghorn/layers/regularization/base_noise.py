"""BaseNoise: what the layers that add noise while training share."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.arguments import Shape, is_integer
from pronghorn.layers.layer import Layer
from pronghorn.random import SeedGenerator


def probability(owner: str, argument: str, value: Any) -> Any:
    """Returns `value` if it is a number from 0 to 1.

    Raises:
        ValueError: If it is not.
    """
    number = isinstance(value, (int, float)) or hasattr(value, "__float__")
    if isinstance(value, (bool, str)) or not number or not 0 <= value <= 1:
        raise ValueError(
            f"{owner}: Invalid value received for argument `{argument}`. Expected a float value "
            f"between 0 and 1. Received: {argument}={value!r}."
        )
    return value


def noise_shape_tuple(owner: str, value: Any) -> Shape | None:
    """Returns a noise shape as a tuple of positive ints and `None`.

    Raises:
        ValueError: If it is something else.
    """
    if value is None:
        return None
    start = f"{owner}: Invalid value received for argument `noise_shape`. "
    end = f" Received: noise_shape={value!r}."
    if not isinstance(value, (tuple, list)):
        raise ValueError(start + "Expected a tuple or list of integers." + end)
    if any(d is not None and not is_integer(d) for d in value):
        raise ValueError(start + "Expected all elements to be integers or None." + end)
    if any(d is not None and d < 1 for d in value):
        raise ValueError(start + "Expected all dimensions to be positive integers or None." + end)
    return tuple(value)


class BaseNoise(Layer):
    """A layer that draws random numbers while training and passes its input on otherwise.

    Args:
        seed: Seed of the layer's generator, or `None`.
        active: Whether there is any noise; without it the layer has no generator.
        **kwargs: `name`, `dtype`, `trainable`.
    """

    def __init__(self, seed: Any, active: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.active = active
        if active:
            self.seed_generator = SeedGenerator(seed)
        self.supports_masking = True
        self._build_at_init()

    def resolve_noise_shape(self, inputs: Any, noise_shape: Shape | None) -> Any:
        """Returns the noise shape with `None` replaced by the input's sizes.

        Raises:
            ValueError: If it does not broadcast to the input.
        """
        if noise_shape is None:
            return None
        shape = tuple(inputs.shape)
        if len(noise_shape) != len(shape):
            raise ValueError(
                f"{type(self).__name__} '{self.name}': noise_shape must have as many elements as "
                f"the input has axes. Received: noise_shape={noise_shape}, inputs.shape={shape}."
            )
        resolved = tuple(n if d is None else d for d, n in zip(noise_shape, shape))
        if any(d not in (1, n) for d, n in zip(resolved, shape)):
            raise ValueError(
                f"{type(self).__name__} '{self.name}': noise_shape must broadcast to the input. "
                f"Received: noise_shape={noise_shape}, inputs.shape={shape}."
            )
        return resolved

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        return input_shape
