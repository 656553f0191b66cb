"""Pooling as layers, channels last."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn import layers, ops
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder, channels_last_axes
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.operators.elementwise import elementwise
from pronghorn.onnx.importing.operators.indexing import padded
from pronghorn.onnx.importing.operators.windows import Window, window_of
from pronghorn.onnx.importing.registry import operator
from pronghorn.onnx.importing.values import Constant, Symbolic, Value

_MAX = {3: layers.MaxPooling1D, 4: layers.MaxPooling2D, 5: layers.MaxPooling3D}
_AVERAGE = {3: layers.AveragePooling1D, 4: layers.AveragePooling2D, 5: layers.AveragePooling3D}
_GLOBAL = {
    "GlobalAveragePool": {
        3: layers.GlobalAveragePooling1D,
        4: layers.GlobalAveragePooling2D,
        5: layers.GlobalAveragePooling3D,
    },
    "GlobalMaxPool": {
        3: layers.GlobalMaxPooling1D,
        4: layers.GlobalMaxPooling2D,
        5: layers.GlobalMaxPooling3D,
    },
}
_LOWEST = float(np.finfo(np.float32).min)


def _image(b: Builder, node: Node) -> Symbolic:
    x = b.symbolic(node, 0)
    if len(x.dims) not in _MAX:
        raise ValueError(f"expected images of 1 to 3 axes. Received: shape={x.dims}.")
    if not x.tensor.dtype.startswith(("float", "bfloat")):
        raise ValueError(f"expected floating numbers. Received: dtype={x.tensor.dtype}.")
    return x


def _plan(b: Builder, node: Node, x: Symbolic) -> tuple[Window, str | None, list[tuple[int, int]]]:
    """Returns the window, the `padding` of a layer if that is all, and else the pads.

    With ceil_mode the pads contain the rows that the last window reaches beyond.
    """
    rank = len(x.dims) - 2
    window = window_of(node, attributes.window(node, "kernel_shape", rank, None))
    sizes = list(x.dims[2:])
    if not attributes.flag(node, "ceil_mode"):
        padding = window.padding(sizes)
        return window, padding, [] if padding else window.explicit_pads(sizes)
    pads = []
    for i, (front, end) in enumerate(window.explicit_pads(sizes)):
        size, step = sizes[i], window.strides[i]
        if not isinstance(size, int):
            raise ValueError(f"with ceil_mode of the open size '{size}': give input_shapes")
        span = size + front + end - window.reach(i)
        outputs = -(-span // step) + 1
        if (outputs - 1) * step >= size + front:  # the last window would start behind the image
            outputs -= 1
        pads.append((front, end + max(0, (outputs - 1) * step - span)))
    if not any(p for pair in pads for p in pair):
        return window, "valid", []
    return window, None, pads


def _pooled(
    b: Builder, cls: Any, x: Symbolic, window: Window, padding: str, suffix: str = ""
) -> Symbolic:
    found = b.call(
        cls,
        b.channels_last(x),
        tuple(window.kernel) if len(window.kernel) > 1 else window.kernel[0],
        strides=tuple(window.strides) if len(window.kernel) > 1 else window.strides[0],
        padding=padding,
        data_format="channels_last",
        suffix=suffix,
    )
    same = padding == "same" and all(s == 1 for s in window.strides)
    dims = [x.dims[0], None, *(x.dims[2:] if same else [None] * len(window.kernel))]
    return b.result(found, dims, channels_last_axes(len(x.dims)))


@operator("MaxPool")
def max_pool(b: Builder, node: Node) -> Value:
    """The largest number of each window."""
    attributes.refuse_others(node, storage_order=0)
    x = _image(b, node)
    window, padding, pads = _plan(b, node, x)
    if any(d != 1 for d in window.dilations):
        raise ValueError(f"with dilations {window.dilations} is not taken.")
    if padding is None:
        x = b.result(b.channels_last(x), x.dims, channels_last_axes(len(x.dims)))
        x = padded(b, x, [(0, 0), (0, 0), *pads], value=_LOWEST)
        padding = "valid"
    return _pooled(b, _MAX[len(x.dims)], x, window, padding)


@operator("AveragePool")
def average_pool(b: Builder, node: Node) -> Value:
    """The mean of each window, with the pads or of what lies inside."""
    x = _image(b, node)
    rank = len(x.dims)
    window, padding, pads = _plan(b, node, x)
    if any(d != 1 for d in window.dilations):
        raise ValueError(f"with dilations {window.dilations} is not taken.")
    counted = attributes.flag(node, "count_include_pad")
    cls = _AVERAGE[rank]
    if padding == "valid" or (padding == "same" and not counted):
        return _pooled(b, cls, x, window, padding)
    sizes = list(x.dims[2:])
    given = window.explicit_pads(sizes)
    pads = pads or given
    held = b.result(b.channels_last(x), x.dims, channels_last_axes(rank))
    whole = padded(b, held, [(0, 0), (0, 0), *pads])
    if counted and pads == given:
        return _pooled(b, cls, whole, window, "valid")
    found = _pooled(b, cls, whole, window, "valid", suffix="pool")
    if not all(isinstance(d, int) for d in (*sizes, *found.dims[2:])):
        raise ValueError("without its pads, of an open size, is not taken: give input_shapes")
    factors: Any = 1.0
    for i, size in enumerate(sizes):
        first, last = (-given[i][0], size + given[i][1]) if counted else (0, size)
        start = np.arange(found.dims[2 + i]) * window.strides[i] - pads[i][0]
        count = np.minimum(start + window.kernel[i], last) - np.maximum(start, first)
        shape = [1] * (rank - 2)
        shape[i] = -1
        factors = factors * (window.kernel[i] / np.maximum(count, 1)).reshape(shape)
    if math.prod(factors.shape) > 2**22:
        raise ValueError("without its pads, of so many windows, is not taken.")
    return elementwise(b, ops.multiply, [found, Constant(factors.astype(np.float32))])


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(b: Builder, node: Node) -> Value:
    """The mean or the largest number of each channel."""
    x = _image(b, node)
    rank = len(x.dims)
    found = b.call(
        _GLOBAL[node.operator][rank],
        b.channels_last(x),
        data_format="channels_last",
        keepdims=True,
    )
    return b.result(found, [x.dims[0], None, *[1] * (rank - 2)], channels_last_axes(rank))
