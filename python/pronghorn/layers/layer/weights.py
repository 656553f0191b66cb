"""The part of a layer about its variables: making, listing, reading and writing them."""

from __future__ import annotations

from typing import Any

from pronghorn import config
from pronghorn.dtypes import is_float_dtype, standardize_dtype
from pronghorn.layers.layer.state import LayerState
from pronghorn.naming import name_scope
from pronghorn.variable import Variable


def _unique(variables: list[Variable]) -> list[Variable]:
    return list({id(v): v for v in variables}.values())


class LayerWeights(LayerState):
    """Variables of a layer and of those inside it."""

    def add_weight(
        self,
        *args: Any,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str | None = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Makes a variable that belongs to the layer.

        `shape`, `initializer` and `dtype` may be given by position, in this order.

        Args:
            *args: `shape`, `initializer`, `dtype`.
            shape: Shape; by default `()`.
            initializer: Initializer or its name; by default `"glorot_uniform"` for floats, else
                `"zeros"`.
            dtype: Dtype; by default the layer's variable dtype.
            trainable: Whether training changes it.
            autocast: Whether it is read in the compute dtype under mixed precision.
            regularizer: Regularizer or its name.
            constraint: Constraint or its name.
            aggregation: How replicas would be combined.
            overwrite_with_gradient: Whether optimizers assign the gradient to it.
            name: Name within the layer.

        Returns:
            The variable.
        """
        from pronghorn import constraints, initializers, regularizers

        self._check_super_called()
        if args:
            given = {"shape": shape, "initializer": initializer, "dtype": dtype}
            shape, initializer, dtype = self._positional(args, given)
        shape = () if shape is None else shape
        dtype = self.variable_dtype if dtype is None else standardize_dtype(dtype)
        if initializer is None:
            initializer = "glorot_uniform" if is_float_dtype(dtype) else "zeros"
        # After the build, outside of the layer's scope, the path is that of the build.
        with name_scope(self.name, caller=self, override_parent=self._parent_path):
            variable = Variable(
                initializer=initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
            )
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._track_variable(variable)
        return variable

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """As `add_weight`, under its old name. See there for the arguments."""
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            dtype=dtype,
            trainable=trainable,
            autocast=autocast,
            regularizer=regularizer,
            constraint=constraint,
            name=name,
        )

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Not available.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            f"{type(self).__name__} '{self.name}': `add_metric()` is gone. Give the metric to "
            "`Model.compile(metrics=[...])`, or make it in `__init__()` and call its "
            "`update_state()` in `call()`."
        )

    def _positional(self, args: tuple[Any, ...], given: dict[str, Any]) -> list[Any]:
        who = f"{type(self).__name__} '{self.name}'"
        if isinstance(args[0], str):
            raise ValueError(
                f"{who}: add_weight() takes the name as a keyword argument: "
                f"`add_weight(..., name={args[0]!r})`. Received: shape={args[0]!r}."
            )
        if len(args) > len(given):
            raise TypeError(
                f"{who}: add_weight() takes at most {len(given)} positional arguments "
                f"({', '.join(given)}). Received: {len(args)}."
            )
        for name, value in zip(given, args):
            if given[name] is not None:
                raise ValueError(
                    f"{who}: `{name}` was passed both positionally and as a keyword argument to "
                    f"add_weight(). Received: {value} and {given[name]}."
                )
            given[name] = value
        return list(given.values())

    @property
    def variable_dtype(self) -> str:
        """Dtype of the weights."""
        return self._own_policy.variable_dtype or config.floatx()  # type: ignore[no-any-return]

    @property
    def variables(self) -> list[Variable]:
        """All variables: the weights, and the states of seed generators."""
        found = self._trainable_variables + self._non_trainable_variables
        found.extend(generator.state for generator in self._seed_generators)
        for layer in self._layers:
            found.extend(layer.variables)
        return _unique(found)

    @property
    def trainable_variables(self) -> list[Variable]:
        """Those of `variables` that training changes."""
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """Those of `variables` that training does not change by gradient."""
        if not self.trainable:
            return self.variables
        return [v for v in self.variables if not v.trainable]

    @property
    def weights(self) -> list[Variable]:
        """The variables without the states of seed generators."""
        found = self._trainable_variables + self._non_trainable_variables
        for layer in self._layers:
            found.extend(layer.weights)
        return _unique(found)

    @property
    def trainable_weights(self) -> list[Variable]:
        """Those of `weights` that training changes."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Those of `weights` that training does not change by gradient."""
        if not self.trainable:
            return self.weights
        return [v for v in self.weights if not v.trainable]

    @property
    def metrics(self) -> list[Any]:
        """The metrics of the layer and of those inside it."""
        found = list(self._metrics)
        for layer in self._layers:
            found.extend(layer.metrics)
        return found

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of `metrics`."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights. Setting it sets it on inner layers too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        self._trainable = value
        for variable in self._trainable_variables:
            variable.trainable = value
        for layer in self._layers:
            layer.trainable = value

    def get_weights(self) -> list[Any]:
        """Returns the values of `weights` as NumPy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Sets the values of `weights`.

        Args:
            weights: Arrays in the order of `weights`.

        Raises:
            ValueError: The number or a shape differs; no value is changed then.
        """
        variables = self.weights
        if not isinstance(weights, (list, tuple)):
            weights = self._list_of_weights(weights)
        if len(variables) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of "
                f"length {len(weights)}, but the layer was expecting {len(variables)} weights."
            )
        for variable, value in zip(variables, weights):
            shape = tuple(value.shape) if hasattr(value, "shape") else _shape_of_list(value)
            if variable.shape != shape:
                raise ValueError(
                    f"Layer {self.name} weight shape {variable.shape} is not compatible with "
                    f"provided weight shape {shape}. Weight: {variable.path}"
                )
        for variable, value in zip(variables, weights):
            variable.assign(value)

    def _list_of_weights(self, weights: Any) -> list[Any]:
        try:
            return list(weights)
        except TypeError:
            raise ValueError(
                f"{type(self).__name__} '{self.name}': set_weights expects a list of "
                f"{len(self.weights)} arrays. Received: weights of type {type(weights).__name__}."
            ) from None

    def count_params(self) -> int:
        """Returns the number of scalars in `weights`.

        Raises:
            ValueError: The layer is not built.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't "
                "built. You can build it manually via: `layer.build(input_shape)`."
            )
        return sum(v.size for v in self.weights)


def _shape_of_list(value: Any) -> tuple[int, ...]:
    import numpy as np

    return np.shape(value)
