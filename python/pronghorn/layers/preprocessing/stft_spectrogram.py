"""STFTSpectrogram: spectrograms as a convolution with windowed Fourier vectors."""

from __future__ import annotations

import math
import warnings
from typing import Any

from pronghorn import config, ops
from pronghorn.config import standardize_data_format
from pronghorn.initializers import STFT
from pronghorn.layers.arguments import owner_name, positive_integer
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


class STFTSpectrogram(Layer):
    """Spectrograms of signals, by a strided convolution with windowed cosines and sines.

    The cosines and sines are weights: they can be trained, and with `trainable=False` stay what
    they are. Every channel is transformed alike. Where they stay, `ops.stft` takes less time.

    Args:
        mode: what is returned: `"log"` (the logarithm of the magnitude), `"magnitude"`, `"psd"`
            (squared magnitude, doubled but for the first and the last bin), `"real"`, `"imag"`,
            `"angle"` in radians, or `"stft"` (real parts, then imaginary ones, along the bins).
        frame_length: samples of a frame.
        frame_step: samples between the beginnings of frames, at most `frame_length`; by default
            half of it.
        fft_length: length of the transform, at least `frame_length`; by default the next power of
            two.
        window: name of a window (`"hann"`, `"hamming"`, `"tukey"`, ...), a tuple of a name and its
            parameter, an array of `frame_length` values, or `None`.
        periodic: whether a named window is periodic instead of symmetric.
        scaling: `"density"`: the window is divided by the root of the sum of its squares;
            `"spectrum"`: by its sum; `None`: not at all.
        padding: `"valid"`: frames that lie in the signal; `"same"`: `ceil(time / frame_step)`
            frames, with zeros around the signal.
        expand_dims: whether bins and channels are axes of their own, as of an image.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, time, channels)`, or `(batch, channels, time)` for `"channels_first"`.

    Output shape:
        `(batch, frames, channels * bins)`, with `expand_dims` `(batch, frames, bins, channels)`;
        for `"channels_first"` `(batch, channels * bins, frames)` and `(batch, channels, frames,
        bins)`. There are `fft_length // 2 + 1` bins, for `"stft"` twice as many.

    Raises:
        ValueError: If an argument is not as above.
        TypeError: If the inputs are not floats.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.STFTSpectrogram(frame_length=256, frame_step=64)
    >>> layer(np.zeros((2, 1000, 1), "float32")).shape
    (2, 12, 129)
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        frame_length = positive_integer(self, "frame_length", frame_length)
        if frame_step is not None and not 1 <= frame_step <= frame_length:
            raise ValueError(
                "STFTSpectrogram: `frame_step` should be a positive integer not greater than "
                f"`frame_length`. Received: frame_step={frame_step}, frame_length={frame_length}."
            )
        if fft_length is not None and fft_length < frame_length:
            raise ValueError(
                "STFTSpectrogram: `fft_length` should be not less than `frame_length`. "
                f"Received: fft_length={fft_length}, frame_length={frame_length}."
            )
        if fft_length is not None and fft_length & (fft_length - 1):
            warnings.warn(
                "STFTSpectrogram: `fft_length` is recommended to be a power of two. "
                f"Received: fft_length={fft_length}.",
                stacklevel=2,
            )
        if mode not in _MODES:
            raise ValueError(
                "STFTSpectrogram: Output mode is invalid, it must be one of "
                f"{', '.join(_MODES)}. Received: mode={mode!r}."
            )
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(
                "STFTSpectrogram: Scaling is invalid, it must be `None`, 'density' or 'spectrum'. "
                f"Received: scaling={scaling!r}."
            )
        if padding not in ("valid", "same"):
            raise ValueError(
                "STFTSpectrogram: Padding is invalid, it should be 'valid', 'same'. "
                f"Received: padding={padding!r}."
            )
        STFT("real", window, scaling, periodic)  # refuses what is no window
        super().__init__(**kwargs)
        self.mode = mode
        self.frame_length = frame_length
        self.frame_step = frame_step
        self.fft_length = fft_length
        self.window = window
        self.periodic = periodic
        self.scaling = scaling
        self.padding = padding
        self.expand_dims = expand_dims
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)

    @property
    def _step(self) -> int:
        return self.frame_step or max(self.frame_length // 2, 1)

    @property
    def _bins(self) -> int:
        fft_length = self.fft_length or 2 ** math.ceil(math.log2(self.frame_length))
        return fft_length // 2 + 1

    real_kernel: Any
    imag_kernel: Any

    def build(self, input_shape: Any = None) -> None:
        """Creates `real_kernel` and `imag_kernel`, `(frame_length, 1, bins)`, as the mode needs."""
        for side in ("real", "imag"):
            if self.mode in ("real", "imag") and self.mode != side:
                continue
            kernel = self.add_weight(
                name=f"{side}_kernel",
                shape=(self.frame_length, 1, self._bins),
                initializer=STFT(side, self.window, self.scaling, self.periodic),
            )
            setattr(self, f"{side}_kernel", kernel)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the spectrogram of `inputs`."""
        if "float" not in str(inputs.dtype):
            raise TypeError(
                f"{owner_name(self)}: Invalid input type. Expected `float16`, `float32` or "
                f"`float64`. Received: input type={inputs.dtype}."
            )
        if self.mode == "real":
            return self._arranged(self._transform(inputs, [self.real_kernel]))
        if self.mode == "imag":
            return self._arranged(self._transform(inputs, [self.imag_kernel]))
        both = self._transform(inputs, [self.real_kernel, self.imag_kernel])
        if self.mode == "stft":
            return self._arranged(both)
        real, imag = ops.split(both, 2, axis=-1)
        if self.mode == "angle":
            return self._arranged(ops.arctan2(imag, real))
        power = ops.add(ops.square(real), ops.square(imag))
        if self.mode == "psd":
            inner = ops.pad(power[..., 1:-1], [(0, 0)] * 3 + [(1, 1)])
            return self._arranged(ops.add(power, inner))
        epsilon = config.epsilon()
        magnitude = ops.sqrt(ops.maximum(power, epsilon))
        if self.mode == "log":
            magnitude = ops.log(ops.maximum(magnitude, epsilon))
        return self._arranged(magnitude)

    def _transform(self, inputs: Any, kernels: list[Any]) -> Any:
        """The product of all frames with the kernels: `(batch, channels, frames, bins)`."""
        if self.data_format == "channels_last":
            inputs = ops.transpose(inputs, (0, 2, 1))
        _, channels, time = inputs.shape
        inputs = ops.reshape(inputs, (-1, time, 1))
        kernel = ops.concatenate([ops.cast(k, inputs.dtype) for k in kernels], axis=-1)
        found = ops.conv(
            inputs, kernel, strides=self._step, padding=self.padding, data_format="channels_last"
        )
        return ops.reshape(found, (-1, channels, *found.shape[1:]))

    def _arranged(self, found: Any) -> Any:
        """`(batch, channels, frames, bins)` as the arguments want it."""
        _, channels, frames, bins = found.shape
        if self.data_format == "channels_last":
            if self.expand_dims:
                return ops.transpose(found, (0, 2, 3, 1))
            return ops.reshape(ops.transpose(found, (0, 2, 1, 3)), (-1, frames, channels * bins))
        if self.expand_dims:
            return found
        return ops.reshape(ops.transpose(found, (0, 1, 3, 2)), (-1, channels * bins, frames))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shape of the spectrogram."""
        batch, time, channels = input_shape
        if self.data_format == "channels_first":
            time, channels = channels, time
        frames = time
        if time is not None and self.padding == "same":
            frames = -(-time // self._step)
        elif time is not None:
            frames = (time - self.frame_length) // self._step + 1
        bins = self._bins * (2 if self.mode == "stft" else 1)
        if self.expand_dims:
            if self.data_format == "channels_last":
                return (batch, frames, bins, channels)
            return (batch, channels, frames, bins)
        columns = None if channels is None else channels * bins
        if self.data_format == "channels_last":
            return (batch, frames, columns)
        return (batch, columns, frames)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "mode": self.mode,
            "frame_length": self.frame_length,
            "frame_step": self.frame_step,
            "fft_length": self.fft_length,
            "window": self.window,
            "periodic": self.periodic,
            "scaling": self.scaling,
            "padding": self.padding,
            "data_format": self.data_format,
            "expand_dims": self.expand_dims,
        }
