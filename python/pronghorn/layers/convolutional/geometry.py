"""Output sizes of convolutions and pooling, with errors that name the dimension at fault.

All sizes are per spatial dimension; `None` stays `None`. The effective kernel size is
`(kernel - 1) * dilation + 1`.
"""

from __future__ import annotations

from typing import Any

from pronghorn.layers.arguments import SPATIAL_NAMES, Shape, owner_name


def conv_length(
    length: int | None, kernel: int, stride: int, padding: str, dilation: int = 1
) -> int | None:
    """Returns the output size of a convolution or a pooling along one dimension.

    `ceil(length / stride)` for `"same"` and `"causal"`, and
    `floor((length - effective kernel) / stride) + 1` for `"valid"`.
    """
    if length is None:
        return None
    if padding in ("same", "causal"):
        return -(-length // stride)
    return (length - (kernel - 1) * dilation - 1) // stride + 1


def transposed_length(
    length: int | None,
    kernel: int,
    stride: int,
    padding: str,
    output_padding: int | None,
    dilation: int = 1,
) -> int | None:
    """Returns the output size of a transposed convolution along one dimension."""
    if length is None:
        return None
    kernel = (kernel - 1) * dilation + 1
    if padding == "same":
        if output_padding is None:
            return length * stride
        return (length - 1) * stride + kernel - 2 * (kernel // 2) + output_padding
    if output_padding is None:
        return length * stride + max(kernel - stride, 0)
    return (length - 1) * stride + kernel + output_padding


def spatial_part(shape: Any, data_format: str) -> Shape:
    """Returns the sizes of the spatial dimensions of an input shape."""
    return tuple(shape[1:-1] if data_format == "channels_last" else shape[2:])


def join_shape(batch: int | None, spatial: Shape, channels: int | None, data_format: str) -> Shape:
    """Returns the shape with these parts in the order of `data_format`."""
    if data_format == "channels_last":
        return (batch, *spatial, channels)
    return (batch, channels, *spatial)


def check_rank(owner: Any, shape: Any, rank: int, data_format: str) -> None:
    """Raises if `shape` has not the batch, channels and `rank` spatial dimensions.

    Raises:
        ValueError: `Conv2D 'conv_1': expected rank 4 (batch, height, width, channels). ...`
    """
    if len(shape) == rank + 2:
        return
    names = join_shape(None, tuple(range(rank)), None, data_format)
    text = ["batch", *(["channels"] if data_format == "channels_first" else [])]
    text += [SPATIAL_NAMES[rank][n] for n in names if n is not None]
    text += ["channels"] if data_format == "channels_last" else []
    hint = "Add a Reshape." if len(shape) < rank + 2 else "Wrap the layer in TimeDistributed."
    raise ValueError(
        f"{owner_name(owner)}: expected rank {rank + 2} ({', '.join(text)}). "
        f"Received: shape={tuple(shape)}. {hint}"
    )


def window_output(
    owner: Any,
    what: str,
    input_shape: Any,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
    dilations: tuple[int, ...],
    data_format: str,
) -> Shape:
    """Returns the output sizes of the spatial dimensions of a convolution or a pooling.

    Args:
        owner: Layer that the error names.
        what: `"kernel_size"` or `"pool_size"`.
        input_shape: Shape of the input.
        window: Size of the kernel or pooling window.
        strides: Strides.
        padding: `"valid"`, `"same"` or `"causal"`.
        dilations: Dilation rates.
        data_format: `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: If an output size would be below 1; the message names the dimension.
    """
    rank = len(window)
    check_rank(owner, input_shape, rank, data_format)
    sizes = spatial_part(input_shape, data_format)
    output = tuple(
        conv_length(n, k, s, padding, d) for n, k, s, d in zip(sizes, window, strides, dilations)
    )
    for i, length in enumerate(output):
        if length is not None and length < 1:
            dilation = f", dilation_rate={dilations}" if set(dilations) != {1} else ""
            raise ValueError(
                f"{owner_name(owner)}: {what} is larger than the input along "
                f"{SPATIAL_NAMES[rank][i]}. Computed output size would be zero or negative. "
                f"Received: input_shape={tuple(input_shape)}, {what}={window}, strides={strides}"
                f"{dilation}, padding={padding!r}. Use a smaller {what} or padding='same'."
            )
    return output
