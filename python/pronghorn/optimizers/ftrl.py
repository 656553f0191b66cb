"""FTRL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import initializers, ops
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable


class Ftrl(Optimizer):
    """Follow the regularized leader, for linear models with many sparse inputs.

    Source: McMahan et al., 2013.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a callable without arguments.
        learning_rate_power: Exponent of the sums of squares, not positive.
        initial_accumulator_value: First value of the sums, not negative.
        l1_regularization_strength: Factor of the penalty of absolute values, not negative.
        l2_regularization_strength: Factor of the penalty of squares, not negative.
        l2_shrinkage_regularization_strength: Factor of a penalty of squares that acts on the
            gradient, not negative.
        beta: As in the paper.
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
        ValueError: If an argument has the wrong sign.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        if learning_rate_power > 0.0:
            raise ValueError(
                "`learning_rate_power` needs to be negative or zero. Received: "
                f"learning_rate_power={learning_rate_power}."
            )
        for argument, value in (
            ("initial_accumulator_value", initial_accumulator_value),
            ("l1_regularization_strength", l1_regularization_strength),
            ("l2_regularization_strength", l2_regularization_strength),
            ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength),
        ):
            if value < 0.0:
                raise ValueError(
                    f"`{argument}` needs to be positive or zero. Received: {argument}={value}."
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
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        first = initializers.Constant(self.initial_accumulator_value)
        self._accumulators, self._linears = self.add_optimizer_variables(
            variables, ["accumulator", "linear"], [first, "zeros"]
        )

    def _root(self, x: Any) -> Any:
        if self.learning_rate_power == -0.5:
            return ops.sqrt(x)
        return ops.power(x, -self.learning_rate_power)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        dtype = variable.dtype
        rate = self._rate_as(learning_rate, dtype)
        gradient = ops.cast(gradient, dtype)
        index = self._get_variable_index(variable)
        total_slot, linear_slot = self._accumulators[index], self._linears[index]
        w, total = variable.value, total_slot.value

        l2 = self._once(
            ("l2", dtype), lambda: self.l2_regularization_strength + self.beta / (2.0 * rate)
        )
        shrunk = gradient
        if self.l2_shrinkage_regularization_strength:
            shrunk = gradient + 2.0 * self.l2_shrinkage_regularization_strength * w
        new_total = total + ops.square(gradient)
        root = self._root(new_total)
        linear = linear_slot.value + shrunk - (root - self._root(total)) / rate * w
        l1 = self.l1_regularization_strength
        clipped = ops.clip(linear, -l1, l1) - linear if l1 else -linear
        variable.assign(clipped / (root / rate + 2.0 * l2))
        total_slot.assign(new_total)
        linear_slot.assign(linear)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }
