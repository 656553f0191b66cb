"""Classes as vectors: one-hot and multi-hot."""

from __future__ import annotations

from typing import Any

from pronghorn import config, dtypes
from pronghorn.ops.arguments import TensorLike, apply, as_tensor, normalize_axis
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor


@op
def one_hot(
    x: TensorLike, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Tensor:
    """Returns for each class number a vector with 1 in its place and 0 elsewhere.

    Args:
        x: integers; those out of range give zeros.
        num_classes: the length of vectors.
        axis: where their dimension is in the result.
        dtype: the dtype; by default `config.floatx()`.
        sparse: must not be true: there are no sparse tensors.

    Returns:
        A tensor with one dimension more.

    Raises:
        ValueError: for `sparse` or a bad `num_classes`.

    Example:

    >>> ops.one_hot([1, 0], 2).numpy()
    array([[0., 1.],
           [1., 0.]], dtype=float32)
    """
    if sparse:
        raise ValueError("one_hot: tensors are dense. Received: sparse=True.")
    if isinstance(num_classes, bool) or int(num_classes) < 0:
        raise ValueError(f"one_hot: `num_classes` must be an integer. Received: {num_classes}.")
    labels = as_tensor(x)
    if labels.dtype not in ("int32", "int64"):
        labels = as_tensor(labels, "int32")
    name = dtypes.tensor_dtype(config.floatx() if dtype is None else dtype)
    found = apply("one_hot", labels, depth=int(num_classes), dtype=name)
    where = normalize_axis(axis, labels.ndim + 1, "one_hot")
    if where != labels.ndim:
        order = list(range(labels.ndim))
        order.insert(where, labels.ndim)
        found = apply("transpose", found, axes=order)
    return found


@op
def multi_hot(
    inputs: TensorLike,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Tensor:
    """Returns for each sample a vector with 1 in the places of its class numbers.

    Args:
        inputs: integers of shape `(batch, numbers)` or `(numbers,)`.
        num_classes: the length of vectors.
        axis: where their dimension is in the result.
        dtype: the dtype; by default `config.floatx()`.
        sparse: must not be true: there are no sparse tensors.
        **kwargs: `num_tokens`, an older name of `num_classes`.

    Returns:
        A tensor of shape `(batch, num_classes)` or `(num_classes,)`.

    Raises:
        ValueError: if `num_classes` is missing, or for `sparse`.

    Example:

    >>> ops.multi_hot([0, 2], 3).numpy()
    array([1., 0., 1.], dtype=float32)
    """
    num_classes = kwargs.pop("num_tokens", num_classes)
    if kwargs:
        raise TypeError(f"multi_hot: unexpected keyword arguments. Received: {sorted(kwargs)}.")
    if num_classes is None:
        raise ValueError("Argument `num_classes` must be specified.")
    if sparse:
        raise ValueError("multi_hot: tensors are dense. Received: sparse=True.")
    labels = as_tensor(inputs)
    hot = one_hot(as_tensor(labels, "int32"), num_classes, axis, "int32")
    reduced = 1 if labels.ndim > 1 else 0
    found = apply("reduce_max", hot, axes=[reduced], keepdims=False)
    return as_tensor(found, dtypes.tensor_dtype(config.floatx() if dtype is None else dtype))
