"""Adadelta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import ops
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable


class Adadelta(Optimizer):
    """Adadelta: gradients scaled by running means of squared steps over squared gradients.

    Source: Zeiler, 2012.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a callable without arguments.
        rho: Part of the means that is kept at each step.
        epsilon: Small number that guards the division.
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
        rho: float = 0.95,
        epsilon: float = 1e-7,
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
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._accumulated_grads, self._accumulated_delta_vars = self.add_optimizer_variables(
            variables, ["accumulated_grad", "accumulated_delta_var"]
        )

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        rate = self._rate_as(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        index = self._get_variable_index(variable)
        grad_slot = self._accumulated_grads[index]
        delta_slot = self._accumulated_delta_vars[index]
        squares = self.rho * grad_slot.value + (1.0 - self.rho) * ops.square(gradient)
        deltas = delta_slot.value
        delta = -ops.sqrt(deltas + self.epsilon) * gradient / ops.sqrt(squares + self.epsilon)
        grad_slot.assign(squares)
        delta_slot.assign(self.rho * deltas + (1.0 - self.rho) * ops.square(delta))
        variable.assign(variable.value + rate * delta)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
