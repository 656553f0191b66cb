"""Initializers without random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pronghorn import config, ops
from pronghorn.dtypes import standardize_dtype
from pronghorn.initializers.initializer import Initializer
from pronghorn.initializers.windows import WINDOWS, window_values
from pronghorn.saving import deserialization, serialization


def _dtype(dtype: Any) -> str:
    return standardize_dtype(dtype if dtype is not None else config.floatx())


class Zeros(Initializer):
    """Zeros.

    Example:

    >>> import pronghorn as keras
    >>> keras.initializers.Zeros()((2,)).numpy().tolist()
    [0.0, 0.0]
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return ops.zeros(tuple(shape), dtype=_dtype(dtype))


class Ones(Initializer):
    """Ones.

    Example:

    >>> import pronghorn as keras
    >>> keras.initializers.Ones()((2,)).numpy().tolist()
    [1.0, 1.0]
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return ops.ones(tuple(shape), dtype=_dtype(dtype))


class Constant(Initializer):
    """One value everywhere, or an array broadcast to the shape.

    Args:
        value: A number, or an array that broadcasts to the shapes asked for.

    Raises:
        ValueError: If an array does not broadcast to the shape.

    Example:

    >>> import pronghorn as keras
    >>> keras.initializers.Constant(3.0)((2,)).numpy().tolist()
    [3.0, 3.0]
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        shape = tuple(shape)
        try:
            values = np.broadcast_to(np.asarray(self.value), shape)
        except ValueError as error:
            raise ValueError(
                "Constant: value must broadcast to the shape. "
                f"Received: value of shape {np.shape(self.value)}, shape={shape}."
            ) from error
        return ops.convert_to_tensor(np.array(values), dtype=_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"value": serialization.serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constant:
        return cls(deserialization.deserialize_keras_object(config["value"]))


class Identity(Initializer):
    """A matrix with `gain` on its diagonal and zeros elsewhere.

    Args:
        gain: Value on the diagonal.

    Raises:
        ValueError: If the shape is not that of a matrix.

    Example:

    >>> import pronghorn as keras
    >>> keras.initializers.Identity(2.0)((2, 2)).numpy().tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        shape = tuple(shape)
        if len(shape) != 2:
            raise ValueError(
                "Identity matrix initializer can only be used for 2D matrices. "
                f"Received: shape={shape} of rank {len(shape)}."
            )
        values = self.gain * np.eye(*shape, dtype="float32")
        return ops.convert_to_tensor(values, dtype=_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


class STFT(Initializer):
    """Real or imaginary part of the Fourier vectors of a short-time Fourier transform, windowed.

    The shape must be `(frame_length, 1, 1 + fft_length // 2)`, as the kernel of a `Conv1D`.

    Args:
        side: `"real"` (cosines) or `"imag"` (sines).
        window: Name of a window (`"hann"`, `"hamming"`, `"tukey"`, ...; as in SciPy, also a tuple
            with its parameter), an array of `frame_length` values, or `None`.
        scaling: `"density"` divides by the root of the sum of squares of the window, `"spectrum"`
            by its sum, `None` not at all.
        periodic: Whether the window is periodic (for spectra) instead of symmetric.

    Raises:
        ValueError: If an argument or the shape is invalid.
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        if side not in ("real", "imag"):
            raise ValueError(f"STFT: side must be 'real' or 'imag'. Received: side={side!r}.")
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(
                "STFT: scaling must be 'density', 'spectrum' or None. "
                f"Received: scaling={scaling!r}."
            )
        name = window[0] if isinstance(window, tuple) and window else window
        if isinstance(name, str) and name not in WINDOWS:
            raise ValueError(
                f"STFT: window must be one of {', '.join(WINDOWS)}. Received: window={window!r}."
            )
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        shape = tuple(shape)
        if len(shape) != 3 or shape[1] != 1:
            raise ValueError(
                "STFT: expected shape (frame_length, 1, 1 + fft_length // 2). "
                f"Received: shape={shape}."
            )
        frame_length, _, bins = shape
        fft_length = (bins - 1) * 2
        times = np.arange(frame_length).reshape(-1, 1, 1)
        frequencies = (np.arange(bins) / max(fft_length, 1)).reshape(1, 1, -1)
        angles = -2.0 * np.pi * times * frequencies
        values = np.cos(angles) if self.side == "real" else np.sin(angles)
        window = window_values(self.window, frame_length, self.periodic)
        if window is not None:
            if self.scaling == "density":
                window = window / np.sqrt(np.sum(window**2))
            elif self.scaling == "spectrum":
                window = window / np.sum(window)
            values = values * window.reshape(-1, 1, 1)
        return ops.convert_to_tensor(values.astype("float32"), dtype=_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {
            "side": self.side,
            "window": self.window,
            "periodic": self.periodic,
            "scaling": self.scaling,
        }
