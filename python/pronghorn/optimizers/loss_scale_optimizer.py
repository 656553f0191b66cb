"""Dynamic loss scaling around another optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import initializers, ops
from pronghorn.naming import name_scope
from pronghorn.optimizers.accumulation import run_if
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.saving import deserialization, serialization
from pronghorn.variable import Variable

_INNER_ARGUMENTS = (
    "weight_decay",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
    "ema_momentum",
    "ema_overwrite_frequency",
    "loss_scale_factor",
    "gradient_accumulation_steps",
)
_INNER_DEFAULTS = (None, False, 0.99)


class LossScaleOptimizer(Optimizer):
    """Multiplies the loss by a factor so that small float16 gradients do not become zero.

    The factor doubles after `dynamic_growth_steps` steps with finite gradients. A step with a
    gradient that is not finite is skipped and halves the factor.

    Args:
        inner_optimizer: The optimizer that makes the updates; its own `loss_scale_factor` is unset.
        initial_scale: First factor.
        dynamic_growth_steps: Finite steps in a row after which the factor doubles.
        name: Name of the optimizer.

    Raises:
        ValueError: If an option of the inner optimizer is given here.

    Example:

    >>> import pronghorn as keras
    >>> optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(), initial_scale=8.0)
    >>> float(optimizer.scale_loss(2.0))
    16.0
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not kwargs.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer no longer supports `dynamic=False`. Instead, simply set "
                "`loss_scale_factor` directly on the `inner_optimizer`."
            )
        for argument in _INNER_ARGUMENTS:
            if argument in kwargs and kwargs.pop(argument) not in _INNER_DEFAULTS:
                raise ValueError(
                    f"LossScaleOptimizer does not support `{argument}`. Instead, set it on the "
                    "`inner_optimizer`."
                )
        if kwargs:
            names = ", ".join(f"`{k}`" for k in kwargs)
            raise ValueError(f"LossScaleOptimizer does not support arguments: {names}.")
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(
                "LossScaleOptimizer: inner_optimizer must be an Optimizer. "
                f"Received: inner_optimizer={inner_optimizer!r}."
            )
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        self.inner_optimizer.loss_scale_factor = None

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        with name_scope(self.name, caller=self):
            self.step_counter = self.add_variable((), dtype="int32", name="step_counter")
            self.dynamic_scale = self.add_variable(
                (),
                initializers.Constant(self.initial_scale),
                dtype="float32",
                name="dynamic_scale",
            )
        with name_scope(self.inner_optimizer.name, caller=self.inner_optimizer):
            self.inner_optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        return self._variables + self.inner_optimizer.variables

    @property
    def iterations(self) -> Any:
        """Number of steps that were not skipped: that of the inner optimizer."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the inner optimizer. Settable."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    def apply(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None
    ) -> None:
        grads = list(grads)
        if len(grads) == 0:
            return
        variables = self._variables_of(grads, trainable_variables)
        pairs = self._check_gradients(grads, variables)
        variables = [v for _, v in pairs]
        finite: Any = None
        for gradient, _ in pairs:
            ok = ops.all(ops.isfinite(gradient))
            finite = ok if finite is None else ops.logical_and(finite, ok)
        scale = self.dynamic_scale.value

        def update() -> None:
            unscaled = [
                g if v.overwrite_with_gradient else g / ops.cast(scale, g.dtype) for g, v in pairs
            ]
            self.inner_optimizer.apply(unscaled, variables)

        run_if(finite, [*self.inner_optimizer.variables, *variables], update)
        count = self.step_counter.value + 1
        grow = ops.logical_and(finite, count >= self.dynamic_growth_steps)
        restart = ops.logical_or(grow, ops.logical_not(finite))
        self.step_counter.assign(ops.where(restart, ops.zeros_like(count), count))
        factor = ops.where(finite, ops.where(grow, 2.0, 1.0), 0.5)
        self.dynamic_scale.assign(scale * factor)

    def scale_loss(self, loss: Any) -> Any:
        scale = self.dynamic_scale.value if self.built else self.initial_scale
        return loss * scale

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "inner_optimizer": serialization.serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> LossScaleOptimizer:
        config = dict(config)
        inner = deserialization.deserialize_keras_object(
            config.pop("inner_optimizer"), custom_objects=custom_objects
        )
        return cls(inner, **config)
