"""The functions of tensors, `pronghorn.ops`: NumPy's, those of neural networks, and a few more.

They take eager tensors, tensors of a trace, Variables, arrays, scalars and, for functional models,
KerasTensors. Names, arguments and result dtypes are those of Keras.
"""

from __future__ import annotations

from pronghorn.ops import image, nn, numpy
from pronghorn.ops.blocks import (
    scatter,
    scatter_update,
    slice,
    slice_update,
)
from pronghorn.ops.control import cond, fori_loop, switch, while_loop
from pronghorn.ops.core import (
    cast,
    convert_to_numpy,
    convert_to_tensor,
    dtype,
    is_tensor,
    saturate_cast,
    shape,
    stop_gradient,
)
from pronghorn.ops.custom_gradient import custom_gradient
from pronghorn.ops.exponential import (
    rsqrt,
)
from pronghorn.ops.fourier import fft, fft2, ifft2, irfft, istft, rfft, stft
from pronghorn.ops.joining import (
    unstack,
)
from pronghorn.ops.nn import *  # noqa: F403
from pronghorn.ops.numpy import *  # noqa: F403
from pronghorn.ops.reductions import (
    logsumexp,
)
from pronghorn.ops.scans import associative_scan, map, scan, vectorized_map
from pronghorn.ops.segments import (
    cdist,
    extract_sequences,
    segment_max,
    segment_min,
    segment_prod,
    segment_sum,
)
from pronghorn.ops.sorting import (
    in_top_k,
    top_k,
)
from pronghorn.ops.special import (
    erf,
    erfc,
    erfinv,
)

__all__ = [
    "associative_scan",
    "cast",
    "cdist",
    "cond",
    "convert_to_numpy",
    "convert_to_tensor",
    "custom_gradient",
    "dtype",
    "erf",
    "erfc",
    "erfinv",
    "extract_sequences",
    "fft",
    "fft2",
    "fori_loop",
    "ifft2",
    "image",
    "in_top_k",
    "irfft",
    "is_tensor",
    "istft",
    "logsumexp",
    "map",
    "nn",
    "numpy",
    "rfft",
    "rsqrt",
    "saturate_cast",
    "scan",
    "scatter",
    "scatter_update",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "shape",
    "slice",
    "slice_update",
    "stft",
    "stop_gradient",
    "switch",
    "top_k",
    "unstack",
    "vectorized_map",
    "while_loop",
]
__all__ += nn.__all__
__all__ += numpy.__all__
