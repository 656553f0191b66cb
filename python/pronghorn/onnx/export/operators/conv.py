"""Convolutions: images are channels last in the core, channels first in ONNX."""

from __future__ import annotations

from pronghorn.onnx.export.operators.windows import padding, to_first, to_last
from pronghorn.onnx.export.sizes import fixed
from pronghorn.onnx.export.table import Call, converter


def _window(call: Call, i: int = 1) -> list[int]:
    return [call.known(s, "the size of the kernel") for s in call.shape(i)[:-2]]


def _dilations(call: Call, spatial: int) -> list[int]:
    return list(call.attrs.get("dilations", [1] * spatial))


@converter("conv")
def conv(call: Call) -> str:
    w, rank = call.w, call.rank()
    kernel = w.transpose(call.inputs[1], [rank - 1, rank - 2, *range(rank - 2)])
    return _conv(call, kernel, call.attrs.get("groups", 1))


@converter("depthwise_conv")
def depthwise_conv(call: Call) -> str:
    return _conv(call, _depthwise_kernel(call), call.known(call.shape(1)[-2], "channels"))


def _depthwise_kernel(call: Call) -> str:
    w, rank = call.w, call.rank()
    window = _window(call)
    channels, multiplier = (call.known(s, "channels") for s in call.shape(1)[-2:])
    kernel = w.transpose(call.inputs[1], [rank - 2, rank - 1, *range(rank - 2)])
    return w.reshape(kernel, [channels * multiplier, 1, *window])


def _conv(call: Call, kernel: str, groups: int) -> str:
    w, rank = call.w, call.rank()
    window = _window(call)
    x = to_first(call, call.x, rank)
    y = w.op(
        "Conv", x, kernel, kernel_shape=window, group=groups, strides=list(call.attrs["strides"]),
        dilations=_dilations(call, rank - 2), **padding(call, window),
    )  # fmt: skip
    return to_last(call, y, rank)


@converter("conv_dx")
def conv_transpose(call: Call) -> str:
    rank = call.rank()
    kernel = call.w.transpose(call.inputs[1], [rank - 1, rank - 2, *range(rank - 2)])
    return _transposed(call, kernel, call.attrs.get("groups", 1))


@converter("depthwise_conv_dx")
def depthwise_conv_transpose(call: Call) -> str:
    return _transposed(call, _depthwise_kernel(call), call.known(call.shape(1)[-2], "channels"))


def _transposed(call: Call, kernel: str, groups: int) -> str:
    w, rank = call.w, call.rank()
    window, strides = _window(call), list(call.attrs["strides"])
    dilations = _dilations(call, rank - 2)
    low, high = call.attrs["pads_low"], call.attrs["pads_high"]
    added = []
    for i, (size, result) in enumerate(zip(call.shape()[1:-1], call.out.shape[1:-1])):
        if not isinstance(low[i], int) or not isinstance(high[i], int):
            raise call.refuse("its padding depends on an unknown size")
        full = (n * strides[i] - strides[i] + (window[i] - 1) * dilations[i] + 1 for n in size)
        more = fixed(tuple(r - f + low[i] + high[i] for r, f in zip(result, full)))
        if more is None:
            raise call.refuse("its size depends on an unknown size in no fixed way")
        added.append(more)
    # ONNX adds less than a stride; what is cropped is padding more, what is beyond is 0.
    pads_high = [h - min(a, 0) for h, a in zip(high, added)]
    inside = [min(max(a, 0), max(s, d) - 1) for a, s, d in zip(added, strides, dilations)]
    beyond = [max(a, 0) - i for a, i in zip(added, inside)]
    x = to_first(call, call.x, rank)
    y = w.op(
        "ConvTranspose", x, kernel, kernel_shape=window, group=groups, strides=strides,
        dilations=dilations, pads=[*low, *pads_high], output_padding=inside,
    )  # fmt: skip
    if any(beyond):
        y = w.op("Pad", y, w.ints([0] * (rank + 2) + beyond), mode="constant")
    return to_last(call, y, rank)
