"""Conversion between tensors, arrays and dtypes; shapes; the stop of a gradient."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn import dtypes
from pronghorn.ops.arguments import TensorLike, apply, as_tensor, concrete
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor
from pronghorn.tensor import convert_to_tensor as _convert_to_tensor


@op
def cast(x: TensorLike, dtype: Any) -> Tensor:
    """Returns the tensor with its elements converted to another dtype.

    Args:
        x: a tensor.
        dtype: the dtype; float64 gives float32.

    Returns:
        A tensor of that dtype. Floats lose their fraction in integers.

    Raises:
        ValueError: if there is no such dtype.

    Example:

    >>> ops.cast([1.7, 0.0], "int32").numpy()
    array([1, 0], dtype=int32)
    """
    return as_tensor(as_tensor(x), dtypes.tensor_dtype(dtype))


@op
def saturate_cast(x: TensorLike, dtype: Any) -> Tensor:
    """Returns the tensor converted to another dtype; what is beyond its range becomes its extreme.

    Args:
        x: a tensor.
        dtype: the dtype.

    Returns:
        A tensor of that dtype.

    Example:

    >>> ops.saturate_cast([-5.0, 300.0], "uint8").numpy()
    array([  0, 255], dtype=uint8)
    """
    x = as_tensor(x)
    name = dtypes.tensor_dtype(dtype)
    from_float, to_int = "float" in x.dtype, "int" in name
    if x.dtype in (name, "bool") or (from_float and to_int):  # such casts saturate by themselves
        return as_tensor(x, name)
    low, high = _range(name)
    own_low, own_high = _range(x.dtype)
    found: Tensor = x
    if low > own_low:
        found = apply("maximum", found, as_tensor(_inside(low, x.dtype), x.dtype))
    if high < own_high:
        found = apply("minimum", found, as_tensor(_inside(high, x.dtype), x.dtype))
    return as_tensor(found, name)


def _range(dtype: str) -> tuple[float, float]:
    if dtype == "bool":
        return 0, 1
    if dtype == "bfloat16":
        return -3.3895313892515355e38, 3.3895313892515355e38
    if "float" in dtype:
        return float(np.finfo(dtype).min), float(np.finfo(dtype).max)
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _inside(bound: float, dtype: str) -> float:
    """Returns a bound rounded towards 0 if the dtype cannot hold it exactly."""
    if dtype not in ("float16", "float32"):
        return bound
    kind = np.dtype(dtype).type
    near = kind(bound)
    return float(np.nextafter(near, kind(0)) if abs(float(near)) > abs(bound) else near)


def convert_to_tensor(
    x: TensorLike, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Any:
    """Returns a tensor with the given values.

    Args:
        x: a tensor, a Variable, an array, a scalar or a list.
        dtype: the dtype; by default that of `x`. Python floats and float64 become float32.
        sparse: must not be true: there are no sparse tensors.
        ragged: must not be true: there are no ragged tensors.

    Returns:
        A tensor; a KerasTensor for a KerasTensor.

    Raises:
        ValueError: if the values do not form a tensor, or for `sparse` or `ragged`.

    Example:

    >>> ops.convert_to_tensor([1, 2]).dtype
    'int32'
    """
    if sparse or ragged:
        raise ValueError(
            f"convert_to_tensor: tensors are dense. Received: sparse={sparse}, ragged={ragged}."
        )
    if isinstance(x, KerasTensor):
        return x if dtype is None else cast(x, dtype)
    return _convert_to_tensor(x, dtype)


def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """Returns the values of a tensor as an array.

    Args:
        x: a tensor, a Variable, an array, a scalar or a list.

    Returns:
        A NumPy array.

    Raises:
        ValueError: if the values are not known yet (a symbolic tensor).

    Example:

    >>> ops.convert_to_numpy([1.0])
    array([1.], dtype=float32)
    """
    if isinstance(x, np.ndarray):
        return np.array(x)
    return concrete(x, "convert_to_numpy")


@op
def array(x: TensorLike, dtype: Any = None) -> Tensor:
    """Returns a tensor with the given values; the same as `convert_to_tensor`.

    Args:
        x: a tensor, an array, a scalar or a list.
        dtype: the dtype; by default that of `x`.

    Returns:
        A tensor.

    Example:

    >>> ops.array([1, 2]).numpy()
    array([1, 2], dtype=int32)
    """
    return as_tensor(as_tensor(x), None if dtype is None else dtypes.tensor_dtype(dtype))


@op
def copy(x: TensorLike) -> Tensor:
    """Returns the tensor; tensors do not change, so there is nothing to copy.

    Args:
        x: a tensor.

    Returns:
        A tensor of the same values.

    Example:

    >>> ops.copy([1, 2]).numpy()
    array([1, 2], dtype=int32)
    """
    return as_tensor(x)


def is_tensor(x: Any) -> bool:
    """Returns whether `x` is a tensor, also a symbolic one.

    Args:
        x: anything.

    Returns:
        A bool.

    Example:

    >>> ops.is_tensor([1.0])
    False
    """
    return isinstance(x, Tensor)


def dtype(x: TensorLike) -> str:
    """Returns the dtype of a tensor or an array.

    Args:
        x: a tensor, a Variable, an array or a scalar.

    Returns:
        The dtype as a string.

    Example:

    >>> ops.dtype(ops.ones(2))
    'float32'
    """
    found = getattr(x, "dtype", None)
    return dtypes.standardize_dtype(as_tensor(x).dtype if found is None else found)


def shape(x: TensorLike) -> tuple[int | None, ...]:
    """Returns the sizes of the dimensions.

    Args:
        x: a tensor.

    Returns:
        A tuple of ints, with `None` for unknown sizes of a KerasTensor.

    Example:

    >>> ops.shape([[1, 2]])
    (1, 2)
    """
    found = getattr(x, "shape", None)
    return tuple(as_tensor(x).shape if found is None else found)


def ndim(x: TensorLike) -> int:
    """Returns the number of dimensions.

    Args:
        x: a tensor.

    Returns:
        An int.

    Example:

    >>> ops.ndim([[1, 2]])
    2
    """
    return len(shape(x))


def size(x: TensorLike) -> Any:
    """Returns the number of elements.

    Args:
        x: a tensor.

    Returns:
        An int; an int32 scalar KerasTensor for a KerasTensor.

    Example:

    >>> ops.size([[1, 2]])
    2
    """
    if isinstance(x, KerasTensor):
        return _size_of(x)
    return math.prod(as_tensor(x).shape)


@op
def _size_of(x: TensorLike) -> Tensor:
    return as_tensor(math.prod(as_tensor(x).shape), "int32")


@op
def stop_gradient(variable: TensorLike) -> Tensor:
    """Returns the tensor as a constant for gradients.

    Args:
        variable: a tensor.

    Returns:
        A tensor of the same values, through which no gradient flows.

    Example:

    >>> ops.stop_gradient([1.0]).numpy()
    array([1.], dtype=float32)
    """
    return apply("stop_gradient", as_tensor(variable))


@op
def view(x: TensorLike, dtype: Any = None) -> Tensor:
    """Returns the bytes of the elements read as another dtype.

    It is computed by NumPy: the argument cannot be traced.

    Args:
        x: a tensor.
        dtype: the dtype to read; by default that of `x`.

    Returns:
        A tensor; its last dimension shrinks or grows if the dtypes differ in width.

    Raises:
        ValueError: if the last dimension does not divide.

    Example:

    >>> ops.view(ops.ones((1,)), "int32").numpy()
    array([1065353216], dtype=int32)
    """
    x = as_tensor(x)
    if dtype is None:
        return as_tensor(x)
    name = dtypes.tensor_dtype(dtype)
    if name == "bfloat16":
        from ml_dtypes import bfloat16

        return _convert_to_tensor(concrete(x, "view").view(bfloat16))
    return _convert_to_tensor(concrete(x, "view").view(np.dtype(name)))
