"""Muon."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from pronghorn import ops
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.variable import Variable


class Muon(Optimizer):
    """Muon: steps of matrices are made orthogonal; other variables are updated by AdamW.

    The orthogonal matrix nearest to the momentum is found by Newton-Schulz iterations. Meant for
    weights of hidden layers: exclude the output layer. Source: Jordan et al., 2024.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a callable without arguments.
        adam_beta_1: `beta_1` of Adam.
        adam_beta_2: `beta_2` of Adam.
        adam_weight_decay: Weight decay of the variables that Adam updates.
        epsilon: Small number that guards Adam's division.
        weight_decay: Part of a matrix, times the learning rate, taken off at each step.
        clipnorm: Largest norm of each gradient.
        clipvalue: Largest magnitude of the elements of gradients.
        global_clipnorm: Largest norm of all gradients together.
        use_ema: Whether to keep moving averages of the weights.
        ema_momentum: Part of the averages kept at each step.
        ema_overwrite_frequency: Steps after which weights are set to their averages.
        loss_scale_factor: Factor of the loss that gradients are divided by.
        gradient_accumulation_steps: Steps over which gradients are averaged before an update.
        name: Name of the optimizer.
        exclude_layers: Parts of paths, regular expressions, of variables left to Adam.
        exclude_embeddings: Whether embeddings are left to Adam.
        muon_a: Coefficient of the iteration.
        muon_b: Coefficient of the iteration.
        muon_c: Coefficient of the iteration.
        adam_lr_ratio: Adam's learning rate over Muon's.
        momentum: Part of the momentum that is kept at each step.
        ns_steps: Number of iterations.
        nesterov: Whether to use Nesterov's momentum.
        rms_rate: Steps are scaled by it and the root of the longer side, `None` for no scaling.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
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
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = list(exclude_layers or [])
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def _should_use_adamw(self, variable: Variable) -> bool:
        if len(variable.shape) != 2:
            return True
        path = variable.path.lower()
        if self.exclude_embeddings and "embedding" in path:
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums: list[Any] = []
        self._velocities: list[Any] = []
        for variable in variables:
            adam = not variable.overwrite_with_gradient and self._should_use_adamw(variable)
            momentum = None
            if not variable.overwrite_with_gradient:
                momentum = self.add_variable_from_reference(variable, "momentum")
            self._momentums.append(momentum)
            velocity = self.add_variable_from_reference(variable, "velocity") if adam else None
            self._velocities.append(velocity)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        gradient = ops.cast(gradient, variable.dtype)
        if self._velocities[index] is not None:
            self._adam_step(gradient, variable, learning_rate, index)
            return
        slot = self._momentums[index]
        m = self.momentum * slot.value + gradient
        slot.assign(m)
        direction = gradient + self.momentum * m if self.nesterov else m
        step = self.lr_adjust(self.zeropower_via_newtonschulz5(direction, self.ns_steps))
        variable.assign(variable.value - self._rate_as(learning_rate, variable.dtype) * step)

    def _adam_step(self, gradient: Any, variable: Variable, learning_rate: Any, index: int) -> None:
        dtype = variable.dtype
        alpha = self._once(("alpha", dtype), lambda: self._alpha(learning_rate, dtype))
        m_slot, v_slot = self._momentums[index], self._velocities[index]
        m, v = m_slot.value, v_slot.value
        m = m + (gradient - m) * (1.0 - self.adam_beta_1)
        v = v + (ops.square(gradient) - v) * (1.0 - self.adam_beta_2)
        m_slot.assign(m)
        v_slot.assign(v)
        variable.assign(variable.value - m * alpha / (ops.sqrt(v) + self.epsilon))

    def _alpha(self, learning_rate: Any, dtype: str) -> Any:
        step = self._step_as(dtype)
        correction_1 = 1.0 - ops.power(ops.cast(self.adam_beta_1, dtype), step)
        correction_2 = 1.0 - ops.power(ops.cast(self.adam_beta_2, dtype), step)
        rate = self._rate_as(learning_rate, dtype) * self.adam_lr_ratio
        return rate * ops.sqrt(correction_2) / correction_1

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """Returns nearly the orthogonal matrix nearest to `x`, singular values in about [0.7, 1.2].

        Args:
            x: Matrix.
            steps: Number of iterations.
        """
        x = ops.convert_to_tensor(x)
        tall = x.shape[-2] > x.shape[-1]
        if tall:
            x = ops.transpose(x)
        x = x / (ops.sqrt(ops.sum(ops.square(x))) + 1e-7)
        for _ in range(steps):
            a = ops.matmul(x, ops.transpose(x))
            b = self.muon_b * a + self.muon_c * ops.matmul(a, a)
            x = self.muon_a * x + ops.matmul(b, x)
        return ops.transpose(x) if tall else x

    def lr_adjust(self, x: Any) -> Any:
        """Returns a step scaled so that its root mean square is about `rms_rate`.

        Args:
            x: Matrix.
        """
        if self.rms_rate is None:
            return x
        return x * (self.rms_rate * math.sqrt(max(x.shape[0], x.shape[1])))

    def _apply_weight_decay(self, variables: list[Variable], learning_rate: Any = None) -> None:
        if learning_rate is None:
            learning_rate = self.learning_rate
        for variable in variables:
            adam = self._should_use_adamw(variable)
            decay = self.adam_weight_decay if adam else self.weight_decay
            if not decay or not self._use_weight_decay(variable):
                continue
            value = variable.value
            part = self._rate_as(learning_rate, variable.dtype) * decay
            variable.assign(value - value * part)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "adam_beta_1": self.adam_beta_1,
            "adam_beta_2": self.adam_beta_2,
            "adam_weight_decay": self.adam_weight_decay,
            "epsilon": self.epsilon,
            "exclude_layers": self.exclude_layers,
            "exclude_embeddings": self.exclude_embeddings,
            "muon_a": self.muon_a,
            "muon_b": self.muon_b,
            "muon_c": self.muon_c,
            "adam_lr_ratio": self.adam_lr_ratio,
            "momentum": self.momentum,
            "ns_steps": self.ns_steps,
            "nesterov": self.nesterov,
            "rms_rate": self.rms_rate,
        }
