"""Metric: the base class of metrics, state in variables that programs update."""

from __future__ import annotations

from typing import Any

from pronghorn import config, dtype_policies, initializers, ops
from pronghorn.naming import auto_name, name_scope, to_snake_case
from pronghorn.stateless_scope import StatelessScope
from pronghorn.tensor import Tensor
from pronghorn.variable import Variable


class Metric:
    """Something that is measured over many batches.

    A subclass makes its state with `add_variable`, changes it in `update_state(y_true, y_pred,
    sample_weight=None)` and gives its value in `result()`, with `ops` only, so that it becomes a
    part of the train step's program.

    Args:
        dtype: dtype, or dtype policy, of the computation and the state.
        name: name in the logs.

    Example:
        >>> import pronghorn as keras
        >>> class Count(keras.metrics.Metric):
        ...     def __init__(self, name="count", **kwargs):
        ...         super().__init__(name=name, **kwargs)
        ...         self.total = self.add_variable(shape=(), initializer="zeros", name="total")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.total.assign_add(float(y_pred.shape[0]))
        ...     def result(self):
        ...         return self.total
        >>> count = Count()
        >>> count.update_state(None, keras.ops.ones((3, 1)))
        >>> float(count.result())
        3.0
    """

    # Whether the metric should rise ("up") or fall ("down"), for callbacks that watch it.
    _direction: str | None = None

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self._own_variables: list[Variable] = []
        self._own_metrics: list[Metric] = []
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self._dtype_policy = dtype_policies.get(dtype or config.floatx())
        self._dtype = str(self._dtype_policy.compute_dtype)

    def __setattr__(self, name: str, value: Any) -> None:
        # Variables and metrics that are kept as attributes are part of the state.
        if "_own_metrics" in self.__dict__:
            self._track(value)
        object.__setattr__(self, name, value)

    def _track(self, value: Any) -> None:
        if isinstance(value, Variable):
            if not _has(self._own_variables, value):
                self._own_variables.append(value)
        elif isinstance(value, Metric):
            if not _has(self._own_metrics, value):
                self._own_metrics.append(value)
        elif isinstance(value, (list, tuple, dict)):
            for part in value.values() if isinstance(value, dict) else value:
                self._track(part)

    @property
    def dtype(self) -> str:
        """Dtype of the computation."""
        return self._dtype

    @property
    def dtype_policy(self) -> Any:
        """Dtype policy of the metric."""
        return self._dtype_policy

    @property
    def variables(self) -> list[Variable]:
        """The state: the metric's own variables, then those of the metrics inside it."""
        inner = [variable for metric in self._own_metrics for variable in metric.variables]
        return [*self._own_variables, *inner]

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Makes a variable of the state.

        Args:
            shape: its shape.
            initializer: an initializer, or the name of one.
            dtype: its dtype; that of the metric where it is `None`.
            aggregation: how replicas are combined; kept for compatibility.
            name: its name.

        Returns:
            The variable; reset_state sets it to zero.
        """
        with name_scope(self.name.replace("/", "_")):
            variable = Variable(
                initializers.get(initializer),
                shape=tuple(shape),
                dtype=dtype or self._dtype_policy.variable_dtype,
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        self._own_variables.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """As `add_variable`, for scalars of zero by default."""
        return self.add_variable(
            shape, initializer if initializer is not None else "zeros", dtype=dtype, name=name
        )

    def save_own_variables(self, store: Any) -> None:
        """Puts the metric's own variables into `store`, a dict of arrays.

        Args:
            store: mapping to fill, keys `"0"`, `"1"`, ...
        """
        for i, variable in enumerate(self._saved_variables()):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Sets the metric's own variables from what `save_own_variables` wrote.

        Args:
            store: mapping of arrays.

        Raises:
            ValueError: the number of arrays differs from the number of variables.
        """
        variables = self._saved_variables()
        if len(store.keys()) != len(variables):
            raise ValueError(
                f"Metric '{self.name}' expected {len(variables)} variables, but received "
                f"{len(store.keys())} variables during loading. "
                f"Expected: {[v.name for v in variables]}"
            )
        for i, variable in enumerate(variables):
            variable.load(store[str(i)])

    def _saved_variables(self) -> list[Variable]:
        return list(self._own_variables)

    def reset_state(self) -> None:
        """Sets the state to zero."""
        for variable in self.variables:
            variable.assign(ops.zeros(variable.shape, dtype=variable.dtype))

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes a batch into account; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__}: define update_state().")

    def result(self) -> Any:
        """The value of the metric; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__}: define result().")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Takes a batch into account and gives the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables: Any, *args: Any, **kwargs: Any) -> Any:
        """`update_state` on given values of the state, leaving the metric's own alone.

        Args:
            metric_variables: a value for each of `variables`.
            *args: arguments of `update_state`.
            **kwargs: arguments of `update_state`.

        Returns:
            The new values.
        """
        with StatelessScope(self._state_mapping(metric_variables)) as scope:
            self.update_state(*args, **kwargs)
        return [scope.get_current_value(variable) for variable in self.variables]

    def stateless_result(self, metric_variables: Any) -> Any:
        """`result` for given values of the state.

        Args:
            metric_variables: a value for each of `variables`.
        """
        with StatelessScope(self._state_mapping(metric_variables)):
            result = self.result()
            return result.value if isinstance(result, Variable) else result

    def stateless_reset_state(self) -> list[Any]:
        """The values that `reset_state` gives the state."""
        with StatelessScope() as scope:
            self.reset_state()
        return [scope.get_current_value(variable) for variable in self.variables]

    def _state_mapping(self, values: Any) -> list[tuple[Variable, Any]]:
        variables = self.variables
        if len(values) != len(variables):
            raise ValueError(
                "Argument `metric_variables` must be a list of tensors corresponding 1:1 to "
                f"{type(self).__name__}().variables. Received list with length {len(values)}, but "
                f"expected "
                f"{len(variables)} variables."
            )
        return list(zip(variables, values, strict=True))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"name": self.name, "dtype": self._dtype_config()}

    def _dtype_config(self) -> Any:
        policy = self._dtype_policy
        plain = policy.name in (policy.compute_dtype, policy.variable_dtype)
        return policy.name if plain else dtype_policies.serialize(policy)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """A metric with the arguments in `config`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

    def __str__(self) -> str:
        return repr(self)

    # What update_state of the subclasses has in common.

    def _tensors(self, *values: Any) -> tuple[Tensor, ...]:
        return tuple(ops.cast(ops.convert_to_tensor(value), self._dtype) for value in values)


def _has(values: list[Any], value: Any) -> bool:
    return any(value is other for other in values)
