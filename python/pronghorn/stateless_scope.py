"""StatelessScope: a context in which variables have other values, and assignments stay inside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pronghorn import trace
from pronghorn.tensor import Tensor, convert_to_tensor
from pronghorn.variable import Variable

if TYPE_CHECKING:
    from typing_extensions import Self


class StatelessScope:
    """Context manager in which reading and assigning variables leaves the variables alone.

    Args:
        state_mapping: Pairs `(variable, value)`: what the variables read as inside.
        collect_losses: Kept for compatibility: losses of layers are always collected by them.
        initialize_variables: Kept for compatibility: variables get their values when created.

    Example:

    >>> import pronghorn as keras
    >>> v = keras.Variable(1.0)
    >>> with keras.StatelessScope([(v, 2.0)]) as scope:
    ...     new = v.assign_add(1.0)
    >>> float(scope.get_current_value(v)), float(v.value)
    (3.0, 1.0)
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Any] = []
        self._values: dict[int, tuple[Variable, Tensor]] = {}
        self._outer: Any = None
        for pair in state_mapping or ():
            variable, value = pair
            if not isinstance(variable, Variable):
                raise ValueError(
                    "Invalid variable entry in `state_mapping`: all keys in argument "
                    "`mapping` must be Variable instances. Received instead: "
                    f"{type(variable).__name__}."
                )
            if value is not None:
                self._values[id(variable)] = (variable, self._checked(variable, value))

    @staticmethod
    def _checked(variable: Variable, value: Any) -> Tensor:
        # The storage dtype: the scope may be opened inside an autocast scope.
        tensor = convert_to_tensor(value, variable._dtype)
        if tensor.shape != variable.shape:
            raise ValueError(
                "Invalid variable value in StatelessScope: all values in argument `mapping` must "
                "be tensors with a shape that matches the corresponding variable shape. For "
                f"variable '{variable.path}', received: value.shape={tensor.shape}, expected "
                f"{variable.shape}."
            )
        return tensor

    def __enter__(self) -> Self:
        self._outer = trace.current()
        trace._active.stack.append(self)  # type: ignore[arg-type]
        return self

    def __exit__(self, *exc_info: object) -> None:
        trace._active.stack.pop()

    def read(self, variable: Variable) -> Tensor:
        """Returns the value that `variable` has inside the scope."""
        found = self._values.get(id(variable))
        if found is not None:
            return found[1]
        if self._outer is not None:
            return self._outer.read(variable)  # type: ignore[no-any-return]
        with trace.suspended():
            value: Tensor = variable._read()
        return value

    def write(self, variable: Variable, value: Tensor) -> None:
        """Gives `variable` another value inside the scope."""
        self._values[id(variable)] = (variable, value)

    def get_current_value(self, variable: Variable) -> Tensor | None:
        """Returns the value of `variable` if the scope set or changed it."""
        found = self._values.get(id(variable))
        return None if found is None else found[1]

    def add_loss(self, loss: Any) -> None:
        """Adds a loss to `losses`."""
        self.losses.append(loss)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Gives a variable another value: `update` is `(variable, value)`."""
        variable, value = update
        self.write(variable, self._checked(variable, value))


def in_stateless_scope() -> bool:
    """Returns whether this thread is directly inside a `StatelessScope`."""
    return isinstance(trace.current(), StatelessScope)


def get_stateless_scope() -> StatelessScope | None:
    """Returns the innermost scope of this thread if it is a `StatelessScope`."""
    found = trace.current()
    return found if isinstance(found, StatelessScope) else None
