"""Gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import ops
from pronghorn.optimizers.optimizer import Optimizer, check_unit_range
from pronghorn.variable import Variable


class SGD(Optimizer):
    """Gradient descent: `w -= learning_rate * g`, with momentum if asked for.

    With momentum `m`: `v = m * v - learning_rate * g` and `w += v`, or with Nesterov's form
    `w += m * v - learning_rate * g`.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a callable without arguments.
        momentum: Part of the previous step that is kept, in [0, 1].
        nesterov: Whether to use Nesterov's momentum.
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
    >>> keras.optimizers.SGD(learning_rate=0.1).apply([keras.ops.array([2.0])], [v])
    >>> v.numpy().round(3)
    array([0.8], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        self.momentum = momentum
        self.nesterov = nesterov

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self.momentums: list[Any] = []
        if self.momentum != 0:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        rate = self._rate_as(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        step = gradient * rate
        if self.momentum == 0:
            variable.assign(variable.value - step)
            return
        slot = self.momentums[self._get_variable_index(variable)]
        velocity = self.momentum * slot.value - step
        slot.assign(velocity)
        if self.nesterov:
            variable.assign(variable.value + (self.momentum * velocity - step))
        else:
            variable.assign(variable.value + velocity)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
