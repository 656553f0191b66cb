"""Operation, what functional graphs are made of, and the decorator `op` of `pronghorn.ops`.

A layer is an operation with weights; a function of `pronghorn.ops` called on a KerasTensor becomes
an operation by `call_function`.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from pronghorn import tree
from pronghorn.config_errors import ConfigError, one_line, shown
from pronghorn.naming import auto_name, to_camel_case
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.ops.node import Node
from pronghorn.ops.symbolic import any_symbolic_tensors, compute_output_spec
from pronghorn.tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])

_MAY_CONTAIN_TENSORS = (KerasTensor, list, tuple, dict)
_PLAIN_TYPES = (str, int, float, bool, type(None))


def default(method: F) -> F:
    """Marks `method` as one that a subclass may replace; `is_default` tells whether it did."""
    method._is_default = True  # type: ignore[attr-defined]
    return method


def is_default(method: Any) -> bool:
    """Returns whether `method` is the base class's own, marked with `default`."""
    return getattr(method, "_is_default", False)


class Operation:
    """Something that can be called on tensors and can be a node of a functional graph.

    Subclasses implement `call`, and `compute_output_spec` where tracing `call` would not do.

    Args:
        name: Name in the graph. By default the class name in snake case, made unique.
    """

    _auto_config: dict[str, Any] | None
    _inbound_nodes: list[Node]
    _outbound_nodes: list[Node]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        instance = super().__new__(cls)
        object.__setattr__(instance, "_auto_config", _capture_config(cls, args, kwargs))
        return instance

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "Argument `name` must be a string and cannot contain character `/`. "
                f"Received: name={name} (of type {type(name)})"
            )
        object.__setattr__(self, "_inbound_nodes", [])
        object.__setattr__(self, "_outbound_nodes", [])
        self.name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any_symbolic_tensors(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Infers the outputs as KerasTensors and records the call as a node."""
        outputs = self.compute_output_spec(*args, **kwargs)
        Node(operation=self, call_args=args, call_kwargs=kwargs, outputs=outputs)
        return outputs

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs."""
        raise NotImplementedError(f"{type(self).__name__} '{self.name}': implement `call()`.")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the outputs as KerasTensors."""
        try:
            return compute_output_spec(self.call, *args, **kwargs)
        except Exception as e:
            raise _inference_error(self, e).with_traceback(e.__traceback__) from None

    @default
    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments that make an operation like this one.

        Raises:
            NotImplementedError: The class does not implement `get_config` and was given arguments
                that are not plain values.
        """
        config = {"name": self.name}
        if not is_default(self.get_config):
            return config
        captured = getattr(self, "_auto_config", None)
        if captured is None:
            raise NotImplementedError(
                f"Object {type(self).__name__} was created by passing non-serializable argument "
                "values in `__init__()`, and therefore the object must override `get_config()` in "
                "order to be serializable. Please implement `get_config()`.\n\nExample:\n\n"
                "class CustomLayer(keras.layers.Layer):\n"
                "    def __init__(self, arg1, arg2, **kwargs):\n"
                "        super().__init__(**kwargs)\n"
                "        self.arg1 = arg1\n"
                "        self.arg2 = arg2\n\n"
                "    def get_config(self):\n"
                "        config = super().get_config()\n"
                "        config.update({\n"
                '            "arg1": self.arg1,\n'
                '            "arg2": self.arg2,\n'
                "        })\n"
                "        return config"
            )
        # The name is kept where it was made automatically, too.
        config.update({k: v for k, v in captured.items() if k != "name" or v is not None})
        return only_accepted(type(self), config)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Returns an operation made with the arguments that `get_config` gave."""
        config = _with_plain_dtype(config)
        try:
            return cls(**config)
        except ConfigError:
            raise  # of an argument's object, which it names
        except Exception as e:
            raise TypeError(
                f"Error when deserializing class '{cls.__name__}': {one_line(e)} "
                f"Received: config={shown(config)}."
            ) from e

    def __getstate__(self) -> dict[str, Any]:
        # A copy belongs to no graph; functional models copy theirs themselves.
        state = dict(self.__dict__)
        state["_inbound_nodes"], state["_outbound_nodes"] = [], []
        return state

    def __repr__(self) -> str:
        return f"<Operation name={self.name}>"

    @property
    def input(self) -> Any:
        """The KerasTensors that the operation was first called on."""
        return self._get_node_attribute(0, "input_tensors", "input")

    @property
    def output(self) -> Any:
        """The KerasTensors that the operation's first call returned."""
        return self._get_node_attribute(0, "output_tensors", "output")

    def _get_node_attribute(self, node_index: int, attribute: str, what: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(
                f"The layer {self.name} has never been called and thus has no defined {what}."
            )
        values = getattr(self._inbound_nodes[node_index], attribute)
        return values[0] if len(values) == 1 else values


_CANNOT_INFER = "Could not automatically infer the output shape / dtype of"


def _inference_error(operation: Operation, error: Exception) -> Exception:
    """Returns an error of the type of `error` that says which operation could not be traced."""
    text = str(error)
    if text.startswith(_CANNOT_INFER):
        return error  # said already, of the operation inside
    cls = type(operation).__name__
    message = (
        f"{_CANNOT_INFER} '{operation.name}' (of type {cls}). Either the `{cls}.call()` method is "
        f"incorrect, or you need to implement the `{cls}.compute_output_spec() / "
        f"compute_output_shape()` method. Error encountered:\n\n{text}"
    )
    try:
        return type(error)(message)
    except TypeError:  # its constructor takes something else
        return RuntimeError(message)


def _with_plain_dtype(config: dict[str, Any]) -> dict[str, Any]:
    """Returns `config` with a serialized dtype policy as a name, or a policy where it has none."""
    if not isinstance(config.get("dtype"), dict):
        return config
    from pronghorn import dtype_policies

    policy = dtype_policies.deserialize(config["dtype"])
    if not policy._is_map and policy.quantization_mode is None:
        policy = policy.name
    return {**config, "dtype": policy}


def _capture_config(
    cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any] | None:
    """Returns the constructor arguments by name if all are plain values or structures of them."""
    names, defaults, _ = constructor_arguments(cls)
    if len(args) > len(names):
        return None
    config = dict(zip(names, args))
    config.update(kwargs)
    for name, value in defaults.items():
        config.setdefault(name, value)
    policy = config.get("dtype")
    if policy is not None and not isinstance(policy, str) and hasattr(policy, "get_config"):
        from pronghorn import dtype_policies

        config["dtype"] = dtype_policies.serialize(policy)
    try:
        leaves = tree.flatten(config)
    except (TypeError, ValueError):
        return None
    if all(isinstance(leaf, _PLAIN_TYPES) for leaf in leaves):
        return config
    return None


@functools.cache
def constructor_arguments(cls: type) -> tuple[tuple[str, ...], dict[str, Any], bool]:
    """Returns the names of the constructor's positional arguments, all defaults, and `**kwargs`."""
    spec = inspect.getfullargspec(cls.__init__)  # type: ignore[misc]
    names = tuple(spec.args[1:])
    defaults = dict(zip(names[::-1], (spec.defaults or ())[::-1]))
    defaults.update(spec.kwonlydefaults or {})
    return names, defaults, spec.varkw is not None


def only_accepted(cls: type, config: dict[str, Any]) -> dict[str, Any]:
    """Returns the part of `config` that the constructor of `cls` takes."""
    names, defaults, takes_any = constructor_arguments(cls)
    if takes_any:
        return config
    keyword_only = inspect.getfullargspec(cls.__init__).kwonlyargs  # type: ignore[misc]
    return {k: v for k, v in config.items() if k in names or k in keyword_only}


class FunctionOperation(Operation):
    """A function of `pronghorn.ops` as an operation of a functional graph.

    Every function has its own subclass, named like it (`ops.not_equal`: `NotEqual`). Keyword
    arguments of the constructor are arguments of the function that the calls do not give.
    """

    function: Callable[..., Any]

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name)
        self.arguments = kwargs

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return type(self).function(*args, **{**self.arguments, **kwargs})

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        function = type(self).function
        if self.arguments:
            kwargs = {**self.arguments, **kwargs}
        return compute_output_spec(function, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, **self.arguments}

    def __reduce__(self) -> Any:
        function = type(self).function
        place = (function.__module__, function.__qualname__)
        return (_restore_operation, place, self.__getstate__())


@functools.cache
def function_operation(function: Callable[..., Any]) -> type[FunctionOperation]:
    """Returns the class of operations that call `function`."""
    name = to_camel_case(function.__name__)
    return type(
        name,
        (FunctionOperation,),
        {"function": staticmethod(function), "__module__": "pronghorn.ops"},
    )


def _restore_operation(module: str, qualified_name: str) -> FunctionOperation:
    function: Any = importlib.import_module(module)
    for name in qualified_name.split("."):
        function = getattr(function, name)
    cls = function_operation(getattr(function, "_op_function", function))
    restored: FunctionOperation = cls.__new__(cls)
    return restored


def call_function(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Calls `function`, as an operation of a functional graph if a KerasTensor is given to it."""
    if any_symbolic_tensors(args, kwargs):
        operation = function_operation(function)(name=auto_name(function.__name__))
        return operation.symbolic_call(*args, **kwargs)
    return function(*args, **kwargs)


def op(function: F) -> F:
    """Decorator of the functions of `pronghorn.ops`: makes them take KerasTensors too.

    The function is called as it is unless there is a KerasTensor among its arguments (or in a
    list, tuple or dict among them). Then the call is recorded as a node of a functional graph and
    KerasTensors are returned.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for x in args:
            cls = type(x)
            if cls is Tensor:
                continue
            if cls is KerasTensor or (
                isinstance(x, _MAY_CONTAIN_TENSORS) and any_symbolic_tensors(x)
            ):
                return call_function(function, args, kwargs)
        for x in kwargs.values():
            if isinstance(x, _MAY_CONTAIN_TENSORS) and any_symbolic_tensors(x):
                return call_function(function, args, kwargs)
        return function(*args, **kwargs)

    wrapper._op_function = function  # type: ignore[attr-defined]
    return wrapper  # type: ignore[return-value]
