"""Nadam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import ops
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable


class Nadam(Optimizer):
    """Nadam: Adam with Nesterov's momentum. Source: Dozat, 2015.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a callable without arguments.
        beta_1: Part of the mean of gradients that is kept at each step.
        beta_2: Part of the mean of squares that is kept at each step.
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
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )
        dtype = variables[0].dtype if variables else None
        self._u_product = self.add_variable((), "ones", dtype=dtype, name="u_product")

    def _backend_update_step(
        self, grads: list[Any], trainable_variables: list[Variable], learning_rate: Any
    ) -> None:
        u_t, _ = self._schedule(self._u_product.dtype)
        before = self._u_product.value
        product = before * u_t
        self._u_product.assign(product)
        self._once("u_product", lambda: product)
        super()._backend_update_step(grads, trainable_variables, learning_rate)

    def _schedule(self, dtype: str) -> tuple[Any, Any]:
        step = self._step_as(dtype)
        decay = ops.cast(0.96, dtype)
        u_t = self.beta_1 * (1.0 - 0.5 * ops.power(decay, step))
        u_next = self.beta_1 * (1.0 - 0.5 * ops.power(decay, step + 1.0))
        return u_t, u_next

    def _factors(self, learning_rate: Any, dtype: str) -> tuple[Any, Any, Any]:
        """Returns the factors of the mean and of the gradient, and that of the mean square."""
        u_t, u_next = self._schedule(dtype)
        product = self._once("u_product", lambda: self._u_product.value)
        product = ops.cast(product, dtype)
        rate = self._rate_as(learning_rate, dtype)
        power = ops.power(ops.cast(self.beta_2, dtype), self._step_as(dtype))
        mean_factor = rate * u_next / (1.0 - product * u_next)
        gradient_factor = rate * (1.0 - u_t) / (1.0 - product)
        return mean_factor, gradient_factor, 1.0 / (1.0 - power)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        dtype = variable.dtype
        mean_factor, gradient_factor, square_factor = self._once(
            ("factors", dtype), lambda: self._factors(learning_rate, dtype)
        )
        gradient = ops.cast(gradient, dtype)
        index = self._get_variable_index(variable)
        m_slot, v_slot = self._momentums[index], self._velocities[index]
        m, v = m_slot.value, v_slot.value
        m = m + (gradient - m) * (1.0 - self.beta_1)
        v = v + (ops.square(gradient) - v) * (1.0 - self.beta_2)
        m_slot.assign(m)
        v_slot.assign(v)
        step = mean_factor * m + gradient_factor * gradient
        variable.assign(variable.value - step / (ops.sqrt(v * square_factor) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
