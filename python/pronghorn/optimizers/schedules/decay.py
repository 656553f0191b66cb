"""Schedules that decay by a power, a polynomial, a fraction or in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import ops
from pronghorn.optimizers.schedules.learning_rate_schedule import (
    LearningRateSchedule,
    as_float,
    check_positive,
    plain,
)


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: Learning rate of step 0.
        decay_steps: Steps over which the rate is multiplied by `decay_rate` once, positive.
        decay_rate: Factor.
        staircase: Whether to decay at whole multiples of `decay_steps` only.
        name: Name.

    Raises:
        ValueError: If `decay_steps` is not positive.

    Example:

    >>> import pronghorn as keras
    >>> schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    >>> round(float(schedule(20)), 4)
    0.025
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        check_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        periods = as_float(step) / float(self.decay_steps)
        if self.staircase:
            periods = ops.floor(periods)
        return as_float(self.initial_learning_rate) * ops.power(as_float(self.decay_rate), periods)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": plain(self.initial_learning_rate),
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: Learning rate of step 0.
        decay_steps: Steps in a unit of time, positive.
        decay_rate: Rate per unit of time.
        staircase: Whether to decay at whole multiples of `decay_steps` only.
        name: Name.

    Raises:
        ValueError: If `decay_steps` is not positive.
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        check_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        periods = as_float(step) / float(self.decay_steps)
        if self.staircase:
            periods = ops.floor(periods)
        return as_float(self.initial_learning_rate) / (1.0 + float(self.decay_rate) * periods)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": plain(self.initial_learning_rate),
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class PolynomialDecay(LearningRateSchedule):
    """From `initial_learning_rate` to `end_learning_rate` along a power of the time left.

    Args:
        initial_learning_rate: Learning rate of step 0.
        decay_steps: Steps until the end, positive.
        end_learning_rate: Learning rate from then on.
        power: The power; 1 is a straight line.
        cycle: Whether to start again at each multiple of `decay_steps`.
        name: Name.

    Raises:
        ValueError: If `decay_steps` is not positive.
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        check_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = as_float(step)
        steps: Any = as_float(float(self.decay_steps))
        if self.cycle:
            steps = steps * ops.maximum(ops.ceil(step / steps), 1.0)
        else:
            step = ops.minimum(step, steps)
        end = as_float(self.end_learning_rate)
        left = 1.0 - step / steps
        if self.power != 1.0:
            left = ops.power(left, as_float(self.power))
        return (as_float(self.initial_learning_rate) - end) * left + end

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": plain(self.initial_learning_rate),
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


class PiecewiseConstantDecay(LearningRateSchedule):
    """Constant learning rates between boundaries.

    Args:
        boundaries: Increasing step numbers; a boundary belongs to the piece before it.
        values: Learning rates, one more than boundaries.
        name: Name.

    Raises:
        ValueError: If the lengths do not go together.

    Example:

    >>> import pronghorn as keras
    >>> schedule = keras.optimizers.schedules.PiecewiseConstantDecay([10], [0.1, 0.01])
    >>> [round(float(schedule(step)), 4) for step in (10, 11)]
    [0.1, 0.01]
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of "
                f"length {len(values)}."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = ops.convert_to_tensor(step)
        rate = as_float(self.values[0])
        for boundary, value in zip(self.boundaries, self.values[1:]):
            rate = ops.where(step > boundary, as_float(value), rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}
