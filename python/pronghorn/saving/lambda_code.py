"""Python lambdas as text: code, defaults and closure, and back. Restoring one runs its code."""

from __future__ import annotations

import base64
import marshal
import types
from collections.abc import Callable
from typing import Any


def dump_function(function: types.FunctionType) -> tuple[str, Any, Any]:
    """Returns the code of `function` as text, its default values and the values it closes over."""
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii")
    closure = tuple(c.cell_contents for c in function.__closure__) if function.__closure__ else None
    return code, function.__defaults__, closure


def load_function(
    code: str, defaults: Any = None, closure: Any = None, namespace: dict[str, Any] | None = None
) -> Callable[..., Any]:
    """Returns the function of `dump_function`. Callers must have checked the safe mode.

    Args:
        code: Text of the code.
        defaults: Default values of the arguments.
        closure: Values that the function closes over.
        namespace: The function's globals.

    Returns:
        A function.
    """
    raw = marshal.loads(base64.decodebytes(code.encode("ascii")))
    if not isinstance(raw, types.CodeType):
        raise TypeError(f"lambda: expected marshalled Python code. Received: {type(raw)}.")
    cells = tuple(types.CellType(value) for value in closure) if closure is not None else None
    if isinstance(defaults, list):
        defaults = tuple(defaults)
    return types.FunctionType(
        raw,
        namespace if namespace is not None else {"__builtins__": __builtins__},
        argdefs=defaults,
        closure=cells,
    )
