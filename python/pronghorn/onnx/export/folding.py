"""ONNX operators on constants, computed as a graph is written: weights, what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_MOST_BYTES = 1 << 16  # of a result that is larger than its operands


def _reshape(x: Any, shape: Any, allowzero: int = 0) -> Any:
    sizes = [int(n) for n in shape]
    if not allowzero:
        sizes = [x.shape[i] if n == 0 else n for i, n in enumerate(sizes)]
    return x.reshape(sizes)


def _slice(x: Any, starts: Any, ends: Any, axes: Any, steps: Any) -> Any:
    where = [slice(None)] * x.ndim
    for start, end, axis, step in zip(*(a.tolist() for a in (starts, ends, axes, steps))):
        if step < 0:
            return None
        where[axis] = slice(start, min(end, x.shape[axis]), step)
    return np.ascontiguousarray(x[tuple(where)])


def _cast(x: Any, to: str) -> Any:
    with np.errstate(all="ignore"):
        return round_to(x, to) if to in ("float16", "bfloat16") else x.astype(to)


def round_to(x: Any, dtype: str) -> Any:
    """Returns float32 values rounded to float16 or bfloat16, as float32."""
    x = np.asarray(x, np.float32)
    if dtype == "float16":
        with np.errstate(over="ignore"):
            return x.astype(np.float16).astype(np.float32)
    bits = np.ascontiguousarray(x).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(
        0xFFFF0000
    )
    return np.where(np.isfinite(x), rounded.view(np.float32), x).astype(np.float32)


_FOLDED: dict[str, Callable[..., Any]] = {
    "Reshape": _reshape,
    "Transpose": lambda x, perm: np.ascontiguousarray(x.transpose(perm)),
    "Slice": _slice,
    "Concat": lambda *xs, axis: np.concatenate(xs, axis),
    "Unsqueeze": lambda x, axes: np.expand_dims(x, tuple(axes.tolist())),
    "Squeeze": lambda x, axes: np.squeeze(x, tuple(axes.tolist())),
    "Expand": lambda x, shape: np.ascontiguousarray(
        np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(shape.tolist())))
    ),
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Neg": np.negative,
    "Sqrt": np.sqrt,
    "Reciprocal": lambda x: np.float32(1) / x,
    "Exp": np.exp,
    "Abs": np.abs,
    "Equal": np.equal,
    "Less": np.less,
    "Greater": np.greater,
    "LessOrEqual": np.less_equal,
    "GreaterOrEqual": np.greater_equal,
    "And": np.logical_and,
    "Or": np.logical_or,
    "Not": np.logical_not,
    "Where": np.where,
    "Gather": lambda x, indices, axis=0: np.take(x, indices, axis),
}


def fold(op: str, operands: list[Any], attrs: dict[str, Any]) -> Any:
    """Returns what an operator gives for arrays, or None where it is left to the file's reader."""
    if op == "Cast":
        return _cast(operands[0], attrs["to"])
    function = _FOLDED.get(op)
    if function is None or (op == "Div" and operands[0].dtype.kind != "f"):
        return None
    with np.errstate(all="ignore"):
        try:
            result = function(*operands, **attrs)
        except (ValueError, IndexError):
            return None
    if result is None:
        return None
    result = np.asarray(result)
    if result.nbytes > max(_MOST_BYTES, 2 * sum(x.nbytes for x in operands)):
        return None
    return result
