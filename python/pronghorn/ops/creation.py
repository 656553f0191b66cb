"""New tensors: zeros, ones, ranges, identities and the like."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import config, dtypes
from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_tensor,
    concrete,
    dtype_of,
    static_shape,
)
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor, convert_to_tensor
from pronghorn.trace import recorded


def filled(shape: Any, value: TensorLike, dtype: str, name: str) -> Tensor:
    """Returns a tensor of a shape, every element being `value`."""
    sizes = static_shape(shape, name)
    if dtype == "bool" and isinstance(value, (int, float)):
        value = bool(value)
    return recorded(apply("broadcast_to", as_tensor(as_tensor(value), dtype), shape=sizes))


def _dtype(dtype: Any) -> str:
    return dtypes.tensor_dtype(config.floatx() if dtype is None else dtype)


@op
def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """Returns a tensor of zeros.

    Args:
        shape: its shape.
        dtype: its dtype; by default `config.floatx()`.

    Returns:
        A tensor.

    Example:

    >>> ops.zeros((2,)).numpy()
    array([0., 0.], dtype=float32)
    """
    return filled(shape, 0, _dtype(dtype), "zeros")


@op
def ones(shape: Any, dtype: Any = None) -> Tensor:
    """Returns a tensor of ones.

    Args:
        shape: its shape.
        dtype: its dtype; by default `config.floatx()`.

    Returns:
        A tensor.

    Example:

    >>> ops.ones((2,)).numpy()
    array([1., 1.], dtype=float32)
    """
    return filled(shape, 1, _dtype(dtype), "ones")


@op
def empty(shape: Any, dtype: Any = None) -> Tensor:
    """Returns a tensor whose values do not matter; they are zeros.

    Args:
        shape: its shape.
        dtype: its dtype; by default `config.floatx()`.

    Returns:
        A tensor.

    Example:

    >>> ops.empty((2,)).shape
    (2,)
    """
    return filled(shape, 0, _dtype(dtype), "empty")


@op
def full(shape: Any, fill_value: TensorLike, dtype: Any = None) -> Tensor:
    """Returns a tensor of one value.

    Args:
        shape: its shape.
        fill_value: the value; a scalar or a tensor that broadcasts to the shape.
        dtype: its dtype; by default `config.floatx()`.

    Returns:
        A tensor.

    Example:

    >>> ops.full((2,), 3).numpy()
    array([3., 3.], dtype=float32)
    """
    return filled(shape, fill_value, _dtype(dtype), "full")


def _like(x: TensorLike, value: TensorLike, dtype: Any, name: str) -> Tensor:
    x = as_tensor(x)
    return filled(x.shape, value, x.dtype if dtype is None else _dtype(dtype), name)


@op
def zeros_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Returns zeros of the shape of a tensor.

    Args:
        x: a tensor.
        dtype: the dtype; by default that of `x`.

    Returns:
        A tensor.

    Example:

    >>> ops.zeros_like([1, 2]).numpy()
    array([0, 0], dtype=int32)
    """
    return _like(x, 0, dtype, "zeros_like")


@op
def ones_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Returns ones of the shape of a tensor.

    Args:
        x: a tensor.
        dtype: the dtype; by default that of `x`.

    Returns:
        A tensor.

    Example:

    >>> ops.ones_like([1, 2]).numpy()
    array([1, 1], dtype=int32)
    """
    return _like(x, 1, dtype, "ones_like")


@op
def empty_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Returns a tensor of the shape of another one whose values do not matter; they are zeros.

    Args:
        x: a tensor.
        dtype: the dtype; by default that of `x`.

    Returns:
        A tensor.

    Example:

    >>> ops.empty_like([1, 2]).shape
    (2,)
    """
    return _like(x, 0, dtype, "empty_like")


@op
def full_like(x: TensorLike, fill_value: TensorLike, dtype: Any = None) -> Tensor:
    """Returns a tensor of the shape of another one and of one value.

    Args:
        x: a tensor.
        fill_value: the value; a scalar or a tensor that broadcasts to the shape.
        dtype: the dtype; by default that of `x`.

    Returns:
        A tensor.

    Example:

    >>> ops.full_like([1, 2], 7).numpy()
    array([7, 7], dtype=int32)
    """
    return _like(x, fill_value, dtype, "full_like")


def from_numpy(values: np.ndarray, dtype: str) -> Tensor:
    """Returns a tensor of any dtype with the values of an array."""
    if dtype == "bfloat16":
        return recorded(as_tensor(convert_to_tensor(values.astype(np.float32)), dtype))
    return recorded(convert_to_tensor(values.astype(dtype)))


@op
def arange(
    start: TensorLike, stop: TensorLike = None, step: TensorLike = None, dtype: Any = None
) -> Tensor:
    """Returns numbers at equal distances, from `start` to before `stop`.

    Args:
        start: the first number; the end, from 0 on, if `stop` is `None`.
        stop: the end, which is not included.
        step: the distance, 1 by default.
        dtype: the dtype; by default that of the arguments.

    Returns:
        A vector.

    Example:

    >>> ops.arange(3).numpy()
    array([0, 1, 2], dtype=int32)
    """
    given = [a for a in (start, stop, step) if a is not None]
    if dtype is None:
        name = dtypes.result_type(*(dtype_of(a) for a in given))
        name = "int32" if name == "bool" else name
    else:
        name = dtypes.tensor_dtype(dtype)
    first, last, by = (
        a if a is None or isinstance(a, (int, float)) else concrete(a, "arange", "start").item()
        for a in (start, stop, step)
    )
    if last is None:
        first, last = 0, first
    step_by: Any = 1 if by is None else by
    values: Any = np.arange(first, last, step_by)  # type: ignore[arg-type]
    return from_numpy(values, name)


@op
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Returns a matrix with ones on a diagonal and zeros elsewhere.

    Args:
        N: the number of rows.
        M: the number of columns; by default `N`.
        k: which diagonal; above the main one if positive.
        dtype: the dtype; by default `config.floatx()`.

    Returns:
        A matrix.

    Raises:
        TypeError: if a size is not an integer.

    Example:

    >>> ops.eye(2).numpy()
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    rows, columns, k = (
        _int(N, "eye", "N"),
        _int(N if M is None else M, "eye", "M"),
        _int(k, "eye", "k"),
    )
    return from_numpy(np.eye(rows, columns, k), _dtype(dtype))


def _int(value: Any, name: str, argument: str) -> int:
    if isinstance(value, float) or "float" in str(getattr(value, "dtype", "")):
        raise TypeError(
            f"Argument `{argument}` must be an integer or an integer tensor in {name}. "
            f"Received: {argument}={value}."
        )
    return int(value)


@op
def identity(n: int, dtype: Any = None) -> Tensor:
    """Returns a square matrix with ones on the main diagonal and zeros elsewhere.

    Args:
        n: the number of rows.
        dtype: the dtype; by default `config.floatx()`.

    Returns:
        A matrix.

    Example:

    >>> ops.identity(2).numpy()
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return from_numpy(np.eye(_int(n, "identity", "n")), _dtype(dtype))


@op
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Returns a matrix with ones on and below a diagonal and zeros above.

    Args:
        N: the number of rows.
        M: the number of columns; by default `N`.
        k: which diagonal; above the main one if positive.
        dtype: the dtype; by default `config.floatx()`.

    Returns:
        A matrix.

    Example:

    >>> ops.tri(2).numpy()
    array([[1., 0.],
           [1., 1.]], dtype=float32)
    """
    rows, columns = _int(N, "tri", "N"), _int(N if M is None else M, "tri", "M")
    return from_numpy(np.tri(rows, columns, k), _dtype(dtype))


def _space_dtype(start: TensorLike, stop: TensorLike, dtype: Any) -> str:
    if dtype is not None:
        return dtypes.tensor_dtype(dtype)
    return dtypes.result_type(dtype_of(start), dtype_of(stop), float)


def _ends(start: TensorLike, stop: TensorLike, name: str) -> tuple[np.ndarray, np.ndarray]:
    first = np.asarray(concrete(start, name, "start"), np.float64)
    return first, np.asarray(concrete(stop, name, "stop"), np.float64)


@op
def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Returns a number of values at equal distances.

    Args:
        start: the first value; a scalar or a tensor.
        stop: the last value.
        num: how many.
        endpoint: whether `stop` is included.
        retstep: whether to return the distance too.
        dtype: the dtype; by default a float one.
        axis: where the values are in the result, for tensors.

    Returns:
        A tensor, or a pair of the tensor and the distance.

    Raises:
        ValueError: if `num` is negative.

    Example:

    >>> ops.linspace(0.0, 1.0, 3).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    if num < 0:
        raise ValueError(f"`num` must be a non-negative integer. Received: num={num}.")
    name = _space_dtype(start, stop, dtype)
    first, last = _ends(start, stop, "linspace")
    values, step = np.linspace(first, last, num, endpoint=endpoint, retstep=True, axis=axis)
    if "int" in name:
        values = np.floor(values)
    found = from_numpy(values, name)
    return (found, from_numpy(np.asarray(step), name)) if retstep else found


@op
def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """Returns a number of values whose logarithms are at equal distances.

    Args:
        start: the logarithm of the first value.
        stop: the logarithm of the last value.
        num: how many.
        endpoint: whether `stop` is included.
        base: the base of the logarithms.
        dtype: the dtype; by default a float one.
        axis: where the values are in the result, for tensors.

    Returns:
        A tensor.

    Raises:
        ValueError: if `num` is negative.

    Example:

    >>> ops.logspace(0.0, 2.0, 3).numpy()
    array([  1.,  10., 100.], dtype=float32)
    """
    if num < 0:
        raise ValueError(f"`num` must be a non-negative integer. Received: num={num}.")
    name = _space_dtype(start, stop, dtype)
    first, last = _ends(start, stop, "logspace")
    values = np.logspace(first, last, num, endpoint=endpoint, base=base, axis=axis)
    return from_numpy(values, name)


@op
def geomspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """Returns a number of values of which each is the same multiple of the one before.

    Args:
        start: the first value.
        stop: the last value.
        num: how many.
        endpoint: whether `stop` is included.
        dtype: the dtype; by default a float one.
        axis: where the values are in the result, for tensors.

    Returns:
        A tensor.

    Raises:
        ValueError: if `num` is negative.

    Example:

    >>> ops.geomspace(1.0, 100.0, 3).numpy()
    array([  1.,  10., 100.], dtype=float32)
    """
    if num < 0:
        raise ValueError(f"`num` must be a non-negative integer. Received: num={num}.")
    name = _space_dtype(start, stop, dtype)
    first, last = _ends(start, stop, "geomspace")
    return from_numpy(np.geomspace(first, last, num, endpoint=endpoint, axis=axis), name)


@op
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """Returns the matrix of powers of the elements of a vector.

    Args:
        x: a vector.
        N: the number of columns; by default that of the elements.
        increasing: whether powers grow from left to right.

    Returns:
        A matrix with a row for each element.

    Raises:
        ValueError: if `x` is not a vector or `N` is negative.

    Example:

    >>> ops.vander([1, 2, 3], 2).numpy()
    array([[1, 1],
           [2, 1],
           [3, 1]], dtype=int32)
    """
    x = as_tensor(x)
    if x.ndim != 1:
        raise ValueError(f"vander: expected a vector. Received: x.shape={x.shape}.")
    columns = x.shape[0] if N is None else N
    if columns < 0:
        raise ValueError(f"vander: `N` must not be negative. Received: N={N}.")
    column = apply("reshape", x, shape=[x.shape[0], 1])
    power = apply("broadcast_to", as_tensor(1, x.dtype), shape=list(column.shape))
    powers = []
    for _ in range(columns):
        powers.append(power)
        power = apply("multiply", power, column)
    if not powers:
        return filled((x.shape[0], 0), 0, x.dtype, "vander")
    if not increasing:
        powers.reverse()
    return apply("concatenate", *powers, axis=1) if columns > 1 else powers[0]
