"""Different optimizers for different variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pronghorn.naming import name_scope
from pronghorn.optimizers.loss_scale_optimizer import LossScaleOptimizer
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.optimizers.optimizer_map import OptimizerMap
from pronghorn.saving import deserialization, serialization
from pronghorn.variable import Variable


class MultiOptimizer(Optimizer):
    """Updates each variable by the optimizer that a map or function gives for it.

    Learning rates, clipping and the like are those of the single optimizers; their
    `loss_scale_factor` is unset.

    Args:
        optimizer_map: An `OptimizerMap`, a function of a variable that returns an optimizer, or
            one optimizer for all variables.
        loss_scale_factor: Factor of the loss that gradients are divided by.
        name: Name of the optimizer.

    Raises:
        TypeError: If `optimizer_map` is something else.

    Example:

    >>> import pronghorn as keras
    >>> chosen = keras.optimizers.OptimizerMap(keras.optimizers.SGD())
    >>> optimizer = keras.optimizers.MultiOptimizer(chosen)
    >>> optimizer.build([keras.Variable([1.0])])
    >>> [type(o).__name__ for o in optimizer.optimizers]
    ['SGD']
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer] | Optimizer,
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        if isinstance(optimizer_map, Optimizer):
            only = optimizer_map
            optimizer_map = lambda variable: only  # noqa: E731
        if not callable(optimizer_map):
            raise TypeError(
                "MultiOptimizer: optimizer_map must be an OptimizerMap or a function of a "
                f"variable. Received: optimizer_map={optimizer_map!r}."
            )
        self._optimizers: list[Optimizer] = []
        self._optimizer_map = optimizer_map
        self._var_to_optimizer_idx: dict[int, int] = {}
        super().__init__(learning_rate=0.0, loss_scale_factor=loss_scale_factor, name=name)

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers in use, in the order of the map; the default one is the last."""
        return self._optimizers[:]

    def _var_key(self, variable: Variable) -> int:
        return id(variable)

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        variables = list(variables)
        chosen = [self._optimizer_of(v) for v in variables]
        found: list[Optimizer] = []
        if isinstance(self._optimizer_map, OptimizerMap):
            found += self._optimizer_map.values()
            found.append(self._optimizer_map.default_optimizer)
        unique: list[Optimizer] = []
        for optimizer in [*found, *chosen]:
            if not any(optimizer is o for o in unique):
                unique.append(optimizer)
        self._optimizers = unique
        indices = {id(o): i for i, o in enumerate(unique)}
        self._var_to_optimizer_idx = {id(v): indices[id(o)] for v, o in zip(variables, chosen)}
        for optimizer in unique:
            optimizer.loss_scale_factor = None
            own = [v for v, o in zip(variables, chosen) if o is optimizer]
            with name_scope(optimizer.name, caller=optimizer):
                optimizer.build(own)
        super().build(variables)

    def _optimizer_of(self, variable: Variable) -> Optimizer:
        optimizer = self._optimizer_map(variable)
        if not isinstance(optimizer, Optimizer):
            raise ValueError(f"Optimizer for variable {variable} is not an Optimizer instance.")
        for wrapper in (LossScaleOptimizer, MultiOptimizer):
            if isinstance(optimizer, wrapper):
                raise ValueError(f"{wrapper.__name__} cannot be used inside an MultiOptimizer.")
        return optimizer

    @property
    def variables(self) -> list[Variable]:
        return self._variables + [v for o in self._optimizers for v in o.variables]

    @property
    def learning_rate(self) -> Any:
        """Not available: each optimizer has its own."""
        raise AttributeError(
            "Learning rate cannot be accessed on a MultiOptimizer. Access the learning rate on "
            "the individual sub-optimizers instead."
        )

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        raise AttributeError(
            "Learning rate cannot be set on a MultiOptimizer. Set the learning rate on the "
            "individual sub-optimizers instead."
        )

    def apply(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None
    ) -> None:
        grads = list(grads)
        if len(grads) == 0:
            return
        variables = self._variables_of(grads, trainable_variables)
        pairs = self._check_gradients(grads, variables)
        scale = self.loss_scale_factor
        for index, optimizer in enumerate(self._optimizers):
            own = [(g, v) for g, v in pairs if self._var_to_optimizer_idx[id(v)] == index]
            if own:
                optimizer.apply(
                    [
                        g if scale is None or v.overwrite_with_gradient else g / scale
                        for g, v in own
                    ],
                    [v for _, v in own],
                )
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        for optimizer in self._optimizers:
            optimizer.finalize_variable_values(var_list)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._var_to_optimizer_idx = {
            id(v): index
            for index, optimizer in enumerate(self._optimizers)
            for v in optimizer._trainable_variables
        }

    def get_config(self) -> dict[str, Any]:
        return {
            "optimizer_map": serialization.serialize_keras_object(self._optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> MultiOptimizer:
        config = dict(config)
        chosen = deserialization.deserialize_keras_object(
            config.pop("optimizer_map"), custom_objects=custom_objects
        )
        return cls(chosen, **config)
