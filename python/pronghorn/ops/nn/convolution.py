"""Convolutions over one to three spatial dimensions: plain, transposed, depthwise, separable."""

from __future__ import annotations

from typing import Any

from pronghorn.ops.arguments import TensorLike, apply, as_tensor, per_dimension, promote_to_float
from pronghorn.ops.nn.layout import (
    check_output,
    check_padding,
    is_channels_first,
    to_channels_first,
    to_channels_last,
    window_pads,
)
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor


def _operands(
    name: str, inputs: TensorLike, kernel: TensorLike, data_format: str | None
) -> tuple[Tensor, Tensor, bool]:
    x, w = promote_to_float(as_tensor(inputs), as_tensor(kernel))
    first = is_channels_first(data_format)
    if not 3 <= x.ndim <= 5 or w.ndim != x.ndim:
        raise ValueError(
            f"{name}: expected inputs of rank 3 to 5 and a kernel of the same rank. "
            f"Received: inputs.shape={x.shape}, kernel.shape={w.shape}."
        )
    return (to_channels_last(x) if first else x), w, first


@op
def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Returns the convolution of images (or sequences, or volumes) with kernels.

    Args:
        inputs: `(batch, spatial..., channels)`, or `(batch, channels, spatial...)` for
            `"channels_first"`.
        kernel: `(window..., channels / groups, filters)`; fewer channels than the inputs have mean
            that many groups.
        strides: the distance between windows, an int or one for each spatial dimension.
        padding: `"valid"` for none, `"same"` for as many outputs as inputs (divided by strides).
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.
        dilation_rate: the distance between elements of a window.

    Returns:
        `(batch, new_spatial..., filters)`, or the like for `"channels_first"`.

    Raises:
        ValueError: if ranks or channels do not fit, or the output would be empty.

    Example:

    >>> ops.conv(ops.ones((1, 5, 5, 3)), ops.ones((3, 3, 3, 4))).shape
    (1, 3, 3, 4)
    """
    x, w, first = _operands("conv", inputs, kernel, data_format)
    n = x.ndim - 2
    strides = per_dimension(strides, n, "conv", "strides")
    dilations = per_dimension(dilation_rate, n, "conv", "dilation_rate")
    padding = check_padding(padding, "conv")
    channels = x.shape[-1]
    if w.shape[-2] == 0 or channels % w.shape[-2]:
        raise ValueError(
            "The number of input channels must be evenly divisible by kernel's in_channels: "
            "input channels must match the kernel, times the number of groups. "
            f"Received input channels {channels} and kernel in_channels {w.shape[-2]}."
        )
    groups = channels // w.shape[-2]
    if w.shape[-1] % groups:
        raise ValueError(
            "conv: the number of filters must be divisible by the number of groups. "
            f"Received: kernel.shape={w.shape}, groups={groups}."
        )
    window = list(w.shape[:-2])
    pads = window_pads(list(x.shape[1:-1]), window, strides, dilations, padding)
    check_output("conv", x, window, dilations, pads)
    if groups == channels and groups > 1 and n <= 2:  # every channel on its own
        w = apply("reshape", w, shape=[*window, channels, w.shape[-1] // channels])
        found = apply(
            "depthwise_conv",
            x,
            w,
            strides=strides,
            dilations=dilations,
            pads_low=pads[0],
            pads_high=pads[1],
        )
    else:
        found = apply(
            "conv",
            x,
            w,
            strides=strides,
            dilations=dilations,
            pads_low=pads[0],
            pads_high=pads[1],
            groups=groups,
        )
    return to_channels_first(found) if first else found


@op
def depthwise_conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Returns the convolution of every channel with kernels of its own.

    Args:
        inputs: `(batch, spatial..., channels)`, or `(batch, channels, spatial...)` for
            `"channels_first"`.
        kernel: `(window..., channels, multiplier)`.
        strides: the distance between windows.
        padding: `"valid"` or `"same"`, see `conv`.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.
        dilation_rate: the distance between elements of a window.

    Returns:
        `(batch, new_spatial..., channels * multiplier)`, or the like for `"channels_first"`.

    Raises:
        ValueError: if ranks or channels do not fit, or the output would be empty.

    Example:

    >>> ops.depthwise_conv(ops.ones((1, 5, 5, 3)), ops.ones((3, 3, 3, 2))).shape
    (1, 3, 3, 6)
    """
    x, w, first = _operands("depthwise_conv", inputs, kernel, data_format)
    n = x.ndim - 2
    strides = per_dimension(strides, n, "depthwise_conv", "strides")
    dilations = per_dimension(dilation_rate, n, "depthwise_conv", "dilation_rate")
    padding = check_padding(padding, "depthwise_conv")
    if w.shape[-2] != x.shape[-1]:
        raise ValueError(
            "depthwise_conv: input channels must match the kernel's last but one dimension. "
            f"Received: inputs with {x.shape[-1]} channels, kernel.shape={w.shape}."
        )
    window = list(w.shape[:-2])
    pads = window_pads(list(x.shape[1:-1]), window, strides, dilations, padding)
    check_output("depthwise_conv", x, window, dilations, pads)
    found = apply(
        "depthwise_conv",
        x,
        w,
        strides=strides,
        dilations=dilations,
        pads_low=pads[0],
        pads_high=pads[1],
    )
    return to_channels_first(found) if first else found


@op
def separable_conv(
    inputs: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Returns a depthwise convolution followed by one of window size 1 across channels.

    Args:
        inputs: `(batch, spatial..., channels)`, or `(batch, channels, spatial...)` for
            `"channels_first"`.
        depthwise_kernel: `(window..., channels, multiplier)`.
        pointwise_kernel: `(1..., channels * multiplier, filters)`.
        strides: the distance between windows.
        padding: `"valid"` or `"same"`, see `conv`.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.
        dilation_rate: the distance between elements of a window.

    Returns:
        `(batch, new_spatial..., filters)`, or the like for `"channels_first"`.

    Raises:
        ValueError: if ranks or channels do not fit, or the output would be empty.

    Example:

    >>> images = ops.ones((1, 5, 5, 3))
    >>> ops.separable_conv(images, ops.ones((3, 3, 3, 1)), ops.ones((1, 1, 3, 8))).shape
    (1, 3, 3, 8)
    """
    deep = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(deep, pointwise_kernel, 1, "valid", data_format, 1)


def transposed_size(
    n: int, k: int, stride: int, dilation: int, padding: str, output_padding: int | None
) -> tuple[int, int]:
    """Returns the output size of a transposed convolution and what it cuts off in front.

    Sizes are those of Keras: without `output_padding`, "same" gives n * stride and "valid" leaves
    nothing out; with it, k // 2 elements are cut off on both sides for "same".
    """
    k = (k - 1) * dilation + 1
    if padding == "same" and output_padding is None:
        return n * stride, max(k - stride, 0) // 2
    if padding == "same" and output_padding is not None:
        size = (n - 1) * stride + k - 2 * (k // 2) + output_padding
        both = size - (n - 1) * stride - 2 + k
        return size, k - 1 - min(k - 1, -(-both // 2))
    more = max(stride - k, 0) if output_padding is None else output_padding
    return (n - 1) * stride + k + more, 0


@op
def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Returns the transposed convolution: every input spreads a scaled kernel over the output.

    Args:
        inputs: `(batch, spatial..., channels)`, or `(batch, channels, spatial...)` for
            `"channels_first"`.
        kernel: `(window..., filters, channels)`.
        strides: the distance between the places of neighbouring inputs in the output.
        padding: `"valid"` or `"same"`.
        output_padding: how much larger the output is than the least size; `None` for the size
            whose convolution gives the input size back.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.
        dilation_rate: the distance between elements of a window.

    Returns:
        `(batch, new_spatial..., filters)`, or the like for `"channels_first"`.

    Raises:
        ValueError: if ranks or channels do not fit.

    Example:

    >>> ops.conv_transpose(ops.ones((1, 4, 4, 3)), ops.ones((2, 2, 5, 3)), strides=2).shape
    (1, 8, 8, 5)
    """
    x, w, first = _operands("conv_transpose", inputs, kernel, data_format)
    n = x.ndim - 2
    strides = per_dimension(strides, n, "conv_transpose", "strides")
    dilations = per_dimension(dilation_rate, n, "conv_transpose", "dilation_rate")
    padding = check_padding(padding, "conv_transpose")
    extra = (
        list(output_padding) if isinstance(output_padding, (tuple, list)) else [output_padding] * n
    )
    if len(extra) == 1:
        extra = extra * n
    for p in extra:
        if p is not None and (isinstance(p, bool) or not isinstance(p, int) or p < 0):
            raise ValueError(
                "conv_transpose: `output_padding` must not be negative. "
                f"Received: output_padding={output_padding}, strides={tuple(strides)}."
            )
    if w.shape[-1] != x.shape[-1]:
        raise ValueError(
            "conv_transpose: input channels must match the kernel's last dimension. "
            f"Received: inputs with {x.shape[-1]} channels, kernel.shape={w.shape}."
        )
    low, high, inner, tail = [], [], [], []
    for size, k, s, d, p in zip(x.shape[1:-1], w.shape, strides, dilations, extra):
        wanted, before = transposed_size(size, k, s, d, padding, p)
        reached = (size - 1) * s + (k - 1) * d + 1 - before
        low.append(before)
        high.append(max(reached - wanted, 0))
        # beyond one stride after the last window nothing is reached: zeros
        cut = min(wanted, reached + s - 1)
        inner.append(cut)
        tail.append(wanted - cut)
    found = apply(
        "conv_dx",
        x,
        w,
        strides=strides,
        dilations=dilations,
        pads_low=low,
        pads_high=high,
        groups=1,
        input_spatial=inner,
    )
    if any(tail):
        found = apply("pad", found, low=[0] * x.ndim, high=[0, *tail, 0], value=0.0)
    return to_channels_first(found) if first else found
