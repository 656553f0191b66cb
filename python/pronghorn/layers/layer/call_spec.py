"""The arguments of a layer call by name, which of them are tensors, and the shapes for `build`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from pronghorn import tree
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.tensor import Tensor
from pronghorn.variable import Variable

TENSOR_TYPES = (Tensor, KerasTensor, Variable)
_PLAIN_TYPES = frozenset({bool, int, float, str, type(None)})


class CallSignature:
    """Facts about the signature of a layer's `call`, worked out once per function.

    Args:
        call: The function.
        unbound: Whether its first parameter is the layer.
    """

    def __init__(self, call: Callable[..., Any], unbound: bool) -> None:
        signature = inspect.signature(call)
        parameters = list(signature.parameters.values())
        if unbound and parameters and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
            parameters = parameters[1:]
        self.signature = signature.replace(parameters=parameters)
        self.names = [p.name for p in parameters]
        self.name_set = frozenset(self.names)
        self.defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        self.has_training = "training" in self.name_set
        self.has_mask = "mask" in self.name_set
        positional = (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )
        # The common case `layer(x)` needs no general binding of arguments.
        self.first_name = (
            parameters[0].name if parameters and parameters[0].kind in positional else None
        )
        self.rest_optional = all(
            p.default is not p.empty
            or p.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
            for p in parameters[1:]
        )
        self.variadic = any(
            p.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
            for p in parameters
        )
        self.simple = self.first_name is not None and self.rest_optional and not self.variadic


@functools.cache
def call_signature(call: Callable[..., Any]) -> CallSignature:
    """Returns the `CallSignature` of the method `call` as a class has it."""
    return CallSignature(call, unbound=True)


class CallSpec:
    """The arguments of one layer call.

    `arguments` and `user_arguments` hold the values by name, with and without the defaults;
    `tensor_arguments` those that are tensors or structures of them; `first_arg` the first of all;
    `eager` tells that no KerasTensor is among them.

    Args:
        signature: Signature of the layer's `call`.
        args: Positional arguments.
        kwargs: Keyword arguments. `None` tensors are allowed.
    """

    def __init__(
        self, signature: CallSignature, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        if signature.simple and len(args) == 1 and kwargs.keys() <= signature.name_set:
            first = signature.first_name
            assert first is not None
            if first in kwargs:
                raise TypeError(f"multiple values for argument '{first}'")
            self.user_arguments: dict[str, Any] = {first: args[0], **kwargs}
            self.arguments: dict[str, Any] = {**self.user_arguments}
            for name, value in signature.defaults.items():
                self.arguments.setdefault(name, value)
        else:
            # Arguments that the context supplies are not `call`'s business when it lacks them.
            if "training" in kwargs and not signature.has_training and not signature.variadic:
                kwargs = {k: v for k, v in kwargs.items() if k != "training"}
            bound = signature.signature.bind(*args, **kwargs)
            self.user_arguments = _expand_variadic(signature, bound.arguments)
            bound.apply_defaults()
            self.arguments = _expand_variadic(signature, bound.arguments)
        self.first_arg = next(iter(self.arguments.values()), None)
        self.tensor_arguments: dict[str, Any] = {}
        self.eager = True
        for name, value in self.arguments.items():
            if isinstance(value, TENSOR_TYPES):
                self.tensor_arguments[name] = value
                if isinstance(value, KerasTensor):
                    self.eager = False
            elif type(value) not in _PLAIN_TYPES and tree.is_nested(value) and len(value) > 0:
                self._add_nested(name, value)

    def _add_nested(self, name: str, value: Any) -> None:
        leaves = tree.flatten(value)
        are_tensors = [isinstance(x, TENSOR_TYPES) for x in leaves]
        if not any(are_tensors):
            return
        if not all(t or x is None for t, x in zip(are_tensors, leaves)):
            raise ValueError(
                "In a nested call() argument, you cannot mix tensors and non-tensors. "
                f"Received invalid mixed argument: {name}={value}"
            )
        self.tensor_arguments[name] = value
        if any(isinstance(x, KerasTensor) for x in leaves):
            self.eager = False


def _expand_variadic(signature: CallSignature, bound: Any) -> dict[str, Any]:
    if not signature.variadic:
        return dict(bound)
    arguments: dict[str, Any] = {}
    for name, value in bound.items():
        if signature.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            arguments.update(value)
        else:
            arguments[name] = value
    return arguments


def shape_of(x: Any) -> Any:
    """Returns the shapes of the tensors in the structure `x`, `None` for what is no tensor."""
    if isinstance(x, TENSOR_TYPES):
        return tuple(x.shape)
    return tree.map_structure(lambda t: tuple(t.shape) if hasattr(t, "shape") else None, x)


def shapes_by_argument(spec: CallSpec) -> dict[str, Any]:
    """Returns `{"<argument>_shape": shape}` for the tensor arguments, masks left out."""
    arguments = spec.arguments
    return {
        f"{name}_shape": shape_of(value)
        for name, value in spec.tensor_arguments.items()
        if name != "mask" and not (name.endswith("_mask") and name[:-5] in arguments)
    }


@functools.cache
def _parameter_names(function: Any) -> tuple[tuple[str, ...], bool]:
    """Returns the names of the parameters, and whether `**kwargs` are taken."""
    parameters = list(inspect.signature(function).parameters.values())
    names = tuple(
        p.name
        for p in parameters
        if p.kind
        in (
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            inspect.Parameter.KEYWORD_ONLY,
            inspect.Parameter.POSITIONAL_ONLY,
        )
    )
    return names, any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)


def shape_arguments_for(
    method: Callable[..., Any], shapes: dict[str, Any], spec: CallSpec, class_name: str
) -> dict[str, Any]:
    """Returns those of `shapes` that the bound `method` (`build`, ...) takes, under its names.

    Args:
        method: Bound method whose arguments are shapes.
        shapes: What `shapes_by_argument` gave.
        spec: The call's arguments.
        class_name: Class of the layer, for errors.

    Raises:
        ValueError: The method has several arguments and their names do not match those of `call`.
    """
    if is_default_shape_method(method):
        return {}
    names, takes_any = _parameter_names(getattr(method, "__func__", method))
    if inspect.ismethod(method):
        names = names[1:]
    if takes_any:
        return dict(shapes)
    if len(names) == 1:
        return {names[0]: next(iter(shapes.values()))} if shapes else {}
    method_name = method.__name__
    for name in names:
        if not name.endswith("_shape"):
            raise ValueError(
                f"For a `{method_name}()` method with more than one argument, all arguments "
                "should have a `_shape` suffix and match an argument from `call()`. E.g. "
                f"`{method_name}(self, foo_shape, bar_shape)`. For layer '{class_name}', "
                f"received `{method_name}()` argument `{name}`, which does not end in `_shape`."
            )
    known = {name: shapes[name] for name in names if name in shapes}
    optional = _optional_names(getattr(method, "__func__", method))
    for name in names:
        if name in known or name in optional:
            continue
        argument = name.removesuffix("_shape")
        if argument not in spec.arguments:
            raise ValueError(
                f"For layer '{class_name}', received `{method_name}()` argument `{name}`, but "
                f"`call()` does not have argument `{argument}`."
            )
        known[name] = None
    return known


def is_default_shape_method(method: Any) -> bool:
    """Returns whether `method` is the base class's own."""
    return getattr(method, "_is_default", False)


@functools.cache
def _optional_names(function: Any) -> frozenset[str]:
    return frozenset(
        p.name
        for p in inspect.signature(function).parameters.values()
        if p.default is not inspect.Parameter.empty
    )
