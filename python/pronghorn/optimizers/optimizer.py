"""The base class of optimizers: construction, learning rate, applying gradients, config.

Subclasses give `build` (their slot variables) and `update_step` (the formula). Everything is
written with ops, so that a whole step is traced into one program; nothing here looks at values.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from pronghorn import config, ops
from pronghorn.naming import auto_name, name_scope
from pronghorn.optimizers.accumulation import GradientAccumulation
from pronghorn.optimizers.averaging import MovingAverages
from pronghorn.optimizers.clipping import Clipping
from pronghorn.optimizers.eager_program import EagerPrograms
from pronghorn.optimizers.schedules.learning_rate_schedule import LearningRateSchedule
from pronghorn.optimizers.state import OptimizerState
from pronghorn.optimizers.weight_decay import WeightDecay
from pronghorn.saving import deserialization, serialization
from pronghorn.variable import Variable


class Optimizer(OptimizerState, Clipping, WeightDecay, MovingAverages, GradientAccumulation):
    """Base class of optimizers.

    Args:
        learning_rate: A positive number, a `LearningRateSchedule`, or a callable without arguments.
        weight_decay: Part of a weight, times the learning rate, taken off at each step.
        clipnorm: Largest norm of each gradient.
        clipvalue: Largest magnitude of the elements of gradients.
        global_clipnorm: Largest norm of all gradients together.
        use_ema: Whether to keep an exponential moving average of the weights.
        ema_momentum: Part of the average kept at each step, in [0, 1].
        ema_overwrite_frequency: Steps after which weights are set to their average, `None` for
            only at the end of training.
        loss_scale_factor: Factor of the loss that gradients are divided by.
        gradient_accumulation_steps: Steps over which gradients are averaged before an update.
        name: Name of the optimizer.

    Raises:
        ValueError: If an argument is out of range or unknown.

    Example:

    >>> import pronghorn as keras
    >>> class SignDescent(keras.optimizers.Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         self.assign_sub(variable, learning_rate * keras.ops.sign(gradient))
    >>> v = keras.Variable([1.0, 2.0])
    >>> _ = SignDescent(learning_rate=0.5).apply([keras.ops.array([3.0, -3.0])], [v])
    >>> v.numpy().tolist()
    [0.5, 2.5]
    """

    def __init__(
        self,
        learning_rate: Any,
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
        if kwargs.pop("decay", None) is not None:
            warnings.warn(
                "Argument `decay` is no longer supported and will be ignored. Use a learning rate "
                "schedule.",
                stacklevel=2,
            )
        if kwargs:
            raise ValueError(f"Argument(s) not recognized: {kwargs}")
        self.name = name if name is not None else auto_name(type(self).__name__)
        self.weight_decay = weight_decay
        self._init_clipping(clipnorm, clipvalue, global_clipnorm)
        self._init_averages(use_ema, ema_momentum, ema_overwrite_frequency)
        self._init_accumulation(gradient_accumulation_steps)
        self.loss_scale_factor = loss_scale_factor
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._indices: dict[int, int] = {}
        self._step_values: dict[Any, Any] | None = None
        self._eager_programs = EagerPrograms()
        with name_scope(self.name, caller=self):
            self._iterations = self.add_variable((), dtype="int32", name="iteration")
            self._learning_rate = self._first_learning_rate(learning_rate)

    # Learning rate

    def _first_learning_rate(self, learning_rate: Any) -> Any:
        if isinstance(learning_rate, LearningRateSchedule):
            return learning_rate
        is_number = isinstance(learning_rate, (int, float, np.number, Variable)) and not isinstance(
            learning_rate, bool
        )
        if not is_number and callable(learning_rate):
            return learning_rate
        if not is_number or float(learning_rate) < 0:
            raise ValueError(
                "Argument `learning_rate` should be float, or an instance of LearningRateSchedule, "
                "or a callable (that takes in the current iteration value and returns the "
                "corresponding learning rate value). "
                f"Received instead: learning_rate={learning_rate}"
            )
        value = float(learning_rate)
        return self.add_variable(
            (), lambda shape, dtype=None: np.full(shape, value), name="learning_rate"
        )

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a variable, or what the schedule gives for this step. Settable."""
        return self._get_current_learning_rate()

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        previous = self._learning_rate
        if isinstance(learning_rate, LearningRateSchedule) or (
            callable(learning_rate) and not isinstance(learning_rate, Variable)
        ):
            self._learning_rate = learning_rate
            if isinstance(previous, Variable):
                self._untrack_variable(previous)
            return
        if isinstance(previous, LearningRateSchedule):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its "
                "`learning_rate` constructor argument, hence its learning rate is not settable. "
                "If you need the learning rate to be settable, you should instantiate the "
                "optimizer with a float `learning_rate` argument."
            )
        if isinstance(previous, Variable):
            previous.assign(learning_rate)
        else:
            with name_scope(self.name, caller=self):
                self._learning_rate = self._first_learning_rate(learning_rate)

    def _get_current_learning_rate(self) -> Any:
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self._iterations)
        if isinstance(self._learning_rate, Variable):
            return self._learning_rate
        return self._learning_rate()

    @property
    def iterations(self) -> Any:
        """Number of updates made so far."""
        if self.gradient_accumulation_steps:
            return ops.floor_divide(self._iterations.value, self.gradient_accumulation_steps)
        return self._iterations

    def _once(self, key: Any, compute: Callable[[], Any]) -> Any:
        """Returns `compute()`, computed once for all variables of a step."""
        if self._step_values is None:
            return compute()
        if key not in self._step_values:
            self._step_values[key] = compute()
        return self._step_values[key]

    def _rate_as(self, learning_rate: Any, dtype: str) -> Any:
        """Returns the learning rate of the step in a dtype."""
        return self._once(("rate", dtype), lambda: ops.cast(learning_rate, dtype))

    def _step_as(self, dtype: str) -> Any:
        """Returns the number of the step, from 1 on, in a dtype."""
        return self._once(("step", dtype), lambda: ops.cast(self.iterations + 1, dtype))

    # Applying gradients

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Updates one variable by its gradient. To be overridden.

        Args:
            gradient: Tensor of the variable's shape.
            variable: The variable; `assign`, `assign_add` and `assign_sub` change it.
            learning_rate: The learning rate of this step.
        """
        raise NotImplementedError(
            f"{type(self).__name__}: an Optimizer must implement `update_step()`."
        )

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """Updates variables by their gradients.

        Args:
            grads_and_vars: Pairs of gradient and variable.

        Returns:
            The number of steps so far.
        """
        pairs = list(grads_and_vars)
        if not all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in pairs):
            raise ValueError(
                f"Optimizer '{self.name}': apply_gradients expects pairs of gradient and variable, "
                "as of zip(gradients, variables). "
                f"Received: a list of {', '.join(sorted({type(x).__name__ for x in pairs}))}."
            )
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def minimize(
        self,
        loss: Any,
        variables: Sequence[Variable] | Callable[[], Sequence[Variable]],
        tape: Any = None,
    ) -> Any:
        """Makes one step down the gradient of a loss.

        Args:
            loss: A callable without arguments that returns the loss, a scalar tensor; or, with
                `tape`, the loss that was computed inside it.
            variables: What to update, or a callable that returns it.
            tape: The `GradientTape` that recorded `loss`.

        Returns:
            The number of steps so far.

        Raises:
            ValueError: `loss` is a tensor and there is no tape, or it depends on no variable.

        Example:

        >>> import pronghorn as keras
        >>> w = keras.Variable(1.0)
        >>> sgd = keras.optimizers.SGD(0.1)
        >>> _ = sgd.minimize(lambda: w * w, [w])
        >>> round(float(w), 4)
        0.8
        """
        if tape is None:
            if not callable(loss):
                raise ValueError(
                    f"Optimizer '{self.name}': minimize takes a callable, or a loss and the "
                    f"GradientTape that recorded it. Received: loss={loss!r}, tape=None."
                )
            from pronghorn.gradient_tape import GradientTape

            with GradientTape() as tape:
                value = self.scale_loss(ops.convert_to_tensor(loss()))
        else:
            with tape:
                value = self.scale_loss(ops.convert_to_tensor(loss() if callable(loss) else loss))
        found = list(variables() if callable(variables) else variables)
        return self.apply_gradients(zip(tape.gradient(value, found), found))

    def apply(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None
    ) -> None:
        """Updates variables by their gradients.

        Args:
            grads: One gradient for each variable; `None` leaves a variable as it is.
            trainable_variables: The variables, by default those of `build`.

        Raises:
            ValueError: If gradients and variables do not go together.
        """
        grads = list(grads)
        if len(grads) == 0:
            return
        variables = self._variables_of(grads, trainable_variables)
        pairs = self._check_gradients(grads, variables)
        grads, updated = [g for g, _ in pairs], [v for _, v in pairs]
        if not self._eager_programs.run(self, grads, updated, self._apply_now):
            self._apply_now(grads, updated)

    def _apply_now(self, grads: list[Any], variables: list[Variable]) -> None:
        with name_scope(self.name, caller=self):
            scale = self.loss_scale_factor
            if scale is not None:
                grads = [
                    g if v.overwrite_with_gradient else g / scale for g, v in zip(grads, variables)
                ]
            self._backend_apply_gradients(grads, variables)
            for variable in variables:
                if variable.constraint is not None:
                    variable.assign(variable.constraint(variable.value))
        self._iterations.assign_add(1)

    def _variables_of(
        self, grads: list[Any], trainable_variables: Sequence[Variable] | None
    ) -> list[Variable]:
        if trainable_variables is None:
            if not self.built:
                raise ValueError(
                    "When passing `grads` without `variables`, the optimizer must already be built "
                    "on a list of variables. Call `optimizer.build(trainable_variables)` first."
                )
            variables = self._trainable_variables
            if len(grads) != len(variables):
                raise ValueError(
                    "When passing `grads` as a list of gradient tensors, the gradients must match "
                    f"`optimizer.variables` one-to-one. Received a list of {len(grads)} gradients, "
                    f"but the optimizer is tracking {len(variables)} trainable variables."
                )
            return variables
        variables = list(trainable_variables)
        if len(grads) != len(variables):
            raise ValueError(
                f"Optimizer '{self.name}': expected one gradient for each variable. "
                f"Received: {len(grads)} gradients, {len(variables)} variables."
            )
        if not self.built:
            with name_scope(self.name, caller=self):
                self.build(variables)
            self.built = True
        self._check_variables_are_known(variables)
        return variables

    def _check_gradients(
        self, grads: list[Any], variables: list[Variable]
    ) -> list[tuple[Any, Variable]]:
        pairs = []
        missing = []
        for gradient, variable in zip(grads, variables):
            if gradient is None:
                missing.append(variable.path)
                continue
            gradient = ops.convert_to_tensor(gradient)
            if tuple(gradient.shape) != tuple(variable.shape):
                raise ValueError(
                    f"Optimizer '{self.name}': a gradient must have the shape of its variable. "
                    f"Received: gradient.shape={tuple(gradient.shape)}, variable "
                    f"'{variable.path}' of shape {tuple(variable.shape)}."
                )
            pairs.append((gradient, variable))
        if not pairs:
            raise ValueError(
                "No gradients provided for any variable. The loss does not depend on "
                f"{', '.join(missing)}."
            )
        if missing:
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss. If "
                "using `model.compile()`, did you forget to provide a `loss` argument?",
                stacklevel=4,
            )
        return pairs

    def _backend_apply_gradients(self, grads: list[Any], variables: list[Variable]) -> None:
        if self.gradient_accumulation_steps:
            self._accumulate_or_update(grads, variables)
        else:
            self._update(grads, variables)
        self._average_variables()

    def _update(self, grads: list[Any], variables: list[Variable]) -> None:
        grads, variables = self._overwrite_variables_directly_with_gradients(grads, variables)
        if not variables:
            return
        grads = self._clip_gradients(grads)
        self._step_values = {}
        try:
            learning_rate = ops.convert_to_tensor(self.learning_rate)
            self._apply_weight_decay(variables, learning_rate)
            self._backend_update_step(grads, variables, learning_rate)
        finally:
            self._step_values = None

    def _backend_update_step(
        self, grads: list[Any], trainable_variables: list[Variable], learning_rate: Any
    ) -> None:
        for gradient, variable in zip(grads, trainable_variables):
            self.update_step(gradient, variable, learning_rate)

    def _overwrite_variables_directly_with_gradients(
        self, grads: list[Any], variables: list[Variable]
    ) -> tuple[list[Any], list[Variable]]:
        for gradient, variable in zip(grads, variables):
            if variable.overwrite_with_gradient:
                variable.assign(gradient)
        rest = [(g, v) for g, v in zip(grads, variables) if not v.overwrite_with_gradient]
        return [g for g, _ in rest], [v for _, v in rest]

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:
        """Returns the variables after an update as values; no variable changes.

        Args:
            optimizer_variables: Values of `optimizer.variables`.
            grads: Gradients of the variables that the optimizer was built with.
            trainable_variables: Values of those variables.

        Returns:
            Tuple of the new values of the variables and of `optimizer.variables`.

        Raises:
            ValueError: If the optimizer is not built, or numbers of values differ.
        """
        if not self.built:
            raise ValueError(
                f"To call `stateless_apply`, {type(self).__name__} must be built (i.e. its "
                "variables must have been created). You can build it via "
                "`optimizer.build(trainable_variables)`."
            )
        slots, weights = self.variables, self._trainable_variables
        if len(optimizer_variables) != len(slots):
            raise ValueError(
                "Argument `optimizer_variables` must be a list of tensors corresponding 1:1 to "
                f"{type(self).__name__}().variables. Received list with length "
                f"{len(optimizer_variables)}, but expected {len(slots)} variables."
            )
        if len(trainable_variables) != len(weights):
            raise ValueError(
                "Argument `trainable_variables` must be a list of tensors corresponding 1:1 to the "
                "trainable variables list that the optimizer was built with. Received len("
                f"trainable_variables) == {len(trainable_variables)} whereas the optimizer was "
                f"built with {len(weights)} variables."
            )
        changed = [*slots, *weights]
        before = [v.value for v in changed]
        for variable, value in zip(changed, [*optimizer_variables, *trainable_variables]):
            variable.assign(value)
        try:
            self.apply(grads)
            after = [v.value for v in changed]
        finally:
            for variable, value in zip(changed, before):
                variable.assign(value)
        return after[len(slots) :], after[: len(slots)]

    def scale_loss(self, loss: Any) -> Any:
        """Returns the loss times `loss_scale_factor`.

        Args:
            loss: A scalar.
        """
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    # Config

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor as a dict."""
        rate = self._learning_rate
        if isinstance(rate, Variable):
            saved: Any = float(rate.numpy())
        elif isinstance(rate, LearningRateSchedule):
            saved = serialization.serialize_keras_object(rate)
        else:
            saved = serialization.serialize_keras_object(rate)
        return {
            "name": self.name,
            "learning_rate": saved,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Optimizer:
        """Returns an optimizer made with the arguments in `config`.

        Args:
            config: Dict made by `get_config`.
            custom_objects: Dict of names to custom classes and functions.
        """
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = deserialization.deserialize_keras_object(
                config["learning_rate"], custom_objects=custom_objects
            )
        return cls(**config)


BaseOptimizer = Optimizer


def check_unit_range(name: str, value: Any) -> None:
    """Raises ValueError unless a hyperparameter is a number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"`{name}` must be a float between [0, 1]. Received: {name}={value}.")


def default_epsilon(epsilon: float | None) -> float:
    """Returns `epsilon`, the library's by default."""
    return config.epsilon() if epsilon is None else epsilon
