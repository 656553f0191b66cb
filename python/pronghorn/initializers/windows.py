"""Window functions of spectral analysis, in float64 NumPy. Names and formulas are SciPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def _cosines(*coefficients: float) -> Callable[[Any], Any]:
    def values(x: Any) -> Any:
        return np.sum(
            [(-1) ** k * c * np.cos(2 * np.pi * k * x) for k, c in enumerate(coefficients)], axis=0
        )

    return values


def _tukey(x: Any, alpha: float = 0.5) -> Any:
    if alpha <= 0:
        return np.ones_like(x)
    edge = np.minimum(np.minimum(x, 1 - x) / (alpha / 2), 1.0)
    return 0.5 * (1 - np.cos(np.pi * edge))


def _bohman(x: Any) -> Any:
    distance = np.abs(2 * x - 1)
    return (1 - distance) * np.cos(np.pi * distance) + np.sin(np.pi * distance) / np.pi


# Functions of the position in the window, 0 at its first and 1 at its last point.
WINDOWS: dict[str, Callable[..., Any]] = {
    "blackman": _cosines(0.42, 0.5, 0.08),
    "blackmanharris": _cosines(0.35875, 0.48829, 0.14128, 0.01168),
    "bohman": _bohman,
    "boxcar": np.ones_like,
    "cosine": np.ones_like,  # the half sample offset is in window_values
    "flattop": _cosines(0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
    "hamming": _cosines(0.54, 0.46),
    "hann": _cosines(0.5, 0.5),
    "kaiser": lambda x, beta=14.0: np.i0(beta * np.sqrt(1 - (2 * x - 1) ** 2)) / np.i0(beta),
    "nuttall": _cosines(0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "bartlett": lambda x: 1 - np.abs(2 * x - 1),
    "tukey": _tukey,
}


def window_values(window: Any, length: int, periodic: bool) -> Any:
    """Returns the values of a window, `None` for no window.

    Args:
        window: A name, a tuple of a name and parameters, an array, or `None`.
        length: Number of values.
        periodic: Whether the window is periodic, that is the first `length` of `length + 1` values.

    Raises:
        ValueError: If an array has another length.
    """
    if window is None:
        return None
    if not isinstance(window, str) and not (
        isinstance(window, tuple) and window and isinstance(window[0], str)
    ):
        values = np.asarray(window, dtype="float64").reshape(-1)
        if len(values) != length:
            raise ValueError(
                f"STFT: window must have {length} values. Received: {len(values)} values."
            )
        return values
    name, *parameters = (window,) if isinstance(window, str) else window
    points = length + 1 if periodic else length
    if points == 1:
        return np.ones(length)
    if name == "cosine":
        return np.sin(np.pi / points * (np.arange(length) + 0.5))
    return WINDOWS[name](np.arange(length) / (points - 1), *parameters)
