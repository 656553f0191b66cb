"""Schedules along a cosine. Source: Loshchilov and Hutter, 2017."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import ops
from pronghorn.optimizers.schedules.learning_rate_schedule import (
    LearningRateSchedule,
    as_float,
    check_positive,
    plain,
)


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the learning rate down to `alpha` times it, after a linear warm-up if any.

    Args:
        initial_learning_rate: Learning rate of step 0.
        decay_steps: Steps of the decay, positive.
        alpha: Part of the rate that is left at the end.
        name: Name.
        warmup_target: Learning rate at the end of the warm-up, `None` for no warm-up.
        warmup_steps: Steps of the warm-up.

    Raises:
        ValueError: If `decay_steps` is not positive.

    Example:

    >>> import pronghorn as keras
    >>> schedule = keras.optimizers.schedules.CosineDecay(0.1, 100)
    >>> round(float(schedule(50)), 4)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        check_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def _decay(self, step: Any, rate: Any) -> Any:
        done = ops.minimum(step / float(self.decay_steps), 1.0)
        cosine = 0.5 * (1.0 + ops.cos(math.pi * done))
        return rate * ((1.0 - self.alpha) * cosine + self.alpha)

    def __call__(self, step: Any) -> Any:
        step = as_float(step)
        initial = as_float(self.initial_learning_rate)
        if self.warmup_target is None:
            return self._decay(step, initial)
        target = as_float(self.warmup_target)
        warmup = float(self.warmup_steps)
        decayed = self._decay(ops.maximum(step - warmup, 0.0), target)
        if warmup <= 0:
            return decayed
        warming = initial + (target - initial) * (step / warmup)
        return ops.where(step < warmup, warming, decayed)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": plain(self.initial_learning_rate),
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


class CosineDecayRestarts(LearningRateSchedule):
    """Half a cosine that starts again, with longer periods and lower rates.

    Args:
        initial_learning_rate: Learning rate of step 0.
        first_decay_steps: Steps of the first period, positive.
        t_mul: Factor of the length from period to period.
        m_mul: Factor of the learning rate from period to period.
        alpha: Part of the rate that is left at the end of a period.
        name: Name.

    Raises:
        ValueError: If `first_decay_steps` is not positive.
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        check_positive("first_decay_steps", first_decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self._t_mul = t_mul
        self._m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Any:
        done = as_float(step) / float(self.first_decay_steps)
        if self._t_mul == 1.0:
            period = ops.floor(done)
            done = done - period
        else:
            t = self._t_mul
            period = ops.floor(ops.log(1.0 - done * (1.0 - t)) / math.log(t))
            length = ops.power(as_float(t), period)
            done = (done - (1.0 - length) / (1.0 - t)) / length
        height = ops.power(as_float(self._m_mul), period)
        cosine = 0.5 * height * (1.0 + ops.cos(math.pi * done))
        return as_float(self.initial_learning_rate) * ((1.0 - self.alpha) * cosine + self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": plain(self.initial_learning_rate),
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self._t_mul,
            "m_mul": self._m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }
