"""Kernels of convolutions from files that Keras 2 wrote with Theano, which turned them around.

Theano's convolution is that of mathematics: the kernel is mirrored along each direction of the
image. All other backends compute the correlation, as pronghorn does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_KERNELS = {
    "Conv1D": ("kernel",),
    "Conv2D": ("kernel",),
    "Conv3D": ("kernel",),
    "Conv2DTranspose": ("kernel",),
    "Conv3DTranspose": ("kernel",),
    "SeparableConv1D": ("depthwise_kernel",),
    "SeparableConv2D": ("depthwise_kernel",),
    "DepthwiseConv2D": ("depthwise_kernel",),
    "ConvLSTM1DCell": ("kernel", "recurrent_kernel"),
    "ConvLSTM2DCell": ("kernel", "recurrent_kernel"),
    "ConvLSTM3DCell": ("kernel", "recurrent_kernel"),
}


def mirrored_kernels(model: Any, is_mirrored: bool) -> set[int]:
    """Returns the ids of the variables of a model whose values in a file are mirrored.

    Args:
        model: The model.
        is_mirrored: Whether Theano's Keras wrote the file; if not, there are none.
    """
    found: set[int] = set()
    for layer in model._flatten_layers() if is_mirrored else ():
        for cls in type(layer).__mro__:
            for name in _KERNELS.get(cls.__name__, ()):
                found.add(id(getattr(layer, name)))
    return found


def mirrored(kernel: Any) -> Any:
    """Returns a kernel `(*sizes, in, out)` mirrored along all of its sizes."""
    array = np.asarray(kernel)
    return np.flip(array, axis=tuple(range(array.ndim - 2)))
