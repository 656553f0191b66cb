"""Python's operators on tensors and variables: each is a function of `pronghorn.ops`."""

from __future__ import annotations

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
UNARY = {"neg": "negative", "abs": "absolute", "invert": "bitwise_not", "round": "round"}


def install(cls: type, ops: Any) -> None:
    """Gives `cls` the operators, as calls of the functions of the module `ops`."""
    for operator, name in BINARY.items():
        function = getattr(ops, name)
        setattr(cls, f"__{operator}__", _binary(function))
        setattr(cls, f"__r{operator}__", _reflected(function))
    for operator, name in COMPARE.items():
        setattr(cls, f"__{operator}__", _binary(getattr(ops, name)))
    for operator, name in UNARY.items():
        setattr(cls, f"__{operator}__", _unary(getattr(ops, name)))
    setattr(cls, "__hash__", object.__hash__)  # comparison gives a tensor: identity is the key
    setattr(cls, "__array_priority__", 100)  # NumPy leaves mixed operations to the tensor


def _binary(function: Any) -> Any:
    return lambda self, other: NotImplemented if other is None else function(self, other)


def _reflected(function: Any) -> Any:
    return lambda self, other: NotImplemented if other is None else function(other, self)


def _unary(function: Any) -> Any:
    return lambda self, *args: function(self, *args)
