"""Products of matrices and tensors: matmul, dot, tensordot, inner, outer, vdot, kron, cross."""

from __future__ import annotations

import math
from typing import Any

from pronghorn.dtypes import result_type
from pronghorn.ops.arguments import (
    TensorLike,
    any_unknown,
    apply,
    as_tensor,
    dtype_of,
    is_float,
    normalize_axes,
    normalize_axis,
    placeholder,
    promote,
)
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor


def product_dtype(*xs: Any) -> str:
    """Returns the dtype of a sum of products: int32 for int8 operands, else the promoted dtype."""
    found = {dtype_of(x) for x in xs}
    return "int32" if found == {"int8"} else result_type(*(dtype_of(x) for x in xs))


def multiply_matrices(
    x1: Tensor, x2: Tensor, transpose_a: bool = False, transpose_b: bool = False
) -> Tensor:
    """Returns the product of stacks of matrices, rank 2 at least, of one dtype."""
    if is_float(x1):
        if x2.ndim == 2 and x1.ndim > 2 and not transpose_a:  # one large product, also backwards
            rows = math.prod(x1.shape[:-1])
            flat = apply("reshape", x1, shape=[rows, x1.shape[-1]])
            out = apply("matmul", flat, x2, transpose_a=False, transpose_b=transpose_b)
            return apply("reshape", out, shape=[*x1.shape[:-1], out.shape[-1]])
        return apply("matmul", x1, x2, transpose_a=transpose_a, transpose_b=transpose_b)
    # integers: sums of elementwise products, exact
    x1 = swap_last(x1) if transpose_a else x1
    x2 = x2 if transpose_b else swap_last(x2)
    is_bool = x1.dtype == "bool"
    left = apply("reshape", x1, shape=[*x1.shape[:-1], 1, x1.shape[-1]])
    right = apply("reshape", x2, shape=[*x2.shape[:-2], 1, *x2.shape[-2:]])
    terms = apply("logical_and" if is_bool else "multiply", left, right)
    reduce = "reduce_any" if is_bool else "reduce_sum"
    out = apply(reduce, terms, axes=[terms.ndim - 1], keepdims=False)
    return as_tensor(out, x1.dtype)


def swap_last(x: Tensor) -> Tensor:
    """Returns the tensor with its last two dimensions swapped."""
    axes = list(range(x.ndim))
    axes[-2], axes[-1] = axes[-1], axes[-2]
    return apply("transpose", x, axes=axes)


@op
def matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the product of two matrices, of stacks of matrices, or of a matrix and a vector.

    Dimensions before the last two are stacks and broadcast. A vector is a row on the left and a
    column on the right, and its dimension is dropped again.

    Args:
        x1: shape `(..., m, k)` or `(k,)`.
        x2: shape `(..., k, n)` or `(k,)`.

    Returns:
        A tensor of shape `(..., m, n)`; int32 for two int8 tensors.

    Raises:
        ValueError: if the inner dimensions differ or an argument is a scalar.

    Example:

    >>> ops.matmul([[1.0, 2.0]], [[3.0], [4.0]]).numpy()
    array([[11.]], dtype=float32)
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    if x1.ndim == 0 or x2.ndim == 0:
        raise ValueError(
            "matmul: expected tensors of rank 1 at least. "
            f"Received: x1.shape={x1.shape}, x2.shape={x2.shape}."
        )
    if x1.shape[-1] != x2.shape[-2 if x2.ndim > 1 else 0]:
        inner = (x1.shape[-1], x2.shape[-2 if x2.ndim > 1 else 0])
        if x1.ndim == x2.ndim == 2 and any_unknown(inner):
            assumed = placeholder([x1.shape[0], x2.shape[1]], x1, x2)
            if assumed is not None:
                return assumed
        raise ValueError(
            "matmul: inner dimensions must match. "
            f"Received: x1.shape={x1.shape}, x2.shape={x2.shape}."
        )
    if x1.dtype == x2.dtype and x1.dtype != "int8":
        a, b = x1, x2
    else:
        dtype = product_dtype(x1, x2)
        a, b = as_tensor(x1, dtype), as_tensor(x2, dtype)
    if a.ndim == 1:
        a = apply("reshape", a, shape=[1, a.shape[0]])
    if b.ndim == 1:
        b = apply("reshape", b, shape=[b.shape[0], 1])
    found = multiply_matrices(a, b)
    if x1.ndim == 1 or x2.ndim == 1:
        shape = list(found.shape)
        if x2.ndim == 1:
            del shape[-1]
        if x1.ndim == 1:
            del shape[len(shape) - (0 if x2.ndim == 1 else 1) - 1]
        found = apply("reshape", found, shape=shape)
    return found


@op
def dot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the sum of products over the last dimension of `x1` and the last but one of `x2`.

    Args:
        x1: a tensor.
        x2: a tensor; if it is a vector the sum is over its only dimension. A scalar multiplies.

    Returns:
        A tensor of the remaining dimensions of `x1`, then those of `x2`.

    Raises:
        ValueError: if the sizes differ.

    Example:

    >>> ops.dot([1.0, 2.0], [3.0, 4.0]).numpy()
    array(11., dtype=float32)
    """
    x1, x2 = promote(x1, x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return apply("logical_and" if x1.dtype == "bool" else "multiply", x1, x2)
    return _contract("dot", x1, x2, [x1.ndim - 1], [max(x2.ndim - 2, 0)])


@op
def tensordot(x1: TensorLike, x2: TensorLike, axes: Any = 2) -> Tensor:
    """Returns the sum of products over chosen dimensions of two tensors.

    Args:
        x1: a tensor.
        x2: a tensor.
        axes: an int n for the last n dimensions of `x1` and the first n of `x2`, or a pair of
            dimension numbers or of lists of them.

    Returns:
        A tensor of the remaining dimensions of `x1`, then those of `x2`.

    Raises:
        ValueError: if the sizes differ.

    Example:

    >>> ops.tensordot([[1.0, 2.0]], [[3.0], [4.0]], axes=1).numpy()
    array([[11.]], dtype=float32)
    """
    x1, x2 = promote(x1, x2)
    if isinstance(axes, int):
        if not 0 <= axes <= min(x1.ndim, x2.ndim):
            raise ValueError(
                "tensordot: `axes` must be at most the rank of both tensors. "
                f"Received: axes={axes}, x1.shape={x1.shape}, x2.shape={x2.shape}."
            )
        axes1, axes2 = list(range(x1.ndim - axes, x1.ndim)), list(range(axes))
    else:
        axes1 = normalize_axes(axes[0], x1.ndim, "tensordot")
        axes2 = normalize_axes(axes[1], x2.ndim, "tensordot")
    return _contract("tensordot", x1, x2, axes1, axes2)


def _contract(name: str, x1: Tensor, x2: Tensor, axes1: list[int], axes2: list[int]) -> Tensor:
    free1 = [i for i in range(x1.ndim) if i not in axes1]
    free2 = [i for i in range(x2.ndim) if i not in axes2]
    shape1, shape2 = [x1.shape[i] for i in free1], [x2.shape[i] for i in free2]
    sums1, sums2 = [x1.shape[i] for i in axes1], [x2.shape[i] for i in axes2]
    if sums1 != sums2:
        assumed = placeholder([*shape1, *shape2], x1, x2)
        if assumed is not None and len(axes1) == len(axes2) and any_unknown([*sums1, *sums2]):
            return assumed
        raise ValueError(
            f"{name}: the sizes of the summed dimensions must match. "
            f"Received: x1.shape={x1.shape}, x2.shape={x2.shape}, axes=({axes1}, {axes2})."
        )
    k = math.prod(x1.shape[i] for i in axes1)
    a = _as_matrix(x1, [*free1, *axes1], [math.prod(shape1), k])
    b = _as_matrix(x2, [*axes2, *free2], [k, math.prod(shape2)])
    return apply("reshape", multiply_matrices(a, b), shape=[*shape1, *shape2])


def _as_matrix(x: Tensor, order: list[int], shape: list[int]) -> Tensor:
    if order != list(range(x.ndim)):
        x = apply("transpose", x, axes=order)
    return apply("reshape", x, shape=shape)


@op
def inner(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the sum of products over the last dimension of both tensors.

    Args:
        x1: a tensor.
        x2: a tensor with the same last dimension. A scalar multiplies.

    Returns:
        A tensor of the remaining dimensions of `x1`, then those of `x2`.

    Raises:
        ValueError: if the sizes differ.

    Example:

    >>> ops.inner([1.0, 2.0], [3.0, 4.0]).numpy()
    array(11., dtype=float32)
    """
    x1, x2 = promote(x1, x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return apply("logical_and" if x1.dtype == "bool" else "multiply", x1, x2)
    if x1.shape[-1] != x2.shape[-1] and placeholder([1], x1, x2) is None:
        raise ValueError(
            "inner: the last dimension of both tensors must have the same size. "
            f"Received: x1.shape={x1.shape}, x2.shape={x2.shape}."
        )
    return _contract("inner", x1, x2, [x1.ndim - 1], [x2.ndim - 1])


@op
def outer(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the products of every element of `x1` with every element of `x2`.

    Args:
        x1: a tensor, taken as a vector of m elements.
        x2: a tensor, taken as a vector of n elements.

    Returns:
        A tensor of shape `(m, n)`.

    Example:

    >>> ops.outer([1, 2], [3, 4]).numpy()
    array([[3, 4],
           [6, 8]], dtype=int32)
    """
    x1, x2 = promote(x1, x2)
    a = apply("reshape", x1, shape=[math.prod(x1.shape), 1])
    b = apply("reshape", x2, shape=[1, math.prod(x2.shape)])
    return apply("logical_and" if a.dtype == "bool" else "multiply", a, b)


@op
def vdot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the sum of products of all elements.

    Args:
        x1: a tensor.
        x2: a tensor with as many elements.

    Returns:
        A scalar.

    Raises:
        ValueError: if the numbers of elements differ.

    Example:

    >>> ops.vdot([[1.0, 2.0]], [[3.0], [4.0]]).numpy()
    array(11., dtype=float32)
    """
    x1, x2 = promote(x1, x2)
    if math.prod(x1.shape) != math.prod(x2.shape):
        raise ValueError(
            "vdot: expected as many elements in both tensors. "
            f"Received: x1.shape={x1.shape}, x2.shape={x2.shape}."
        )
    a = apply("reshape", x1, shape=[math.prod(x1.shape)])
    b = apply("reshape", x2, shape=[math.prod(x2.shape)])
    return _contract("vdot", a, b, [0], [0])


@op
def kron(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Returns the Kronecker product: blocks of `x2`, scaled by the elements of `x1`.

    Args:
        x1: a tensor.
        x2: a tensor.

    Returns:
        A tensor whose sizes are the products of those of `x1` and `x2`.

    Example:

    >>> ops.kron([[1, 2]], [[1, 1]]).numpy()
    array([[1, 1, 2, 2]], dtype=int32)
    """
    x1, x2 = promote(x1, x2)
    rank = max(x1.ndim, x2.ndim)
    shape1 = [1] * (rank - x1.ndim) + list(x1.shape)
    shape2 = [1] * (rank - x2.ndim) + list(x2.shape)
    a = apply("reshape", x1, shape=[n for size in shape1 for n in (size, 1)])
    b = apply("reshape", x2, shape=[n for size in shape2 for n in (1, size)])
    product = apply("logical_and" if a.dtype == "bool" else "multiply", a, b)
    return apply("reshape", product, shape=[m * n for m, n in zip(shape1, shape2)])


@op
def cross(
    x1: TensorLike,
    x2: TensorLike,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Tensor:
    """Returns the cross product of vectors of 3 (or 2) components.

    Args:
        x1: a tensor whose dimension `axisa` holds the components.
        x2: a tensor whose dimension `axisb` holds the components.
        axisa: see `x1`.
        axisb: see `x2`.
        axisc: where the components of the result go.
        axis: overrides the other three.

    Returns:
        The vectors; without that dimension if both arguments have 2 components.

    Raises:
        ValueError: if there are not 2 or 3 components.

    Example:

    >>> ops.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).numpy()
    array([0., 0., 1.], dtype=float32)
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x1, x2 = promote(x1, x2)
    if x1.dtype == "bool":
        raise TypeError("cross: expected numbers. Received: dtype=bool.")
    a, b = _components(x1, axisa), _components(x2, axisb)
    if len(a) not in (2, 3) or len(b) not in (2, 3):
        raise ValueError(
            "cross: expected vectors of 2 or 3 components. "
            f"Received: x1.shape={x1.shape}, x2.shape={x2.shape}."
        )

    def minor(i: int, j: int) -> Tensor:
        found = apply("multiply", a[i], b[j])
        return apply("subtract", found, apply("multiply", a[j], b[i]))

    if len(a) == 2 and len(b) == 2:
        return minor(0, 1)
    zero = as_tensor(0, x1.dtype)
    a = a if len(a) == 3 else [*a, zero]
    b = b if len(b) == 3 else [*b, zero]
    parts = [minor(1, 2), minor(2, 0), minor(0, 1)]
    where = normalize_axis(axisc, parts[0].ndim + 1, "cross")
    shape = list(parts[0].shape)
    shape.insert(where, 1)
    return apply("concatenate", *(apply("reshape", p, shape=shape) for p in parts), axis=where)


def _components(x: Tensor, axis: int) -> list[Tensor]:
    axis = normalize_axis(axis, x.ndim, "cross")
    shape = [n for i, n in enumerate(x.shape) if i != axis]
    parts = []
    for i in range(x.shape[axis]):
        begin, end = [0] * x.ndim, list(x.shape)
        begin[axis], end[axis] = i, i + 1
        part = apply("slice", x, begin=begin, end=end, strides=[1] * x.ndim)
        parts.append(apply("reshape", part, shape=shape))
    return parts
