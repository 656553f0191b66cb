"""The table of operators: each is a function from a node to the values of its outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pronghorn.onnx.importing.builder import Builder
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.values import Value

Handler = Callable[[Builder, Node], "Value | list[Value | None]"]
F = TypeVar("F", bound=Handler)

#: Operator -> what makes it. `pronghorn.onnx.importing.operators` fills it.
OPERATORS: dict[str, Handler] = {}


def operator(*names: str) -> Callable[[F], F]:
    """Decorator: the function makes the operators `names`.

    Args:
        *names: Names of operators of the default operator set.
    """

    def enter(function: F) -> F:
        for name in names:
            OPERATORS[name] = function
        return function

    return enter
