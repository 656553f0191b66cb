"""Shape and dtype inference for KerasTensors: the operation is traced, nothing is computed.

Unknown dimensions are given a size; a second trace with another size tells which dimensions of the
outputs depend on them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pronghorn import tree
from pronghorn.ops.keras_tensor import KerasTensor

if TYPE_CHECKING:
    from typing_extensions import Self

# Sizes that stand for None. Both can be divided by every power of two up to 32, so that reshapes
# and strides go through, and they stay apart after a division by such a stride.
FILL_SIZES = (96, 160)


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.stack: list[SymbolicScope] = []


_scopes = _Scopes()


class SymbolicScope:
    """Context manager in which only shapes and dtypes are worked out.

    Losses added by layers in it are dropped.

    Args:
        fill: Size that stands for unknown dimensions, if there are any.
    """

    def __init__(self, fill: int | None = None) -> None:
        self.fill = fill

    def __enter__(self) -> Self:
        _scopes.stack.append(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        _scopes.stack.pop()


def in_symbolic_scope() -> bool:
    """Returns whether this thread is inside a `SymbolicScope`."""
    return bool(_scopes.stack)


def get_symbolic_scope() -> SymbolicScope | None:
    """Returns the innermost `SymbolicScope` of this thread."""
    return _scopes.stack[-1] if _scopes.stack else None


def any_symbolic_tensors(args: Any = None, kwargs: Any = None) -> bool:
    """Returns whether there is a KerasTensor in the structures `args` and `kwargs`."""
    return _has_keras_tensor(args) or _has_keras_tensor(kwargs)


def _has_keras_tensor(x: Any) -> bool:
    if isinstance(x, KerasTensor):
        return True
    if isinstance(x, dict):
        x = x.values()
    elif not isinstance(x, (list, tuple)):
        return False
    return any(isinstance(e, _MAY_BE_SYMBOLIC) and _has_keras_tensor(e) for e in x)


_MAY_BE_SYMBOLIC = (KerasTensor, list, tuple, dict)


def compute_output_spec(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Returns what `fn` returns for the given arguments, as KerasTensors.

    Args:
        fn: Function of tensors. It is called once, or twice when a dimension is unknown.
        *args: Arguments; KerasTensors anywhere in them stand for tensors.
        **kwargs: Keyword arguments, alike.

    Returns:
        The structure that `fn` returns with a KerasTensor for each tensor.
    """
    inputs = [x for x in tree.flatten((args, kwargs)) if isinstance(x, KerasTensor)]
    if all(None not in x.shape for x in inputs):
        return tree.map_structure(_to_spec, _trace_outputs(fn, args, kwargs, None))
    try:
        first = _trace_outputs(fn, args, kwargs, FILL_SIZES[0])
    except Exception as e:
        e.args = tuple(_with_unknown_sizes(x) for x in e.args)
        raise
    second = _trace_outputs(fn, args, kwargs, FILL_SIZES[1])
    try:
        return tree.map_structure(_merge_spec, first, second)
    except ValueError as e:
        raise ValueError(
            f"{getattr(fn, '__name__', fn)}: the structure of the outputs depends on the size of "
            f"an unknown dimension. Received: shapes={[x.shape for x in inputs]}."
        ) from e


def _with_unknown_sizes(message: Any) -> Any:
    """Returns an error's text with `None` in shapes where a size stands for it."""
    if not isinstance(message, str):
        return message
    return re.sub(rf"(?<=[(\[ ]){FILL_SIZES[0]}(?=[,)\]])", "None", message)


def _trace_outputs(fn: Callable[..., Any], args: Any, kwargs: Any, fill: int | None) -> Any:
    from pronghorn.dtypes import tensor_dtype
    from pronghorn.trace import Trace

    with Trace(shapes_only=True) as trace, SymbolicScope(fill):

        def to_traced(x: Any) -> Any:
            if not isinstance(x, KerasTensor):
                return x
            shape = [fill if d is None else d for d in x.shape]
            traced = trace.input(shape, tensor_dtype(x.dtype))  # type: ignore[arg-type]
            mask = getattr(x, "_keras_mask", None)
            if isinstance(mask, KerasTensor):
                traced._keras_mask = to_traced(mask)
            return traced

        traced_args, traced_kwargs = tree.map_structure(to_traced, (args, kwargs))
        return tree.map_structure(_describe, fn(*traced_args, **traced_kwargs))


class _Described:
    """Shape and dtype of an output, kept after its trace is gone."""

    def __init__(self, shape: tuple[int, ...], dtype: str) -> None:
        self.shape = shape
        self.dtype = dtype


def _describe(x: Any) -> Any:
    from pronghorn.tensor import Tensor
    from pronghorn.variable import Variable

    if isinstance(x, (Tensor, Variable)):
        return _Described(tuple(x.shape), x.dtype)
    return x


def _to_spec(x: Any) -> Any:
    return KerasTensor(x.shape, x.dtype) if isinstance(x, _Described) else x


def _merge_spec(a: Any, b: Any) -> Any:
    if not isinstance(a, _Described):
        return a
    if len(a.shape) != len(b.shape):
        raise ValueError("rank depends on an unknown dimension")
    shape = tuple([m if m == n else None for m, n in zip(a.shape, b.shape)])
    return KerasTensor(shape, a.dtype)


def get_item(x: Any, key: Any) -> Any:
    """Returns `x[key]`, recorded as one operation when `x` is a KerasTensor."""
    from pronghorn.ops.operation import call_function

    return call_function(_get_item, (x, key), {})


def _get_item(x: Any, key: Any) -> Any:
    if isinstance(key, list):
        key = tuple(key)
    return x[key]


_get_item.__name__ = "get_item"
