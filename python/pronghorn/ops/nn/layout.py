"""Data formats and paddings that convolution and pooling share. The core is channels-last."""

from __future__ import annotations

from pronghorn import config
from pronghorn.ops.arguments import apply
from pronghorn.tensor import Tensor


def is_channels_first(data_format: str | None) -> bool:
    """Returns whether a data format (`None` for the default) is channels_first."""
    return config.standardize_data_format(data_format) == "channels_first"


def to_channels_last(x: Tensor) -> Tensor:
    """Returns `(batch, channels, spatial...)` as `(batch, spatial..., channels)`."""
    return apply("transpose", x, axes=[0, *range(2, x.ndim), 1])


def to_channels_first(x: Tensor) -> Tensor:
    """Returns `(batch, spatial..., channels)` as `(batch, channels, spatial...)`."""
    return apply("transpose", x, axes=[0, x.ndim - 1, *range(1, x.ndim - 1)])


def check_padding(padding: str, name: str) -> str:
    """Returns a padding in lower case.

    Raises:
        ValueError: unless it is "valid" or "same".
    """
    found = padding.lower() if isinstance(padding, str) else padding
    if found not in ("valid", "same"):
        raise ValueError(
            f"{name}: padding must be 'valid' or 'same'. Received: padding={padding!r}."
        )
    return found


def window_pads(
    sizes: list[int], window: list[int], strides: list[int], dilations: list[int], padding: str
) -> tuple[list[int], list[int]]:
    """Returns how many elements a padding adds before and after each spatial dimension."""
    low, high = [], []
    for n, k, s, d in zip(sizes, window, strides, dilations):
        outputs = -(-n // s)
        needed = max((outputs - 1) * s + (k - 1) * d + 1 - n, 0) if padding == "same" else 0
        low.append(needed // 2)
        high.append(needed - needed // 2)
    return low, high


def check_output(
    name: str, x: Tensor, window: list[int], dilations: list[int], pads: tuple[list[int], list[int]]
) -> None:
    """Raises if a window does not fit into the padded tensor."""
    for n, k, d, before, after in zip(x.shape[1:-1], window, dilations, *pads):
        if n + before + after < (k - 1) * d + 1:
            raise ValueError(
                f"{name}: the window must fit into the padded input, or the output is empty. "
                f"Received: spatial shape={tuple(x.shape[1:-1])}, window={tuple(window)}, "
                f"dilation={tuple(dilations)}. Use padding='same' or a smaller window."
            )
