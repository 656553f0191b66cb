"""Elementwise functions of KerasTensors: their shapes broadcast, unknown sizes included."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.ops.operation import function_operation, op
from pronghorn.ops.symbolic import compute_output_spec

F = TypeVar("F", bound=Callable[..., Any])
Shape = tuple[int | None, ...]


def broadcasting_op(function: F) -> F:
    """Like `op`, for a function whose tensors broadcast to the shape of its result.

    The parameters without a default are the tensors. Tracing with a stand-in for unknown sizes
    cannot tell (None, 3) and (2, 3) from shapes that do not broadcast; here the rule is applied.
    """
    parameters = list(inspect.signature(function).parameters.values())
    tensors = [p.name for p in parameters if p.default is p.empty or p.name in ("x1", "x2")]
    names = [p.name for p in parameters]

    def spec(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = {**self.arguments, **dict(zip(names, args)), **kwargs}
        shapes = [_shape(given[n]) for n in tensors if given.get(n) is not None]
        if all(n is not None for s in shapes for n in s):
            return compute_output_spec(function, *args, **{**self.arguments, **kwargs})
        shape = broadcast(function.__name__, shapes)
        scalars = {n: _scalar(given[n]) if n in tensors else v for n, v in given.items()}
        found = compute_output_spec(function, **scalars)
        return KerasTensor(shape, found.dtype)

    function_operation(function).compute_output_spec = spec  # type: ignore[method-assign]
    return op(function)


def _shape(x: Any) -> Shape:
    shape = getattr(x, "shape", None)
    if shape is None:
        from pronghorn.ops.arguments import as_tensor

        shape = as_tensor(x).shape
    return tuple(shape)


def _scalar(x: Any) -> Any:
    """Returns a KerasTensor of one element with the dtype of `x`; Python scalars as they are."""
    if isinstance(x, (bool, int, float)) or x is None:
        return x
    from pronghorn.ops.arguments import as_tensor

    dtype = x.dtype if isinstance(x, KerasTensor) else as_tensor(x).dtype
    return KerasTensor((), dtype)


def broadcast(name: str, shapes: list[Shape]) -> Shape:
    """Returns the shape that shapes broadcast to; an unknown size gives way to any but 1.

    Raises:
        ValueError: if they do not broadcast.
    """
    rank = max(map(len, shapes))
    found: list[int | None] = [1] * rank
    for shape in shapes:
        for i, n in enumerate(shape, rank - len(shape)):
            if found[i] == 1 or (found[i] is None and n != 1):
                found[i] = n
            elif n not in (1, None, found[i]):
                shown = ", ".join(map(str, shapes))
                raise ValueError(f"{name}: shapes must broadcast. Received: shapes={shown}.")
    return tuple(found)
