"""Statistics: variance, quantiles, averages, correlation, histograms and counts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_float,
    as_tensor,
    concrete,
    is_float,
    normalize_axes,
    normalize_axis,
    promote_to_float,
    scalar_like,
)
from pronghorn.ops.operation import op
from pronghorn.ops.products import multiply_matrices
from pronghorn.ops.reductions import mean_dtype, reduce
from pronghorn.tensor import Tensor, convert_to_tensor

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def variance_of(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    """Returns the mean squared distance from the mean of a float tensor."""
    center = apply("subtract", x, reduce("reduce_mean", x, axis, True))
    return reduce("reduce_mean", apply("square", center), axis, keepdims)


@op
def var(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the variance of elements: the mean squared distance from their mean.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A float tensor.

    Example:

    >>> ops.var([1.0, 3.0]).numpy()
    array(1., dtype=float32)
    """
    x = as_float(x)
    dtype = x.dtype
    return as_tensor(variance_of(as_tensor(x, "float32"), axis, keepdims), dtype)


@op
def std(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the standard deviation of elements: the square root of their variance.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A float tensor.

    Example:

    >>> ops.std([1.0, 3.0]).numpy()
    array(1., dtype=float32)
    """
    x = as_float(x)
    dtype = x.dtype
    found = apply("sqrt", variance_of(as_tensor(x, "float32"), axis, keepdims))
    return as_tensor(found, dtype)


@op
def average(x: TensorLike, axis: Any = None, weights: TensorLike = None) -> Tensor:
    """Returns the weighted mean of elements.

    Args:
        x: a tensor.
        axis: a dimension or several; by default all.
        weights: a tensor of the shape of `x` or, for one dimension, a vector; by default ones.

    Returns:
        A float tensor.

    Raises:
        ValueError: if the shapes do not fit.

    Example:

    >>> ops.average([1.0, 3.0], weights=[3.0, 1.0]).numpy()
    array(1.5, dtype=float32)
    """
    if weights is None:
        x = as_tensor(x)
        return reduce("reduce_mean", as_tensor(x, mean_dtype(x.dtype)), axis, False)
    x, w = promote_to_float(x, weights)
    if tuple(w.shape) != tuple(x.shape):
        if axis is None or w.ndim != 1:
            raise ValueError(
                "average: `weights` must have the shape of `x`, or be a vector for one `axis`. "
                f"Received: x.shape={x.shape}, weights.shape={w.shape}, axis={axis}."
            )
        i = normalize_axis(axis, x.ndim, "average")
        if w.shape[0] != x.shape[i]:
            raise ValueError(
                "average: expected one weight for each element along `axis`. "
                f"Received: x.shape={x.shape}, weights.shape={w.shape}, axis={axis}."
            )
        w = apply("reshape", w, shape=[w.shape[0] if d == i else 1 for d in range(x.ndim)])
        w = apply("broadcast_to", w, shape=list(x.shape))
    total = reduce("reduce_sum", apply("multiply", x, w), axis, False)
    return apply("divide", total, reduce("reduce_sum", w, axis, False))


def _at_end(x: Tensor, axes: list[int]) -> Tensor:
    """Returns the tensor with the given dimensions flattened into one at the end."""
    rest = [i for i in range(x.ndim) if i not in axes]
    x = apply("transpose", x, axes=[*rest, *axes])
    sizes = list(x.shape)
    count = math.prod(sizes[len(rest) :])
    return apply("reshape", x, shape=[*sizes[: len(rest)], count])


def quantiles(
    name: str, x: TensorLike, q: Any, axis: Any, method: str, keepdims: bool, scale: float
) -> Tensor:
    """Returns quantiles of sorted elements; `q / scale` is in [0, 1]."""
    if method not in _METHODS:
        raise ValueError(
            f"{name}: `method` must be one of {', '.join(_METHODS)}. Received: method={method!r}."
        )
    x = as_float(x)
    places = np.asarray(concrete(q, name, "q"), np.float64) / scale
    if places.ndim > 1:
        raise ValueError(f"{name}: `q` must be a scalar or a vector. Received: q={q}.")
    axes = normalize_axes(axis, x.ndim, name)
    ordered = apply("sort", _at_end(x, axes), axis=x.ndim - len(axes))
    n = ordered.shape[-1]
    at = places.reshape(-1) * (n - 1)
    below, above = np.floor(at), np.ceil(at)
    if method == "nearest":  # halves to the lower neighbour, as JAX has it
        below = above = np.where(at - below <= 0.5, below, above)
    elif method == "lower":
        above = below
    elif method == "higher":
        below = above
    fraction = np.full_like(at, 0.5) if method == "midpoint" else at - np.floor(at)
    last = ordered.ndim - 1
    low = _gather(ordered, below, last)
    found = low
    if method in ("linear", "midpoint"):
        high = _gather(ordered, above, last)
        weight = as_tensor(convert_to_tensor(fraction.astype(np.float32)), x.dtype)
        one = scalar_like(1.0, x)
        found = apply(
            "add",
            apply("multiply", low, apply("subtract", one, weight)),
            apply("multiply", high, weight),
        )
    # not-a-number anywhere gives not-a-number
    total = apply("reduce_sum", ordered, axes=[last], keepdims=True)
    found = apply("where", apply("isnan", total), scalar_like(math.nan, x), found)
    order = [last, *range(last)]
    found = apply("transpose", found, axes=order)
    rest = [1 if i in axes else s for i, s in enumerate(x.shape)]
    shape = rest if keepdims else [s for i, s in enumerate(x.shape) if i not in axes]
    return apply("reshape", found, shape=[*places.shape, *shape])


def _gather(x: Tensor, places: np.ndarray, axis: int) -> Tensor:
    return apply("gather", x, convert_to_tensor(places.astype(np.int32)), axis=axis)


@op
def quantile(
    x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Returns quantiles of elements.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.
        q: the fraction of elements below, in [0, 1]; a scalar or a vector, with known values.
        axis: a dimension or several; by default all.
        method: what lies between two elements: `"linear"`, `"lower"`, `"higher"`, `"midpoint"` or
            `"nearest"`.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A float tensor; its first dimension is that of `q` if `q` is a vector.

    Raises:
        ValueError: for any other method.

    Example:

    >>> ops.quantile([1.0, 2.0, 3.0], 0.5).numpy()
    array(2., dtype=float32)
    """
    return quantiles("quantile", x, q, axis, method, keepdims, 1.0)


@op
def percentile(
    x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Returns percentiles of elements; see `quantile`.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.
        q: the percentage of elements below, in [0, 100]; a scalar or a vector, with known values.
        axis: a dimension or several; by default all.
        method: see `quantile`.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A float tensor; its first dimension is that of `q` if `q` is a vector.

    Raises:
        ValueError: for any other method.

    Example:

    >>> ops.percentile([1.0, 2.0, 3.0], 50).numpy()
    array(2., dtype=float32)
    """
    return quantiles("percentile", x, q, axis, method, keepdims, 100.0)


@op
def median(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the median of elements.

    Args:
        x: a tensor; integers are taken as `config.floatx()`.
        axis: a dimension or several; by default all.
        keepdims: whether reduced dimensions stay, with size 1.

    Returns:
        A float tensor.

    Example:

    >>> ops.median([3.0, 1.0, 2.0]).numpy()
    array(2., dtype=float32)
    """
    return quantiles("median", x, 0.5, axis, "linear", keepdims, 1.0)


@op
def corrcoef(x: TensorLike) -> Tensor:
    """Returns the correlation coefficients of variables.

    Args:
        x: a matrix with a variable in each row and an observation in each column, or a vector.

    Returns:
        A float matrix; a scalar for a vector.

    Example:

    >>> ops.corrcoef([[1.0, 2.0], [2.0, 4.0]]).shape
    (2, 2)
    """
    x = as_float(x)
    if x.ndim > 2:
        raise ValueError(f"corrcoef: expected rank 1 or 2. Received: x.shape={x.shape}.")
    rows = x if x.ndim == 2 else apply("reshape", x, shape=[1, math.prod(x.shape)])
    center = apply("subtract", rows, reduce("reduce_mean", rows, -1, True))
    covariance = multiply_matrices(center, center, transpose_b=True)
    length = apply("sqrt", reduce("reduce_sum", apply("square", center), -1, True))
    n = rows.shape[0]
    scale = apply("multiply", length, apply("reshape", length, shape=[1, n]))
    found = apply("divide", covariance, scale)
    one = scalar_like(1.0, x)
    found = apply("maximum", apply("minimum", found, one), apply("negative", one))
    return found if x.ndim == 2 else apply("reshape", found, shape=[])


@op
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Tensor:
    """Returns the sums of products of two vectors for each shift of the second one.

    Args:
        x1: a vector.
        x2: a vector.
        mode: `"valid"` (shifts where they overlap completely), `"same"` or `"full"`.

    Returns:
        A float vector.

    Raises:
        ValueError: for any other mode or rank.

    Example:

    >>> ops.correlate([1.0, 2.0, 3.0], [1.0, 1.0]).numpy()
    array([3., 5.], dtype=float32)
    """
    if mode not in ("valid", "same", "full"):
        raise ValueError(
            f"`mode` must be either `valid`, `same`, or `full`. Received: mode={mode}."
        )
    a, b = promote_to_float(x1, x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(
            f"correlate: expected vectors. Received: x1.shape={a.shape}, x2.shape={b.shape}."
        )
    swapped = a.shape[0] < b.shape[0]
    if swapped:
        a, b = b, a
    n, k = a.shape[0], b.shape[0]
    low, high = {"valid": (0, 0), "same": (k // 2, k - 1 - k // 2), "full": (k - 1, k - 1)}[mode]
    if mode == "same" and swapped:
        low, high = high, low
    image = apply("reshape", a, shape=[1, n, 1])
    kernel = apply("reshape", b, shape=[k, 1, 1])
    found = apply(
        "conv",
        image,
        kernel,
        strides=[1],
        dilations=[1],
        pads_low=[low],
        pads_high=[high],
        groups=1,
    )
    found = apply("reshape", found, shape=[found.shape[1]])
    return apply("flip", found, axes=[0]) if swapped else found


@op
def bincount(
    x: TensorLike, weights: TensorLike = None, minlength: int = 0, sparse: bool = False
) -> Tensor:
    """Returns how often each integer from 0 on occurs.

    Without `minlength` the values must be known, as they decide the size of the result.

    Args:
        x: an integer tensor of rank 1 or 2; rows of a matrix are counted separately.
        weights: a tensor of the same shape: what each occurrence counts; by default 1.
        minlength: the least size of the result; larger values count only if they are known.
        sparse: must not be true: there are no sparse tensors.

    Returns:
        An int32 tensor, or of the dtype of `weights`.

    Raises:
        ValueError: for `sparse`.
        TypeError: for floats.

    Example:

    >>> ops.bincount([1, 1, 3]).numpy()
    array([0, 2, 0, 1], dtype=int32)
    """
    if sparse:
        raise ValueError("bincount: tensors are dense. Received: sparse=True.")
    x = as_tensor(x)
    if is_float(x):
        raise TypeError(f"bincount: expected integers. Received: dtype={x.dtype}.")
    x = as_tensor(x, "int32")
    if x.is_symbolic and minlength:
        size = int(minlength)
    else:
        values = concrete(x, "bincount")
        size = max(int(minlength), int(values.max()) + 1 if values.size else 0)
    hot = apply("one_hot", x, depth=size, dtype="int32" if weights is None else "float32")
    if weights is not None:
        w = as_tensor(weights)
        hot = as_tensor(hot, w.dtype)
        hot = apply("multiply", hot, apply("reshape", w, shape=[*w.shape, 1]))
    return apply("reduce_sum", hot, axes=[x.ndim - 1], keepdims=False)


@op
def histogram(
    x: TensorLike, bins: Any = 10, range: tuple[float, float] | None = None
) -> tuple[Tensor, Tensor]:
    """Returns how many elements fall into each of a number of intervals.

    It is computed by NumPy: the argument cannot be traced.

    Args:
        x: a vector.
        bins: how many intervals of the same width.
        range: the lower and the upper end; by default those of the elements.

    Returns:
        The counts and the `bins + 1` edges, float tensors both.

    Raises:
        ValueError: if `bins` is not a positive integer, or for a bad `range` or rank.

    Example:

    >>> ops.histogram([1.0, 2.0, 2.0], bins=2)[0].numpy()
    array([1., 2.], dtype=float32)
    """
    if not isinstance(bins, int) or isinstance(bins, bool) or bins <= 0:
        raise ValueError(f"Argument `bins` should be a non-negative integer. Received: bins={bins}")
    if range is not None and len(range) != 2:
        raise ValueError(
            f"Argument `range` must be a tuple of two elements. Received: range={range}"
        )
    if range is not None and range[1] < range[0]:
        raise ValueError(
            f"The second element of `range` must be greater than the first. Received: range={range}"
        )
    x = as_float(x)
    if x.ndim != 1:
        raise ValueError(f"Input tensor must be 1-dimensional. Received: input.shape={x.shape}")
    values = concrete(x, "histogram").astype(np.float64)
    counts, edges = np.histogram(values, bins=bins, range=range)
    return (
        convert_to_tensor(counts.astype(np.float32), x.dtype),
        convert_to_tensor(edges.astype(np.float32), x.dtype),
    )
