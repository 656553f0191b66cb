"""Conv and ConvTranspose as layers, channels last."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import layers, ops
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder, channels_last_axes
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.operators.indexing import padded
from pronghorn.onnx.importing.operators.linear import following_bias, take_bias, weights_of
from pronghorn.onnx.importing.operators.windows import Window, window_of
from pronghorn.onnx.importing.registry import operator
from pronghorn.onnx.importing.values import Symbolic, Value

_CONV = {3: layers.Conv1D, 4: layers.Conv2D, 5: layers.Conv3D}
_DEPTHWISE = {3: layers.DepthwiseConv1D, 4: layers.DepthwiseConv2D}
_TRANSPOSE = {3: layers.Conv1DTranspose, 4: layers.Conv2DTranspose, 5: layers.Conv3DTranspose}
_CROPPING = {3: layers.Cropping1D, 4: layers.Cropping2D, 5: layers.Cropping3D}


def _operands(b: Builder, node: Node) -> tuple[Symbolic, np.ndarray, np.ndarray | None, int]:
    """Returns the images, weights, bias and count of groups, of shapes that fit."""
    x, kernel, bias = b.symbolic(node, 0), weights_of(b.required(node, 1)), b.value(node, 2)
    if kernel is None:
        raise ValueError("expected constant weights. Received: a tensor of the inputs.")
    numbers = weights_of(bias)
    if bias is not None and numbers is None:
        raise ValueError("expected a constant bias. Received: a tensor of the inputs.")
    rank = len(x.dims)
    if rank not in _CONV or kernel.ndim != rank or not kernel.size:
        raise ValueError(
            f"expected images of 1 to 3 axes and weights alike. Received: {x.dims}, {kernel.shape}."
        )
    group = attributes.integer(node, "group", 1)
    channels = kernel.shape[1] * group if node.operator == "Conv" else kernel.shape[0]
    outputs = kernel.shape[0] if node.operator == "Conv" else kernel.shape[1] * group
    if group < 1 or x.dims[1] != channels or channels % group or outputs % group:
        raise ValueError(
            f"expected {channels} channels in {group} groups. Received: shape={x.dims}."
        )
    if numbers is not None and numbers.shape != (outputs,):
        raise ValueError(f"expected a bias of shape ({outputs},). Received: {numbers.shape}.")
    given = attributes.integers(node, "kernel_shape")
    if given is not None and tuple(given) != kernel.shape[2:]:
        raise ValueError(f"expected kernel_shape {kernel.shape[2:]}. Received: {given}.")
    return x, kernel, numbers, group


@operator("Conv")
def conv(b: Builder, node: Node) -> Value:
    """Convolution: depthwise where every channel has its own group."""
    x, kernel, bias, group = _operands(b, node)
    rank, outputs = len(x.dims), kernel.shape[0]
    window = window_of(node, list(kernel.shape[2:]))
    padding = window.padding(list(x.dims[2:]))
    same_sizes = padding == "same" and all(s == 1 for s in window.strides)
    dims = [x.dims[0], None, *(x.dims[2:] if same_sizes else [None] * (rank - 2))]
    if padding is None:
        pads = window.explicit_pads(list(x.dims[2:]))
        x = b.result(b.channels_last(x), None, channels_last_axes(rank))
        x = padded(b, x, [(0, 0), (0, 0), *pads])
        padding = "valid"
    extra = None
    if bias is None:
        extra = bias = following_bias(b, node, (outputs, *(1,) * (rank - 2)))
    kwargs: dict[str, Any] = {
        "strides": tuple(window.strides),
        "padding": padding,
        "data_format": "channels_last",
        "dilation_rate": tuple(window.dilations),
        "use_bias": bias is not None,
    }
    depthwise = group > 1 and kernel.shape[1] == 1 and rank in _DEPTHWISE
    depthwise = depthwise and len(set(window.strides)) == 1
    spatial_first = (*range(2, rank), 1, 0)
    if depthwise:
        multiplier = outputs // group
        weights = kernel.reshape(group, multiplier, *kernel.shape[2:])
        weights = weights.transpose(*range(2, rank), 0, 1)
        found = b.call(
            _DEPTHWISE[rank],
            b.channels_last(x),
            kernel.shape[2:],
            depth_multiplier=multiplier,
            weights=[weights] if bias is None else [weights, bias],
            **kwargs,
        )
    else:
        weights = kernel.transpose(spatial_first)
        found = b.call(
            _CONV[rank],
            b.channels_last(x),
            outputs,
            kernel.shape[2:],
            groups=group,
            weights=[weights] if bias is None else [weights, bias],
            **kwargs,
        )
    value = b.result(found, dims, channels_last_axes(rank))
    if extra is not None:
        take_bias(b, node, value)
    return value


@operator("ConvTranspose")
def conv_transpose(b: Builder, node: Node) -> Value:
    """The transpose of a convolution; of several groups, one layer for each."""
    x, kernel, bias, group = _operands(b, node)
    rank = len(x.dims)
    window = window_of(node, list(kernel.shape[2:]))
    crops, longer = _transposed_crops(node, window, list(x.dims[2:]))
    tensor = b.channels_last(x)
    if any(longer):
        grown = b.result(tensor, None, channels_last_axes(rank))
        tensor = padded(b, grown, [(0, 0), (0, 0), *((0, n) for n in longer)]).tensor
    each = kernel.shape[0] // group
    if group > 256:
        raise ValueError(f"of {group} groups is not taken; 256 at most are.")
    places = [each * (i + 1) for i in range(group - 1)]
    parts = b.operation(ops.split, tensor, places, axis=-1, suffix="groups") if places else [tensor]
    units = kernel.shape[1]
    found = []
    for i, part in enumerate(parts):
        weights = kernel[i * each : (i + 1) * each].transpose(*range(2, rank), 1, 0)
        biases = [] if bias is None else [bias[i * units : (i + 1) * units]]
        found.append(
            b.call(
                _TRANSPOSE[rank],
                part,
                units,
                kernel.shape[2:],
                strides=tuple(window.strides),
                padding="valid",
                data_format="channels_last",
                dilation_rate=tuple(window.dilations),
                use_bias=bias is not None,
                weights=[weights, *biases],
                suffix="" if group == 1 and not any(map(any, crops)) else f"group{i}",
            )
        )
    tensor = found[0] if group == 1 else b.call(layers.Concatenate, found, suffix="join")
    if any(map(any, crops)):
        given: Any = crops[0] if rank == 3 else tuple(crops)
        kwargs: Any = {} if rank == 3 else {"data_format": "channels_last"}
        tensor = b.call(_CROPPING[rank], tensor, given, suffix="crop", **kwargs)
    dims = [x.dims[0], *[None] * (rank - 1)]
    return b.result(tensor, dims, channels_last_axes(rank))


def _transposed_crops(
    node: Node, window: Window, sizes: list[Any]
) -> tuple[list[tuple[int, int]], list[int]]:
    """Returns what to cut from a transposed convolution without pads, and rows to add before it."""
    rank = len(sizes)
    extra = attributes.window(node, "output_padding", rank, 0, least=0)
    shape = attributes.integers(node, "output_shape")
    crops, longer = [], []
    for i, size in enumerate(sizes):
        step, reach = window.strides[i], window.reach(i)
        if shape is not None or window.pads is None:
            if not isinstance(size, int):
                raise ValueError("with output_shape or auto_pad, of an open size, is not taken.")
            wanted = shape[i - rank] if shape is not None else size * step
            total = step * (size - 1) + extra[i] + reach - wanted
            if not isinstance(wanted, int) or not 0 < wanted < 2**31:
                raise ValueError(f"expected sizes as output_shape. Received: {shape}.")
            half = total // 2
            upper = window.pads is None and not window.lower
            pair = (half, total - half) if upper else (total - half, half)
        else:
            pair = window.pads[i]
        # The layer gives size * step + max(reach - step, 0) rows, some at the end of zeros.
        full = max(reach - step, 0)
        ours = reach - step + extra[i] - pair[0] - pair[1]
        end = full - pair[0] - ours
        more = 0
        while end < 0:
            more, end = more + 1, end + step
        if pair[0] < 0 or more > 2**20:
            raise ValueError(f"expected pads of 0 or more. Received: {pair}.")
        crops.append((pair[0], end))
        longer.append(more)
    return crops, longer
