"""The operators, by family. Importing this fills the table."""

from __future__ import annotations

from pronghorn.onnx.importing.operators import (
    activations,
    convolution,
    elementwise,
    estimators,
    indexing,
    linear,
    normalization,
    pooling,
    recurrent,
    reductions,
    resize,
    scatters,
    shapes,
    slices,
)
from pronghorn.onnx.importing.registry import OPERATORS

__all__ = [
    "OPERATORS",
    "activations",
    "convolution",
    "elementwise",
    "estimators",
    "indexing",
    "linear",
    "normalization",
    "pooling",
    "recurrent",
    "reductions",
    "resize",
    "scatters",
    "shapes",
    "slices",
]
