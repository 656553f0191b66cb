"""Lion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import ops
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable


class Lion(Optimizer):
    """Lion: steps of equal size, whose sign comes from a mean of the gradients.

    Wants a learning rate 3 to 10 times smaller than Adam's. Source: Chen et al., 2023.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a callable without arguments.
        beta_1: Part of the mean in the direction of a step, in (0, 1].
        beta_2: Part of the mean of gradients that is kept at each step.
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
        ValueError: If `beta_1` is not in (0, 1].
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        if beta_1 <= 0 or beta_1 > 1:
            raise ValueError(
                "Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer "
                f"degenerates to SignSGD. Received: beta_1={beta_1}."
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

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        rate = self._rate_as(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        slot = self._momentums[self._get_variable_index(variable)]
        m = slot.value
        direction = ops.sign(m * self.beta_1 + gradient * (1.0 - self.beta_1))
        variable.assign(variable.value - rate * direction)
        slot.assign(m * self.beta_2 + gradient * (1.0 - self.beta_2))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
