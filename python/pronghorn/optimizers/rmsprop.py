"""RMSprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import ops
from pronghorn.optimizers.optimizer import Optimizer, check_unit_range
from pronghorn.variable import Variable


class RMSprop(Optimizer):
    """RMSprop: gradients divided by the root of a running mean of their squares.

    Source: Hinton, 2012. The centered form subtracts the square of the mean (Graves, 2013).

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a callable without arguments.
        rho: Part of the mean of squares that is kept at each step.
        momentum: Part of the previous step that is kept, in [0, 1].
        epsilon: Small number that guards the division.
        centered: Whether to divide by the root of the variance instead of the mean square.
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
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        check_unit_range("momentum", momentum)
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
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        if self.momentum > 0:
            self._momentums = self.add_optimizer_variables(variables, "momentum")
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(variables, "average_gradient")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        rate = self._rate_as(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        index = self._get_variable_index(variable)
        slot = self._velocities[index]
        velocity = self.rho * slot.value + (1.0 - self.rho) * ops.square(gradient)
        slot.assign(velocity)
        denominator = velocity + self.epsilon
        if self.centered:
            average_slot = self._average_gradients[index]
            average = self.rho * average_slot.value + (1.0 - self.rho) * gradient
            average_slot.assign(average)
            denominator = velocity - ops.square(average) + self.epsilon
        step = rate * gradient / ops.sqrt(denominator)
        if self.momentum > 0:
            momentum_slot = self._momentums[index]
            step = self.momentum * momentum_slot.value + step
            momentum_slot.assign(step)
        variable.assign(variable.value - step)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
