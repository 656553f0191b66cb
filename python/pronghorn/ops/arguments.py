"""How ops take their arguments and call the core: conversion, dtype promotion, axes, shapes.

Every function here works on eager and traced tensors alike, as all of them end in `_core.apply`.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pronghorn import _core
from pronghorn import dtypes as _dtypes
from pronghorn.ops.symbolic import get_symbolic_scope, in_symbolic_scope
from pronghorn.tensor import Tensor, convert_to_tensor
from pronghorn.trace import current_trace

#: What an op takes for a tensor: a Tensor, a Variable, a KerasTensor, an array, a scalar or a list.
TensorLike = Any

_SCALARS = (bool, int, float)


def apply(name: str, *inputs: Tensor, **attrs: Any) -> Tensor:
    """Calls an op of the core that has one output, on tensors that have the dtypes it wants."""
    return _core.apply(name, list(inputs), attrs)  # type: ignore[no-any-return]


def apply_many(name: str, *inputs: Tensor, **attrs: Any) -> tuple[Tensor, ...]:
    """Calls an op of the core that has several outputs."""
    return tuple(_core.apply(name, list(inputs), attrs))


def as_tensor(x: TensorLike, dtype: str | None = None) -> Tensor:
    """Returns `x` as a tensor, cast if a dtype is given and differs."""
    if type(x) in _SCALARS:
        if x == 0 and math.copysign(1.0, x) < 0.0:  # -0.0, which is 0.0 as a key
            return convert_to_tensor(x, dtype)
        return _scalar(x, dtype)
    found = x if type(x) is Tensor else _converted(x, dtype)
    if dtype is None or found.dtype == dtype:
        return found
    return apply("cast", found, dtype=dtype)


@functools.lru_cache(maxsize=1024, typed=True)
def _scalar(x: float, dtype: str | None) -> Tensor:
    return convert_to_tensor(x, dtype)


def _converted(x: Any, dtype: str | None) -> Tensor:
    if dtype == "bool":  # data becomes bool by `!= 0`, in the core
        dtype = None
    if hasattr(x, "_read"):  # a Variable
        return convert_to_tensor(x)
    return convert_to_tensor(x, dtype)


def dtype_of(x: Any) -> Any:
    """Returns the dtype of an argument: the Python type for Python scalars, which are weak."""
    if type(x) in _SCALARS:
        return type(x)
    return getattr(x, "dtype", None) or as_tensor(x).dtype


def promote(*xs: TensorLike) -> list[Tensor]:
    """Returns tensors of one dtype, the one that `result_type` gives for them."""
    first = xs[0]
    if type(first) is Tensor:
        for x in xs:
            if type(x) is not Tensor or x.dtype != first.dtype:
                break
        else:
            return list(xs)
    converted = [x if type(x) in _SCALARS else as_tensor(x) for x in xs]
    dtype = _dtypes.result_type(*(dtype_of(x) for x in converted))
    return [as_tensor(x, dtype) for x in converted]


def promote_to_float(*xs: TensorLike) -> list[Tensor]:
    """Returns tensors of one float dtype; integers become `config.floatx()`."""
    converted = [x if type(x) in _SCALARS else as_tensor(x) for x in xs]
    dtype = _dtypes.result_type(*(dtype_of(x) for x in converted), float)
    return [as_tensor(x, dtype) for x in converted]


def as_float(x: TensorLike) -> Tensor:
    """Returns a tensor of a float dtype; integers become `config.floatx()`."""
    found = as_tensor(x)
    if found.dtype in _dtypes.FLOAT_DTYPES:
        return found
    return as_tensor(found, _dtypes.result_type(found.dtype, float))


def as_number(x: TensorLike, dtype: str = "int32") -> Tensor:
    """Returns a tensor that is not bool: bools become 0 and 1."""
    x = as_tensor(x)
    return as_tensor(x, dtype) if x.dtype == "bool" else x


def sum_dtype(dtype: str) -> str:
    """Returns the dtype that sums of a dtype have: 32 bits wide for integers, int32 for bool."""
    if dtype in _dtypes.FLOAT_DTYPES or dtype == "int64":
        return dtype
    return "uint32" if dtype.startswith("uint") else "int32"


def is_float(x: Tensor) -> bool:
    """Returns whether a tensor has a float dtype."""
    return x.dtype in _dtypes.FLOAT_DTYPES


def scalar_like(value: float, x: Tensor) -> Tensor:
    """Returns a scalar tensor of the dtype of `x`."""
    return as_tensor(value, x.dtype)


def normalize_axis(axis: Any, ndim: int, name: str) -> int:
    """Returns a dimension number counted from the front.

    Raises:
        ValueError: if it is out of range.
    """
    number = operator.index(axis)
    if not -ndim <= number < ndim:
        raise ValueError(
            f"{name}: axis {axis} is out of bounds for a tensor of {ndim} dimensions. "
            f"Received: axis={axis}."
        )
    return number + ndim if number < 0 else number


def normalize_axes(axis: Any, ndim: int, name: str) -> list[int]:
    """Returns distinct dimension numbers counted from the front, all of them for `None`.

    Raises:
        ValueError: if one is out of range or repeated.
    """
    if axis is None:
        return list(range(ndim))
    given = list(axis) if isinstance(axis, (tuple, list)) else [axis]
    axes = [normalize_axis(a, ndim, name) for a in given]
    if len(set(axes)) != len(axes):
        raise ValueError(f"{name}: axes must differ from each other. Received: axis={axis}.")
    return axes


def static_shape(shape: Any, name: str) -> list[int]:
    """Returns a shape given as an int or a sequence as a list of ints.

    Raises:
        ValueError: if a size is `None` or depends on a traced value.
    """
    if isinstance(shape, (Tensor, np.ndarray)):
        shape = np.asarray(concrete(shape, name, "shape")).tolist()
    sizes = list(shape) if isinstance(shape, Sequence) else [shape]
    found = []
    for size in sizes:
        if size is None:
            raise ValueError(f"{name}: sizes must be known. Received: shape={shape}.")
        found.append(int(size) if isinstance(size, (Tensor, np.ndarray)) else operator.index(size))
    return found


def broadcast_shapes(name: str, *shapes: Sequence[int]) -> list[int]:
    """Returns the shape that shapes broadcast to.

    Raises:
        ValueError: if they do not.
    """
    try:
        return list(np.broadcast_shapes(*(tuple(s) for s in shapes)))
    except ValueError:
        shown = ", ".join(str(tuple(s)) for s in shapes)
        raise ValueError(f"{name}: shapes must broadcast. Received: shapes={shown}.") from None


def concrete(
    x: TensorLike, name: str, argument: str = "x", decides_shape: bool = False
) -> np.ndarray:
    """Returns the values of an argument as an array.

    Where only shapes are asked for (`KerasTensor`s), ones stand for values that do not decide them.

    Raises:
        ValueError: if the argument is symbolic, that is if its values are not known yet.
    """
    if isinstance(x, np.ndarray):
        return x
    found = as_tensor(x)
    if found.is_symbolic and in_symbolic_scope() and not decides_shape:
        dtype = "float32" if found.dtype == "bfloat16" else found.dtype
        return np.ones(found.shape, dtype)
    if found.is_symbolic:
        raise ValueError(
            f"{name}: the values of `{argument}` must be known, so this cannot be part of a traced "
            f"function (a model, `fit`). Received: {argument}={found!r}."
        )
    return np.asarray(found.numpy())


def any_unknown(sizes: Iterable[int]) -> bool:
    """Returns whether one of the sizes stands for an unknown one while shapes are inferred."""
    scope = get_symbolic_scope()
    if scope is None or scope.fill is None:
        return False
    return any(n and n % scope.fill == 0 for n in sizes)


def placeholder(shape: Sequence[int], x: Tensor, *others: Tensor) -> Tensor | None:
    """Returns zeros of a shape if a tensor has an unknown size that may well make it valid."""
    scope = get_symbolic_scope()
    if scope is None or scope.fill is None:
        return None
    if not any(n % scope.fill == 0 for t in (x, *others) for n in t.shape if n):
        return None
    trace = current_trace()
    if trace is not None and trace.shapes_only:  # takes no memory, whatever the shape
        return trace.input(shape, x.dtype)
    zero = as_tensor(False if x.dtype == "bool" else 0, x.dtype)
    return apply("broadcast_to", zero, shape=list(shape))


def per_dimension(value: Any, n: int, name: str, argument: str) -> list[int]:
    """Returns `n` positive ints from one int or a sequence of `n` (or 1) of them.

    Raises:
        ValueError: if the count is wrong or one is not positive.
    """
    values = list(value) if isinstance(value, (tuple, list)) else [value] * n
    if len(values) == 1:
        values = values * n
    wrong_type = any(isinstance(v, (bool, float)) or v is None for v in values)
    if len(values) != n or wrong_type or any(int(v) < 1 for v in values):
        raise ValueError(
            f"{name}: `{argument}` must be a positive integer or {n} of them. "
            f"Received: {argument}={value}."
        )
    return [int(v) for v in values]
