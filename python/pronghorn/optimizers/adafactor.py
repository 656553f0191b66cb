"""Adafactor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import ops
from pronghorn.naming import name_scope
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable


class Adafactor(Optimizer):
    """Adafactor: mean squares of gradients kept as row and column means. Source: Shazeer, 2018.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a callable without arguments.
        beta_2_decay: Exponent of the step in the part of the means that is kept.
        epsilon_1: Small number added to squared gradients.
        epsilon_2: Smallest root mean square of a weight that scales its step.
        clip_threshold: Largest root mean square of a step before scaling.
        relative_step: Kept for configs. As in Keras, the learning rate is limited to one over the
            root of the step's number in any case.
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
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._r: list[Any] = []
        self._c: list[Any] = []
        self._v: list[Any] = []
        for variable in variables:
            if variable.overwrite_with_gradient:
                self._r.append(None)
                self._c.append(None)
                self._v.append(None)
                continue
            shape = tuple(variable.shape)
            if len(shape) < 2:
                # Placeholders, so that saved states have the same number of entries.
                self._r.append(self._placeholder(variable))
                self._c.append(self._placeholder(variable))
            else:
                columns = shape[:-2] + shape[-1:]
                self._r.append(self.add_variable(shape[:-1], name=variable.name))
                self._c.append(self.add_variable(columns, name=variable.name))
            self._v.append(self.add_variable_from_reference(variable, "velocity"))

    def _placeholder(self, variable: Variable) -> Variable:
        with name_scope(self.name, caller=self):
            placeholder = Variable(0, dtype="int32", trainable=False, name=variable.name)
        self._track_variable(placeholder)
        return placeholder

    def _rates(self, learning_rate: Any, dtype: str) -> tuple[Any, Any]:
        """Returns the relative step size and the part of the means that is kept."""
        rate, step = self._rate_as(learning_rate, dtype), self._step_as(dtype)
        return ops.minimum(rate, 1.0 / ops.sqrt(step)), 1.0 - ops.power(step, self.beta_2_decay)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        dtype = variable.dtype
        rate, kept = self._once(("rates", dtype), lambda: self._rates(learning_rate, dtype))
        gradient = ops.cast(gradient, dtype)
        index = self._get_variable_index(variable)
        w = variable.value
        alpha = rate * ops.maximum(_rms(w), self.epsilon_2)
        squares = ops.square(gradient) + self.epsilon_1
        if len(variable.shape) >= 2:
            r_slot, c_slot = self._r[index], self._c[index]
            r = kept * r_slot.value + (1.0 - kept) * ops.mean(squares, axis=-1)
            c = kept * c_slot.value + (1.0 - kept) * ops.mean(squares, axis=-2)
            r_slot.assign(r)
            c_slot.assign(c)
            share = r / ops.mean(r, axis=-1, keepdims=True)
            v = ops.expand_dims(share, -1) * ops.expand_dims(c, -2)
        else:
            v_slot = self._v[index]
            v = kept * v_slot.value + (1.0 - kept) * squares
            v_slot.assign(v)
        step = gradient / ops.sqrt(v)
        scale = alpha / ops.maximum(_rms(step) / self.clip_threshold, 1.0)
        variable.assign(w - scale * step)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
            "relative_step": self.relative_step,
        }


def _rms(x: Any) -> Any:
    return ops.sqrt(ops.mean(ops.square(x)))
