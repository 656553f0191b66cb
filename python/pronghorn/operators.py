"""Python's operators on tensors and variables: each is a function of `pronghorn.ops`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

#: Operator -> the function of pronghorn.ops that it calls.
BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "pow": "power",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "left_shift",
    "rshift": "right_shift",
}
COMPARE = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
UNARY = {
    "neg": "negative",
    "pos": "copy",
    "abs": "absolute",
    "invert": "bitwise_not",
    "round": "round",
}
#: What `&`, `|` and `^` mean for variables, as in Keras: logic, whatever the dtype.
LOGICAL_BINARY = {"and": "logical_and", "or": "logical_or", "xor": "logical_xor"}

_functions: dict[str, Callable[..., Any]] = {}


def install(cls: type, logical: bool = False) -> None:
    """Gives `cls` the operators. `pronghorn.ops` is imported when the first one is used.

    Args:
        cls: The class.
        logical: Whether `&`, `|` and `^` are logical instead of bitwise.
    """
    binary = {**BINARY, **(LOGICAL_BINARY if logical else {})}
    for operator, name in binary.items():
        setattr(cls, f"__{operator}__", _binary(name))
        setattr(cls, f"__r{operator}__", _reflected(name))
    for operator, name in COMPARE.items():
        setattr(cls, f"__{operator}__", _binary(name))
    for operator, name in UNARY.items():
        setattr(cls, f"__{operator}__", _unary(name))
    attributes = {
        "__hash__": object.__hash__,  # comparison gives a tensor: identity is the key
        "__array_priority__": 100,  # NumPy leaves mixed operations to the tensor
    }
    for attribute, value in attributes.items():
        setattr(cls, attribute, value)


def _function(name: str) -> Callable[..., Any]:
    found = _functions.get(name)
    if found is None:
        found = _functions[name] = getattr(import_module("pronghorn.ops"), name)
    return found


def _binary(name: str) -> Any:
    return lambda self, other: NotImplemented if other is None else _function(name)(self, other)


def _reflected(name: str) -> Any:
    return lambda self, other: NotImplemented if other is None else _function(name)(other, self)


def _unary(name: str) -> Any:
    return lambda self, *args: _function(name)(self, *args)
