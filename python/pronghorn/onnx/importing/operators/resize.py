"""Resize and Upsample: images of another size.

Along each axis an output is a weighted sum of a few rows of the input; rows and weights are worked
out here, as ONNX defines them, and taken by `ops.take`. Whole factors of the usual kinds become
UpSampling layers, which also take images of open size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn import layers, ops
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder, channels_last_axes
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.registry import operator
from pronghorn.onnx.importing.values import Dim, Symbolic, Value

_UP = {3: layers.UpSampling1D, 4: layers.UpSampling2D, 5: layers.UpSampling3D}
_MOST = 2**20
_PLACES = (
    "half_pixel",
    "pytorch_half_pixel",
    "asymmetric",
    "align_corners",
    "half_pixel_symmetric",
)
_ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


@operator("Resize", "Upsample")
def resize(b: Builder, node: Node) -> Value:
    """Images of another size, given as factors or as sizes."""
    x = b.symbolic(node, 0)
    rank = len(x.dims)
    old = node.operator == "Upsample" or b.opset < 11
    attributes.refuse_others(
        node, antialias=0, exclude_outside=0, keep_aspect_ratio_policy="stretch"
    )
    mode = attributes.text(node, "mode", "nearest")
    if mode not in ("nearest", "linear", "bilinear", "cubic") or (old and mode == "cubic"):
        raise ValueError(f"expected mode nearest, linear or cubic. Received: {mode!r:.100}.")
    place = attributes.text(node, "coordinate_transformation_mode", "half_pixel")
    rounding = attributes.text(node, "nearest_mode", "round_prefer_floor")
    if old:
        place, rounding = "asymmetric", "floor"
    if place not in _PLACES or rounding not in _ROUNDINGS:
        raise ValueError(f"with {place!r:.100} and {rounding!r:.100} is not taken.")
    axes = attributes.integers(node, "axes")
    axes = attributes.normalized_axes(list(range(rank)) if axes is None else axes, rank)
    scales, sizes = _scales_and_sizes(b, node, x, axes, old)
    if None in x.axes:
        x = b.result(b.plain(x), x.dims)
    if place == "half_pixel_symmetric" and any(s != int(s) for s in scales if s is not None):
        raise ValueError("with half_pixel_symmetric and broken factors is not taken.")
    layer = _layer(b, x, scales, mode, place, rounding)
    if layer is not None:
        return layer
    tensor = x.tensor
    for axis, (scale, size) in enumerate(zip(scales, sizes)):
        if scale == 1 or scale is None:
            continue
        length = x.dims[axis]
        if not isinstance(length, int) or not isinstance(size, int):
            raise ValueError(f"of the open size '{length}': give the sizes of the inputs")
        b.count_constant(8 * size, 8)
        taps = _taps(node, length, size, scale, mode, place, rounding)
        tensor = _weighted(b, tensor, int(x.axes[axis]), taps)  # type: ignore[arg-type]
    dims = [d if s in (1, None) else None for d, s in zip(x.dims, scales)]
    return b.result(tensor, dims, x.axes)


def _scales_and_sizes(
    b: Builder, node: Node, x: Symbolic, axes: list[int], old: bool
) -> tuple[list[float | None], list[Any]]:
    """Returns for each axis the factor, 1 where it keeps its size, and the new size."""
    given: Any = attributes_scales(b, node, old)
    wanted = None if old or len(node.inputs) < 4 else b.sizes(node, 3, "the sizes")
    scales: list[float | None] = [1.0] * len(x.dims)
    sizes: list[Any] = list(x.dims)
    if given is None and wanted is None:
        raise ValueError("expected factors or sizes.")
    if len(given if given is not None else wanted) != len(axes):  # type: ignore[arg-type]
        raise ValueError(f"expected {len(axes)} factors or sizes.")
    for i, axis in enumerate(axes):
        length = x.dims[axis]
        if given is not None:
            scale = given[i]
            if not math.isfinite(scale) or not 0 < scale <= _MOST:
                raise ValueError(f"expected factors from 0 to {_MOST}. Received: {given}.")
            scales[axis] = scale
            sizes[axis] = math.floor(length * scale) if isinstance(length, int) else None
        else:
            size = wanted[i]  # type: ignore[index]
            sizes[axis] = size
            if size == length:
                continue
            factor = _whole_factor(size, length)
            if factor is None and not (isinstance(size, int) and isinstance(length, int)):
                raise ValueError(f"to the open size '{size}': give the sizes of the inputs")
            scales[axis] = factor if factor is not None else size / length
        if isinstance(sizes[axis], int) and not 1 <= sizes[axis] <= 2**24:
            raise ValueError(f"expected sizes of 1 or more. Received: {sizes[axis]}.")
    return scales, sizes


def attributes_scales(b: Builder, node: Node, old: bool) -> list[float] | None:
    """Returns the factors of a node: an attribute, input 1 or input 2 in its versions."""
    if "scales" in node.attributes:
        found = node.attributes["scales"]
        if not isinstance(found, list) or not all(isinstance(s, float) for s in found):
            raise ValueError("attribute 'scales': expected floats.")
        return found
    array = b.array(node, 1 if old else 2, "the factors")
    if array is None or not array.size:
        return None
    return [float(s) for s in array.reshape(-1)]


def _whole_factor(size: Any, length: Any) -> float | None:
    if isinstance(length, Dim) and isinstance(size, Dim):
        quotient = size // length
        return float(quotient) if isinstance(quotient, int) else None
    return None


def _layer(
    b: Builder, x: Symbolic, scales: list[float | None], mode: str, place: str, rounding: str
) -> Symbolic | None:
    """Returns the images enlarged by an UpSampling layer, if one does the same."""
    rank = len(x.dims)
    factors = scales[2:]
    whole = all(s is not None and s >= 1 and s == int(s) for s in factors)
    if scales[:2] != [1.0, 1.0] or not whole or rank not in _UP:
        return None
    # Rows are repeated by each of these when the factor is whole.
    repeated = (place == "asymmetric" and rounding == "floor") or (
        place in ("half_pixel", "pytorch_half_pixel", "half_pixel_symmetric")
        and rounding.startswith("round")
    )
    smooth = rank == 4 and place.startswith(("half_pixel", "pytorch"))
    kwargs: dict[str, Any] = {}
    if mode == "nearest" and repeated:
        kwargs = {} if rank == 3 else {"data_format": "channels_last"}
    elif mode in ("linear", "bilinear") and smooth:
        kwargs = {"data_format": "channels_last", "interpolation": "bilinear"}
    else:
        return None
    size = tuple(int(s) for s in factors if s is not None)
    found = b.call(_UP[rank], b.channels_last(x), size[0] if rank == 3 else size, **kwargs)
    dims = [x.dims[0], None, *(d * s for d, s in zip(x.dims[2:], size))]
    return b.result(found, dims, channels_last_axes(rank))


def _taps(
    node: Node, length: int, size: int, scale: float, mode: str, place: str, rounding: str
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns rows and weights: output i is the sum of `weights[i] * x[rows[i]]` over the taps."""
    # In float32, as ONNX Runtime: where a place lies between two rows decides on the row.
    i, factor, half_row = np.arange(size, dtype=np.float32), np.float32(scale), np.float32(0.5)
    if place == "asymmetric":
        at = i / factor
    elif place == "align_corners":
        at = i * np.float32(length - 1) / np.float32(max(size - 1, 1))
    elif place == "pytorch_half_pixel" and size == 1:
        at = i * 0
    else:
        at = (i + half_row) / factor - half_row
    if mode == "nearest":
        half = {"round_prefer_floor": np.ceil(at - 0.5), "round_prefer_ceil": np.floor(at + 0.5)}
        whole = {"floor": np.floor(at), "ceil": np.ceil(at), **half}
        rows = np.clip(whole[rounding], 0, length - 1)
        return [(rows.astype(np.int32), np.ones(size))]
    if mode != "cubic":
        at = np.clip(at, 0, length - 1)
        first = np.minimum(np.floor(at), max(length - 2, 0))
        second = np.minimum(first + 1, length - 1)
        part = at - first
        return [(first.astype(np.int32), 1 - part), (second.astype(np.int32), part)]
    a = attributes.number(node, "cubic_coeff_a", -0.75)
    base = np.floor(at)
    taps = []
    for k in range(-1, 3):
        d = np.abs(at - (base + k))
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = a * (((d - 5) * d + 8) * d - 4)
        rows = np.clip(base + k, 0, length - 1).astype(np.int32)
        taps.append((rows, np.where(d <= 1, near, np.where(d < 2, far, 0))))
    return taps


def _weighted(b: Builder, tensor: Any, axis: int, taps: list[tuple[np.ndarray, np.ndarray]]) -> Any:
    total: Any = None
    for rows, weights in taps:
        part = b.operation(ops.take, tensor, rows, axis=axis, suffix="rows")
        if len(taps) > 1:
            shape = [1] * (len(tensor.shape) - axis)
            shape[0] = -1
            factors = weights.astype(np.float32).reshape(shape)
            part = b.operation(ops.multiply, part, factors, suffix="weighted")
        total = part if total is None else b.operation(ops.add, total, part, suffix="sum")
    return total
