"""Pooling: extremes and means of windows, of fixed size or of a fixed number."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    apply_many,
    as_float,
    as_tensor,
    is_float,
    per_dimension,
)
from pronghorn.ops.nn.layout import (
    check_output,
    check_padding,
    is_channels_first,
    to_channels_first,
    to_channels_last,
    window_pads,
)
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor, convert_to_tensor


def _pool(
    name: str,
    inputs: TensorLike,
    pool_size: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
) -> Tensor:
    x = as_tensor(inputs)
    dtype = x.dtype
    x = as_float(x)
    if not 3 <= x.ndim <= 5:
        raise ValueError(
            f"{name}: expected inputs of rank 3 to 5. Received: inputs.shape={x.shape}."
        )
    first = is_channels_first(data_format)
    x = to_channels_last(x) if first else x
    n = x.ndim - 2
    window = per_dimension(pool_size, n, name, "pool_size")
    steps = window if strides is None else per_dimension(strides, n, name, "strides")
    padding = check_padding(padding, name)
    pads = window_pads(list(x.shape[1:-1]), window, steps, [1] * n, padding)
    check_output(name, x, window, [1] * n, pads)
    attrs = {"window": window, "strides": steps, "pads_low": pads[0], "pads_high": pads[1]}
    y = apply_many(name, x, **attrs)[0] if name == "max_pool" else apply(name, x, **attrs)
    y = to_channels_first(y) if first else y
    return as_tensor(y, dtype) if name == "max_pool" else y


@op
def max_pool(
    inputs: TensorLike,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Returns the largest element of each window, for every channel.

    Args:
        inputs: `(batch, spatial..., channels)`, or `(batch, channels, spatial...)` for
            `"channels_first"`.
        pool_size: the size of windows, an int or one for each spatial dimension.
        strides: the distance between windows; by default `pool_size`.
        padding: `"valid"` for none, `"same"` for as many outputs as inputs (divided by strides).
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        A tensor with smaller spatial dimensions.

    Raises:
        ValueError: if the rank or an option is not valid.

    Example:

    >>> ops.max_pool(ops.ones((1, 4, 4, 3)), 2).shape
    (1, 2, 2, 3)
    """
    return _pool("max_pool", inputs, pool_size, strides, padding, data_format)


@op
def average_pool(
    inputs: TensorLike,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Returns the mean of each window, for every channel. Padding does not count.

    Args:
        inputs: `(batch, spatial..., channels)`, or `(batch, channels, spatial...)` for
            `"channels_first"`.
        pool_size: the size of windows, an int or one for each spatial dimension.
        strides: the distance between windows; by default `pool_size`.
        padding: `"valid"` for none, `"same"` for as many outputs as inputs (divided by strides).
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        A float tensor with smaller spatial dimensions.

    Raises:
        ValueError: if the rank or an option is not valid.

    Example:

    >>> ops.average_pool(ops.ones((1, 4, 4, 3)), 2).shape
    (1, 2, 2, 3)
    """
    return _pool("average_pool", inputs, pool_size, strides, padding, data_format)


def _adaptive(
    name: str, inputs: TensorLike, output_size: Any, data_format: str | None, reduce: str
) -> Tensor:
    x = as_tensor(inputs)
    x = x if is_float(x) else as_float(x)
    if not 3 <= x.ndim <= 5:
        raise ValueError(
            f"{name}: expected inputs of rank 3 to 5. Received: inputs.shape={x.shape}."
        )
    first = is_channels_first(data_format)
    x = to_channels_last(x) if first else x
    sizes = per_dimension(output_size, x.ndim - 2, name, "output_size")
    for axis, outputs in enumerate(sizes, 1):
        n = x.shape[axis]
        begins = np.arange(outputs) * n // outputs
        ends = -(-(np.arange(1, outputs + 1) * n) // outputs)
        width = int((ends - begins).max())
        # every window with its last element repeated up to the longest
        places = np.minimum(begins[:, None] + np.arange(width), ends[:, None] - 1).astype(np.int32)
        windows = apply("gather", x, convert_to_tensor(places), axis=axis)
        if reduce == "reduce_sum":
            inside = np.arange(width) < (ends - begins)[:, None]
            weights = (inside / (ends - begins)[:, None]).astype(np.float32)
            shape = [outputs, width, *[1] * (x.ndim - axis - 1)]
            scale = as_tensor(convert_to_tensor(weights.reshape(shape)), x.dtype)
            windows = apply("multiply", windows, scale)
        x = apply(reduce, windows, axes=[axis + 1], keepdims=False)
    return to_channels_first(x) if first else x


@op
def adaptive_average_pool(
    inputs: TensorLike, output_size: Any, data_format: str | None = None
) -> Tensor:
    """Returns the means of as many windows as asked for; they may overlap.

    Args:
        inputs: `(batch, spatial..., channels)`, or `(batch, channels, spatial...)` for
            `"channels_first"`.
        output_size: the spatial shape of the result, an int or one for each dimension.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        A float tensor with the given spatial dimensions.

    Raises:
        ValueError: if the rank or an option is not valid.

    Example:

    >>> ops.adaptive_average_pool(ops.ones((1, 5, 3)), 2).shape
    (1, 2, 3)
    """
    return _adaptive("adaptive_average_pool", inputs, output_size, data_format, "reduce_sum")


@op
def adaptive_max_pool(
    inputs: TensorLike, output_size: Any, data_format: str | None = None
) -> Tensor:
    """Returns the largest elements of as many windows as asked for; they may overlap.

    Args:
        inputs: `(batch, spatial..., channels)`, or `(batch, channels, spatial...)` for
            `"channels_first"`.
        output_size: the spatial shape of the result, an int or one for each dimension.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        A tensor with the given spatial dimensions.

    Raises:
        ValueError: if the rank or an option is not valid.

    Example:

    >>> ops.adaptive_max_pool(ops.ones((1, 5, 3)), 2).shape
    (1, 2, 3)
    """
    return _adaptive("adaptive_max_pool", inputs, output_size, data_format, "reduce_max")
