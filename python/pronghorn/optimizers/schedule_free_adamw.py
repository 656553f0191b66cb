"""Schedule-free AdamW."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import ops
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable


class ScheduleFreeAdamW(Optimizer):
    """AdamW with an average of the weights in place of a learning rate schedule.

    Each variable holds `y = (1 - beta_1) * z + beta_1 * x`, where `z` takes Adam's steps (without
    momentum) and `x` is the mean of all `z` so far. Source: Defazio et al., 2024.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a callable without arguments.
        beta_1: Part of the mean in the point where gradients are taken, in (0, 1).
        beta_2: Part of the mean of squares that is kept at each step.
        epsilon: Small number that guards the division.
        warmup_steps: Steps over which the learning rate rises from zero.
        weight_decay: As for `keras.optimizers.Optimizer`, like the arguments that follow.
        clipnorm: Largest norm of each gradient.
        clipvalue: Largest magnitude of the elements of gradients.
        global_clipnorm: Largest norm of all gradients together.
        use_ema: Whether to keep moving averages of the weights.
        ema_momentum: Part of the averages kept at each step.
        ema_overwrite_frequency: Steps after which weights are set to their averages.
        loss_scale_factor: Factor of the loss that gradients are divided by.
        gradient_accumulation_steps: Steps over which gradients are averaged before an update.
        name: Name of the optimizer.

    Raises:
        ValueError: If `beta_1` is not between 0 and 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not 0 < beta_1 < 1:
            raise ValueError(
                f"ScheduleFreeAdamW: beta_1 must be between 0 and 1. Received: beta_1={beta_1}."
            )
        super().__init__(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name,
            **kwargs,
        )
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._z: list[Any] = []
        self._velocities: list[Any] = []
        for variable in variables:
            if variable.overwrite_with_gradient:
                self._z.append(None)
                self._velocities.append(None)
                continue
            first = variable.numpy()
            start = self.add_variable_from_reference(
                variable, "momentum", lambda shape, dtype=None, first=first: first
            )
            self._z.append(start)
            self._velocities.append(self.add_variable_from_reference(variable, "velocity"))

    def _factors(self, learning_rate: Any, dtype: str) -> tuple[Any, Any, Any]:
        """Returns the learning rate, the correction of the mean square and the share of `z`."""
        step = self._step_as(dtype)
        rate = self._rate_as(learning_rate, dtype)
        if self.warmup_steps > 0:
            rate = rate * ops.minimum(step / float(self.warmup_steps), 1.0)
        power = ops.power(ops.cast(self.beta_2, dtype), step)
        return rate, 1.0 / (1.0 - power), 1.0 / step

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        dtype = variable.dtype
        rate, correction, share = self._once(
            ("factors", dtype), lambda: self._factors(learning_rate, dtype)
        )
        gradient = ops.cast(gradient, dtype)
        index = self._get_variable_index(variable)
        z_slot, v_slot = self._z[index], self._velocities[index]
        z, v = z_slot.value, v_slot.value
        v = v + (ops.square(gradient) - v) * (1.0 - self.beta_2)
        x = (variable.value - (1.0 - self.beta_1) * z) / self.beta_1
        z = z - rate * gradient / (ops.sqrt(v * correction) + self.epsilon)
        x = x + (z - x) * share
        v_slot.assign(v)
        z_slot.assign(z)
        variable.assign((1.0 - self.beta_1) * z + self.beta_1 * x)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "warmup_steps": self.warmup_steps,
        }
