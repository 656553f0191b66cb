"""Converters by family; importing this package fills the table."""

from pronghorn.onnx.export.operators import (
    attention,
    conv,
    elementwise,
    fourier,
    indexing,
    matmul,
    normalize,
    pool,
    recurrent,
    reduce,
    scans,
    scatter,
    shape,
    sort,
)

__all__ = [
    "attention", "conv", "elementwise", "fourier", "indexing", "matmul", "normalize", "pool",
    "recurrent", "reduce", "scans", "scatter", "shape", "sort",
]  # fmt: skip
