"""Adam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import ops
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable


class Adam(Optimizer):
    """Adam: steps scaled by running means of the gradient and of its square.

    `m += (g - m) * (1 - beta_1)`, `v += (g ** 2 - v) * (1 - beta_2)`,
    `w -= alpha * m / (sqrt(v) + epsilon)`, where `alpha` is the learning rate corrected for the
    zeros that the means started from. Source: Kingma and Ba, 2015.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a callable without arguments.
        beta_1: Part of the mean of gradients that is kept at each step.
        beta_2: Part of the mean of squares that is kept at each step.
        epsilon: Small number that guards the division.
        amsgrad: Whether to divide by the largest `v` so far (Reddi et al., 2018).
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

    Example:

    >>> import pronghorn as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.Adam(learning_rate=0.1).apply([keras.ops.array([2.0])], [v])
    >>> v.numpy().round(3)
    array([0.9], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat")

    def _alpha(self, learning_rate: Any, dtype: str) -> Any:
        step = self._step_as(dtype)
        correction_1 = 1.0 - ops.power(ops.cast(self.beta_1, dtype), step)
        correction_2 = 1.0 - ops.power(ops.cast(self.beta_2, dtype), step)
        return self._rate_as(learning_rate, dtype) * ops.sqrt(correction_2) / correction_1

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        dtype = variable.dtype
        alpha = self._once(("alpha", dtype), lambda: self._alpha(learning_rate, dtype))
        gradient = ops.cast(gradient, dtype)
        index = self._get_variable_index(variable)
        m_slot, v_slot = self._momentums[index], self._velocities[index]
        m, v = m_slot.value, v_slot.value
        m = m + (gradient - m) * (1.0 - self.beta_1)
        v = v + (ops.square(gradient) - v) * (1.0 - self.beta_2)
        m_slot.assign(m)
        v_slot.assign(v)
        if self.amsgrad:
            largest = self._velocity_hats[index]
            v = ops.maximum(largest.value, v)
            largest.assign(v)
        variable.assign(variable.value - m * alpha / (ops.sqrt(v) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }
