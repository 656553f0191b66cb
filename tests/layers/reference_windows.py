"""Convolutions and pooling in float64 NumPy, by plain loops over the output positions."""

from __future__ import annotations

import itertools

import numpy as np


def pads(n: int, k: int, s: int, d: int, padding: str) -> tuple[int, int]:
    """Returns how many positions are added before and after one dimension."""
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return (k - 1) * d, 0
    total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
    return total // 2, total - total // 2


def windows(x, kernel, strides, padding, dilations, fill=0.0):
    """Yields (output position, window of shape (batch, *kernel, channels))."""
    sizes = x.shape[1:-1]
    edges = [pads(n, k, s, d, padding) for n, k, s, d in zip(sizes, kernel, strides, dilations)]
    x = np.pad(x, [(0, 0), *edges, (0, 0)], constant_values=fill)
    outputs = [
        (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip(x.shape[1:-1], kernel, strides, dilations)
    ]
    for position in itertools.product(*(range(n) for n in outputs)):
        index = tuple(
            slice(o * s, o * s + (k - 1) * d + 1, d)
            for o, k, s, d in zip(position, kernel, strides, dilations)
        )
        yield position, outputs, x[(slice(None), *index)]


def conv(x, kernel, strides, padding="valid", dilations=None, groups=1):
    """Returns the convolution of x (batch, ..., c) with kernel (..., c / groups, filters)."""
    rank = x.ndim - 2
    dilations = dilations or (1,) * rank
    size = kernel.shape[:rank]
    filters = kernel.shape[-1]
    per_in, per_out = x.shape[-1] // groups, filters // groups
    y = None
    for position, outputs, w in windows(x, size, strides, padding, dilations):
        if y is None:
            y = np.zeros((x.shape[0], *outputs, filters))
        for g in range(groups):
            part = w[..., g * per_in : (g + 1) * per_in]
            k = kernel[..., g * per_out : (g + 1) * per_out]
            value = np.tensordot(part, k, axes=(range(1, rank + 2), range(rank + 1)))
            y[(slice(None), *position, slice(g * per_out, (g + 1) * per_out))] = value
    return y


def depthwise(x, kernel, strides, padding="valid", dilations=None):
    """Returns the convolution of each channel with its own kernels (..., c, multiplier)."""
    rank = x.ndim - 2
    dilations = dilations or (1,) * rank
    channels, multiplier = kernel.shape[-2:]
    y = None
    for position, outputs, w in windows(x, kernel.shape[:rank], strides, padding, dilations):
        if y is None:
            y = np.zeros((x.shape[0], *outputs, channels * multiplier))
        value = np.einsum(
            "nkc,kcm->ncm",
            w.reshape(len(x), -1, channels),
            kernel.reshape(-1, channels, multiplier),
        )
        y[(slice(None), *position)] = value.reshape(len(x), -1)
    return y


def pool(x, size, strides, padding="valid", mode="max"):
    """Returns max or average pooling; padding counts for neither."""
    ones = (1,) * (x.ndim - 2)
    y = None
    for position, outputs, w in windows(x, size, strides, padding, ones, np.nan):
        if y is None:
            y = np.zeros((x.shape[0], *outputs, x.shape[-1]))
        reduce = np.nanmax if mode == "max" else np.nanmean
        y[(slice(None), *position)] = reduce(w, axis=tuple(range(1, x.ndim - 1)))
    return y


def first_to_last(x):
    """Returns a channels_first array as channels_last."""
    return np.moveaxis(x, 1, -1)


def last_to_first(x):
    """Returns a channels_last array as channels_first."""
    return np.moveaxis(x, -1, 1)
