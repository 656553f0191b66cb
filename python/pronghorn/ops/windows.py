"""Window functions for signals."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import config
from pronghorn.ops.arguments import TensorLike, concrete
from pronghorn.ops.creation import from_numpy
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor


def _window(name: str, x: TensorLike, function: Any, *arguments: float) -> Tensor:
    n = x if isinstance(x, int) else int(concrete(x, name))
    return from_numpy(function(n, *arguments), config.floatx())


@op
def bartlett(x: TensorLike) -> Tensor:
    """Returns the Bartlett window (a triangle).

    Args:
        x: how many values.

    Returns:
        A float vector.

    Example:

    >>> ops.bartlett(3).numpy()
    array([0., 1., 0.], dtype=float32)
    """
    return _window("bartlett", x, np.bartlett)


@op
def blackman(x: TensorLike) -> Tensor:
    """Returns the Blackman window (a sum of three cosines).

    Args:
        x: how many values.

    Returns:
        A float vector.

    Example:

    >>> ops.blackman(3).shape
    (3,)
    """
    return _window("blackman", x, np.blackman)


@op
def hamming(x: TensorLike) -> Tensor:
    """Returns the Hamming window (a raised cosine that does not reach 0).

    Args:
        x: how many values.

    Returns:
        A float vector.

    Example:

    >>> ops.hamming(3).shape
    (3,)
    """
    return _window("hamming", x, np.hamming)


@op
def hanning(x: TensorLike) -> Tensor:
    """Returns the Hann window (a raised cosine).

    Args:
        x: how many values.

    Returns:
        A float vector.

    Example:

    >>> ops.hanning(3).numpy()
    array([0., 1., 0.], dtype=float32)
    """
    return _window("hanning", x, np.hanning)


@op
def kaiser(x: TensorLike, beta: float) -> Tensor:
    """Returns the Kaiser window.

    Args:
        x: how many values.
        beta: its shape; 0 gives a rectangle.

    Returns:
        A float vector.

    Example:

    >>> ops.kaiser(3, 0.0).numpy()
    array([1., 1., 1.], dtype=float32)
    """
    beta = beta if isinstance(beta, (int, float)) else concrete(beta, "kaiser", "beta").item()
    return _window("kaiser", x, np.kaiser, beta)
