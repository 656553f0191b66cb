"""Weights of CuDNNLSTM and CuDNNGRU in the form of LSTM and GRU.

cuDNN keeps each gate's input kernel transposed in memory, its recurrent kernel transposed, and two
biases, of the input and of the state, which LSTM adds up and GRU (`reset_after`) keeps as rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_GATES = {"LSTM": 4, "GRU": 3}


class ConvertedWeights:
    """Stored weights in the form that a layer takes.

    Args:
        shapes: Their shapes.
        values: Reads them.
    """

    def __init__(self, shapes: list[tuple[int, ...]], values: Callable[[], list[Any]]) -> None:
        self.shapes = shapes
        self.values = values


def converted_weights(layer: Any, stored: list[Any]) -> ConvertedWeights:
    """Returns the stored weights of a layer, those of cuDNN's layers converted.

    Args:
        layer: The layer that takes them, perhaps a Bidirectional around an LSTM or GRU.
        stored: Arrays in a file, which are read when the weights are asked for.
    """
    shapes = [tuple(d.shape) for d in stored]
    inner = getattr(layer, "forward_layer", layer)
    gates = _GATES.get(type(inner).__name__)
    each = 3 if inner is layer else 6
    if gates is None or len(shapes) != each or not _is_cudnn(inner, shapes[2], gates):
        return ConvertedWeights(shapes, lambda: stored)
    bias = tuple(inner.cell.bias.shape)
    wanted = [s if i % 3 < 2 else bias for i, s in enumerate(shapes)]

    def values() -> list[Any]:
        arrays = [np.asarray(array) for array in stored]
        found: list[Any] = []
        for i in range(0, len(arrays), 3):
            kernel, recurrent, biases = arrays[i : i + 3]
            found += _converted(kernel, recurrent, biases, gates, bias)
        return found

    return ConvertedWeights(wanted, values)


def _is_cudnn(layer: Any, bias: tuple[int, ...], gates: int) -> bool:
    return bias == (2 * gates * int(layer.units),)


def _converted(
    kernel: Any, recurrent: Any, bias: Any, gates: int, shape: tuple[int, ...]
) -> list[Any]:
    parts = np.hsplit(kernel, gates)
    kernel = np.hstack([part.T.reshape(part.shape, order="F") for part in parts])
    recurrent = np.hstack([part.T for part in np.hsplit(recurrent, gates)])
    halves = bias.reshape(2, -1)
    return [kernel, recurrent, halves if len(shape) == 2 else halves.sum(axis=0)]
