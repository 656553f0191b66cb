"""The variables of an optimizer: creation, lookup, saving."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from pronghorn import config, initializers, ops
from pronghorn.naming import name_scope
from pronghorn.optimizers.eager_program import EagerPrograms
from pronghorn.variable import Variable


class OptimizerState:
    """Part of `Optimizer` that holds its variables."""

    name: str
    built: bool
    use_ema: bool
    gradient_accumulation_steps: int | None
    _variables: list[Variable]
    _trainable_variables: list[Variable]
    _indices: dict[int, int]
    _model_variables_moving_average: list[Any]
    _accumulated_gradients: list[Any]

    @property
    def variables(self) -> list[Variable]:
        """All variables of the optimizer, in the order of creation."""
        return self._variables[:]

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the variables that the optimizer keeps for each trainable variable.

        Args:
            variables: The trainable variables.
        """
        variables = list(variables)
        if self.use_ema:
            self._model_variables_moving_average = self.add_optimizer_variables(
                variables, "average"
            )
        if self.gradient_accumulation_steps:
            self._accumulated_gradients = [
                self.add_variable_from_reference(v, name="gradient_accumulator") for v in variables
            ]
        self._trainable_variables = variables
        self._indices = {id(v): i for i, v in enumerate(variables)}
        self.built = True

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str | None = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Returns a new variable of the optimizer.

        Args:
            shape: Its shape.
            initializer: Its first value.
            dtype: Its dtype, `keras.config.floatx()` by default.
            aggregation: Kept for configs; there is one replica.
            layout: Not supported: must be `None`.
            name: Its name.
        """
        if layout is not None:
            raise ValueError(f"add_variable: layout must be None. Received: layout={layout}.")
        with name_scope(self.name, caller=self):
            variable = Variable(
                initializers.get(initializer),
                shape=tuple(shape),
                dtype=dtype or config.floatx(),
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        self._track_variable(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Returns a new variable with the shape and dtype of another.

        Args:
            reference_variable: The other variable.
            name: Last part of its name.
            initializer: Its first value.
        """
        name = name or "var"
        path = reference_variable.path.replace("/", "_")
        return self.add_variable(
            reference_variable.shape,
            initializer=initializer,
            dtype=reference_variable.dtype,
            name=f"{path}_{name}",
        )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Returns a new variable of each name for each trainable variable.

        Args:
            trainable_variables: The trainable variables.
            name: A name, or a list of names.
            initializer: First values, one for all names or a list.

        Returns:
            A list of variables for one name, a tuple of lists for a list of names; `None` stands
            for variables that are overwritten by their gradients.
        """
        names = [name] if isinstance(name, str) else list(name)
        if isinstance(initializer, (list, tuple)):
            firsts = list(initializer)
        else:
            firsts = [initializer] * len(names)
        if len(firsts) != len(names):
            raise ValueError(
                "add_optimizer_variables: expected one initializer for each name. "
                f"Received: {len(names)} names, {len(firsts)} initializers."
            )
        created: tuple[list[Any], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for slot, slot_name, first in zip(created, names, firsts):
                if variable.overwrite_with_gradient:
                    slot.append(None)
                else:
                    slot.append(self.add_variable_from_reference(variable, slot_name, first))
        return created[0] if isinstance(name, str) else created

    def _track_variable(self, variable: Variable) -> None:
        self._variables.append(variable)

    def _untrack_variable(self, variable: Variable) -> None:
        self._variables = [v for v in self._variables if v is not variable]

    def _get_variable_index(self, variable: Variable) -> int:
        return self._indices[id(variable)]

    def _check_variables_are_known(self, variables: Sequence[Variable]) -> None:
        for variable in variables:
            if id(variable) not in self._indices:
                raise ValueError(
                    f"Unknown variable: {variable}. This optimizer can only be called for the "
                    "variables it was originally built with. When working with a new set of "
                    "variables, you should recreate a new optimizer instance."
                )

    def assign(self, variable: Variable, value: Any) -> None:
        """Sets a variable, in its own dtype."""
        variable.assign(ops.cast(value, variable.dtype))

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Adds to a variable."""
        variable.assign(variable.value + ops.cast(value, variable.dtype))

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtracts from a variable."""
        variable.assign(variable.value - ops.cast(value, variable.dtype))

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets all variables of the optimizer.

        Args:
            weights: Values in the order of `variables`.

        Raises:
            ValueError: If the optimizer is not built, or the values do not fit.
        """
        if not self.built:
            raise ValueError(
                "You are calling `set_weights()` on an optimizer that has not yet been built. "
                "Please call `optimizer.build(trainable_variables)` to create the optimizer "
                "weights before calling `set_weights()`."
            )
        variables = self.variables
        if len(weights) != len(variables):
            raise ValueError(
                f"Optimizer '{self.name}': expected {len(variables)} weights. "
                f"Received: {len(weights)} weights."
            )
        for variable, weight in zip(variables, weights):
            if tuple(variable.shape) != tuple(weight.shape):
                raise ValueError(
                    f"Optimizer variable {variable.path} has shape {tuple(variable.shape)} not "
                    f"compatible with provided weight shape {tuple(weight.shape)}."
                )
            variable.assign(weight)

    def save_own_variables(self, store: Any) -> None:
        """Puts the values of all variables into a dict or HDF5 group, under `"0"`, `"1"`, ..."""
        for i, variable in enumerate(self._saved_variables()):
            store[str(i)] = variable.numpy()

    def _saved_variables(self) -> list[Any]:
        return list(self.variables)

    def load_own_variables(self, store: Any) -> None:
        """Sets all variables from what `save_own_variables` wrote.

        Args:
            store: A dict or HDF5 group.
        """
        variables = self.variables
        if len(store.keys()) != len(variables):
            message = (
                f"Skipping variable loading for optimizer '{self.name}', because it has "
                f"{len(variables)} variables whereas the saved optimizer has "
                f"{len(store.keys())} variables. "
            )
            if not variables:
                message += "This is likely because the optimizer has not been called/built yet."
            warnings.warn(message, stacklevel=2)
            return
        for i, variable in enumerate(variables):
            variable.load(store[str(i)])

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        state.pop("_eager_programs", None)  # they write into this object's variables
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._eager_programs = EagerPrograms()
        self._indices = {id(v): i for i, v in enumerate(self._trainable_variables)}
