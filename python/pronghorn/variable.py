"""Variable: a named tensor that training changes in place."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from pronghorn import _core, config
from pronghorn.allocation_limit import count_variable
from pronghorn.array_in_file import ArrayInFile
from pronghorn.deferred_values import deferring
from pronghorn.dtypes import is_float_dtype, standardize_dtype, tensor_dtype
from pronghorn.naming import auto_name, current_path
from pronghorn.operators import install as install_operators
from pronghorn.tensor import Tensor, convert_to_tensor
from pronghorn.trace import Trace, current, suspended

_AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")
_SYNCHRONIZATIONS = (None, "none", "on_read", "on_write", "auto")


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.autocast: list[str | None] = []


_scopes = _Scopes()


class AutocastScope:
    """Context manager in which float variables with `autocast` are read in another float dtype.

    Args:
        dtype: Float dtype name; `None`: variables are read as they are.
    """

    def __init__(self, dtype: Any) -> None:
        if dtype is not None:
            dtype = standardize_dtype(dtype)
            if not is_float_dtype(dtype):
                raise ValueError(f"AutocastScope: expected a float dtype. Received: dtype={dtype}.")
        self.dtype: str | None = dtype

    def __enter__(self) -> AutocastScope:
        _scopes.autocast.append(self.dtype)
        return self

    def __exit__(self, *exc_info: Any) -> None:
        _scopes.autocast.pop()


def get_autocast_dtype() -> str | None:
    """Returns the dtype of the innermost `AutocastScope`."""
    return _scopes.autocast[-1] if _scopes.autocast else None


class Variable:
    """A tensor with a name that can be assigned, such as a weight of a layer.

    Inside a trace it reads as a symbolic tensor and assignments take effect when the traced program
    runs; programs write into its memory in place.

    Args:
        initializer: The first value: an array or anything that converts to a tensor, or a callable
            `(shape, dtype) -> tensor`.
        shape: Shape, needed with a callable initializer.
        dtype: Dtype; by default that of the initial value, with a callable `config.floatx()`.
        trainable: Whether `fit` changes it by gradient.
        autocast: Whether it is read in the compute dtype under mixed precision.
        aggregation: How replicas are combined; kept for `get_config`, there is one replica.
        synchronization: Likewise.
        name: Name, without `/`.

    Raises:
        ValueError: A callable without a shape, a name with `/`, an unknown aggregation.

    Example:

    >>> import pronghorn as keras
    >>> v = keras.Variable([1.0, 2.0], name="v")
    >>> v.assign_add([1.0, 1.0]).numpy()
    array([2., 3.], dtype=float32)
    """

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise TypeError(f"Variable: unexpected keyword arguments. Received: {sorted(kwargs)}.")
        name = name or auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                f"Argument `name` must be a string and cannot contain character `/`. "
                f"Received: name={name}"
            )
        if aggregation not in _AGGREGATIONS:
            raise ValueError(
                f"Variable: `aggregation` must be one of {_AGGREGATIONS}. "
                f"Received: aggregation={aggregation}"
            )
        if synchronization not in _SYNCHRONIZATIONS:
            raise ValueError(
                f"Variable: `synchronization` must be one of {_SYNCHRONIZATIONS}. "
                f"Received: synchronization={synchronization}"
            )
        self._name = name
        parent = current_path()
        self._path = f"{parent}/{name}" if parent else name
        self._trainable = bool(trainable)
        self._autocast = bool(autocast)
        self._aggregation = aggregation
        self._synchronization = synchronization
        self._regularizer: Any = None
        self._constraint: Any = None
        self._overwrite_with_gradient = False
        around = current()
        if isinstance(around, Trace):
            around.created += 1
        self._initializer: Any = None  # not None: it has not run yet
        with suspended(), AutocastScope(None):
            self._memory = self._first_memory(initializer, shape, dtype)
        self._shape = self._memory.shape
        self._dtype = self._memory.dtype

    def _first_memory(self, initializer: Any, shape: Any, dtype: Any) -> Tensor:
        if isinstance(initializer, str):
            from pronghorn import initializers

            initializer = initializers.get(initializer)
        if callable(initializer) and not isinstance(initializer, (Tensor, Variable)):
            if shape is None:
                raise ValueError(
                    "When creating a Variable from an initializer, the `shape` argument should be "
                    f"specified. Received: initializer={initializer} and shape={shape}"
                )
            shape = _concrete_shape(shape)
            wanted = standardize_dtype(dtype) if dtype is not None else config.floatx()
            wanted = tensor_dtype(wanted)
            count_variable(shape, wanted)
            scope = deferring()
            if scope is not None:
                self._initializer = initializer
                scope.add(self)
                return _core.empty(shape, wanted)
            return _core.copy(_initial_value(initializer, shape, wanted))
        value = convert_to_tensor(initializer, dtype)
        if value.is_symbolic:
            raise ValueError(
                "Variable: the initial value must be known, not computed inside a traced function. "
                f"Received: {value!r}."
            )
        if shape is not None and tuple(shape) != value.shape:
            raise ValueError(
                f"Variable: the initial value must have the shape given. "
                f"Received: shape={tuple(shape)}, initial value's shape={value.shape}."
            )
        return _core.copy(value)

    @property
    def _storage(self) -> Tensor:
        """The tensor that programs write into, with the variable's value in it."""
        if self._initializer is not None:
            self.initialize()
        return self._memory

    def initialize(self) -> None:
        """Runs an initializer that was put off while a file was loaded, unless there is a value."""
        initializer = self._initializer
        if initializer is not None:
            with suspended(), AutocastScope(None):
                value = _initial_value(initializer, self._shape, self._dtype)
            self._store(value)

    # Reading.

    @property
    def value(self) -> Tensor:
        """The value: inside a trace the symbolic one, else a tensor that later changes spare."""
        value = self._read()
        return value if self.dtype == self._dtype else convert_to_tensor(value, self.dtype)

    def _read(self) -> Tensor:
        around = current()
        return _core.copy(self._storage) if around is None else around.read(self)

    def numpy(self) -> Any:
        """Returns the value as a NumPy array of its own memory."""
        return self._read().numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self._read(), dtype=dtype)

    def __getitem__(self, key: Any) -> Tensor:
        return self.value[key]

    def __len__(self) -> int:
        return len(self._memory)

    def __int__(self) -> int:
        return int(self._read_scalar("int"))

    def __float__(self) -> float:
        return float(self._read_scalar("float"))

    def __format__(self, spec: str) -> str:
        return format(self._read(), spec) if spec else str(self)

    def __bool__(self) -> bool:
        if self._shape:
            raise TypeError(
                "A Keras Variable cannot be used as a boolean. Use `ops.any` or `ops.all`. "
                f"Received: shape={self._shape}. Variable: {self._path}"
            )
        return bool(self._read())

    def __index__(self) -> int:
        return int(self._read_scalar("int"))

    def _read_scalar(self, what: str) -> Tensor:
        if self._shape:
            raise TypeError(
                "Only scalar arrays can be converted to Python scalars: "
                f"{what}(): expected shape=(). Received: shape={self._shape}. "
                f"Variable: {self._path}"
            )
        return self._read()

    # Assigning.

    def assign(self, value: Any) -> Tensor:
        """Sets the value; it is cast to the variable's dtype.

        Returns:
            The new value.

        Raises:
            ValueError: The shape differs; the variable keeps its value.
        """
        new = convert_to_tensor(value, self._dtype)
        if new.shape != self._shape:
            raise ValueError(
                "The shape of the target variable and the shape of the target value in "
                f"`variable.assign(value)` must match. variable.shape={self._shape}, Received: "
                f"value.shape={new.shape}. Target variable: {self._path}"
            )
        around = current()
        if around is None:
            self._store(new)
        else:
            around.write(self, new)
        return new

    def assign_add(self, value: Any) -> Tensor:
        """Adds to the value. Returns the new one."""
        return self.assign(self._read() + convert_to_tensor(value, self._dtype))

    def assign_sub(self, value: Any) -> Tensor:
        """Subtracts from the value. Returns the new one."""
        return self.assign(self._read() - convert_to_tensor(value, self._dtype))

    def _store(self, value: Tensor) -> None:
        if value.is_symbolic:
            raise ValueError(
                f"Variable '{self._path}': a traced value can only be assigned inside the trace. "
                f"Received: {value!r}."
            )
        _core.copy_into(self._memory, value)
        self._initializer = None

    def load(self, stored: Any) -> None:
        """Sets the value to an array of a file, read in place where it is of the variable's dtype.

        Args:
            stored: What a store of `load_own_variables` holds: an array of a file, which is read
                now, or anything that `assign` takes.

        Raises:
            ValueError: The shape differs; the variable keeps its value.
        """
        if (
            isinstance(stored, ArrayInFile)
            and stored.tensor_dtype == self._dtype
            and stored.shape == self._shape
            and current() is None
        ):
            _core.fill(self._memory, stored.read_into)
            self._initializer = None
        else:
            self.assign(stored)

    # Description.

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape, a tuple of ints."""
        return self._shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self._shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._memory.size

    @property
    def dtype(self) -> str:
        """Dtype that it reads as: under an `AutocastScope` that scope's."""
        wanted = get_autocast_dtype()
        if wanted is not None and self._autocast and is_float_dtype(self._dtype):
            return wanted
        return self._dtype

    @property
    def name(self) -> str:
        """Name, unique within its layer."""
        return self._name

    @property
    def path(self) -> str:
        """Names of the scopes around it and its own, joined by `/`."""
        return self._path

    @property
    def trainable(self) -> bool:
        """Whether `fit` changes it by gradient."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)

    @property
    def autocast(self) -> bool:
        """Whether it is read in the compute dtype under mixed precision."""
        return self._autocast

    @property
    def aggregation(self) -> str | None:
        """How replicas would be combined."""
        return self._aggregation

    @property
    def synchronization(self) -> str | None:
        """When replicas would be synchronized."""
        return self._synchronization

    @property
    def overwrite_with_gradient(self) -> bool:
        """Whether optimizers assign the gradient in place of an update."""
        return self._overwrite_with_gradient

    @overwrite_with_gradient.setter
    def overwrite_with_gradient(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise TypeError(
                "`overwrite_with_gradient` must be a boolean. "
                f"Received: {value} (of type {type(value)})"
            )
        self._overwrite_with_gradient = value

    @property
    def regularizer(self) -> Any:
        """Called with the value, gives a loss."""
        return self._regularizer

    @regularizer.setter
    def regularizer(self, value: Any) -> None:
        _require_callable("regularizer", value)
        self._regularizer = value

    @property
    def constraint(self) -> Any:
        """Called with the value after an update, gives the value to keep."""
        return self._constraint

    @constraint.setter
    def constraint(self, value: Any) -> None:
        _require_callable("constraint", value)
        self._constraint = value

    def __repr__(self) -> str:
        around = current()
        value = "" if around is not None else f", value={_core.copy(self._storage).numpy()}"
        return f"<Variable path={self._path}, shape={self._shape}, dtype={self._dtype}{value}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        other = type(self).__new__(type(self))
        memo[id(self)] = other
        other.__dict__.update(self.__dict__)
        other._memory = _core.copy(self._storage)
        other._initializer = None
        return other

    def __getstate__(self) -> dict[str, Any]:
        memory = _core.copy(self._storage)
        state = dict(self.__dict__)
        state["_memory"] = memory
        return state


def _initial_value(initializer: Any, shape: tuple[int, ...], dtype: str) -> Tensor:
    value = convert_to_tensor(initializer(shape, dtype=dtype), dtype)
    if value.shape != shape:
        raise ValueError(
            f"Variable: the initializer must give the shape asked for. "
            f"Received: shape={shape}, initializer's shape={value.shape}."
        )
    return value


def _require_callable(attribute: str, value: Any) -> None:
    if value is not None and not callable(value):
        class_name = attribute.capitalize()
        raise ValueError(
            f"Invalid value for attribute `{attribute}`. Expected an instance of "
            f"`keras.{attribute}s.{class_name}`, a callable, or `None`. "
            f"Received: {attribute}={value}"
        )


def _concrete_shape(shape: Any) -> tuple[int, ...]:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    for dim in shape:
        if not isinstance(dim, (int, np.integer)) or dim < 0:
            raise ValueError(
                "Shapes used to initialize variables must be fully-defined (no `None` dimensions). "
                f"Received: shape={shape}"
            )
    return tuple(int(d) for d in shape)


install_operators(Variable, logical=True)
