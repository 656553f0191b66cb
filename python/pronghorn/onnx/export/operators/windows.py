"""What convolution and pooling share: channels first, and padding of unknown sizes."""

from __future__ import annotations

from typing import Any

from pronghorn.onnx.export.sizes import Size, fixed
from pronghorn.onnx.export.table import Call


def to_first(call: Call, x: str, rank: int) -> str:
    """Returns an image with its channels before the spatial dimensions."""
    return call.w.transpose(x, [0, rank - 1, *range(1, rank - 1)])


def to_last(call: Call, x: str, rank: int) -> str:
    """Returns an image with its channels last."""
    return call.w.transpose(x, [0, *range(2, rank), 1])


def padding(call: Call, window: list[int]) -> dict[str, Any]:
    """Returns the attributes of an operator that say how an image is padded.

    Args:
        call: The node, with attributes `strides`, `dilations`, `pads_low` and `pads_high`.
        window: Size of the window, without dilation.

    Raises:
        ValueError: The padding depends on an unknown size in another way than that of "same".
    """
    attrs = call.attrs
    strides = attrs["strides"]
    dilations = attrs.get("dilations", [1] * len(window))
    low, high = attrs["pads_low"], attrs["pads_high"]
    sizes = call.shape()[1:-1]
    spans = [(k - 1) * d + 1 for k, d in zip(window, dilations)]
    is_known = all(isinstance(n, int) for n in (*low, *high))
    # Where the padding of "same" changes with the size, one size of each remainder tells it from
    # padding that does not; sizes that are all multiples need not.
    may_be_same = any(
        fixed(size) is None and _varies(span, stride) and _is_same(size, span, stride, a, b)
        for size, span, stride, a, b in zip(sizes, spans, strides, low, high)
    )
    if is_known and (not may_be_same or call.w.only_multiples):
        return {"pads": [*low, *high]}
    if not is_known and all(_is_same(*parts) for parts in zip(sizes, spans, strides, low, high)):
        return {"auto_pad": "SAME_UPPER"}
    raise call.refuse(
        "its padding depends on an unknown size; pass an `input_signature` with that size"
    )


def _same(size: int, span: int, stride: int) -> tuple[int, int]:
    total = max((-(-size // stride) - 1) * stride + span - size, 0)
    return total // 2, total - total // 2


def _varies(span: int, stride: int) -> bool:
    return len({_same(n, span, stride) for n in range(span, span + stride)}) > 1


def _is_same(size: Size, span: int, stride: int, low: int | Size, high: int | Size) -> bool:
    lows = (low,) * len(size) if isinstance(low, int) else low
    highs = (high,) * len(size) if isinstance(high, int) else high
    return all(_same(n, span, stride) == (a, b) for n, a, b in zip(size, lows, highs))
