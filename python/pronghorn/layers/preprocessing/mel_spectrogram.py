"""MelSpectrogram: sound as its power in bands that are equally wide on the mel scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import ops
from pronghorn.layers.arguments import positive_integer
from pronghorn.layers.layer import Layer


class MelSpectrogram(Layer):
    """Power of sound in bands of the mel scale, over time.

    The short-time Fourier transform (`ops.stft`, centered), its magnitude to the power `mag_exp`,
    the product with triangular filters (O'Shaughnessy 1987: `mel(f) = 1127 log(1 + f / 700)`), and
    decibels. The layer has no weights.

    Args:
        fft_length: length of the transform.
        sequence_stride: samples between the beginnings of frames.
        sequence_length: samples of a frame, at most `fft_length`; by default `fft_length`.
        window: as for `ops.stft`.
        sampling_rate: samples per second.
        num_mel_bins: number of bands.
        min_freq: lower edge of the lowest band, in hertz.
        max_freq: upper edge of the highest band, in hertz; by default half of the sampling rate.
        power_to_db: whether decibels are returned, `10 log10(power / ref_power)`.
        top_db: how far below the largest value of the whole batch decibels are cut off.
        mag_exp: exponent of the magnitude: 1 for magnitudes, 2 for powers.
        min_power: least power and least `ref_power` that a logarithm is taken of.
        ref_power: power that is 0 decibels.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, samples)` or `(samples,)`.

    Output shape:
        `(batch, num_mel_bins, frames)` or `(num_mel_bins, frames)`, with `samples //
        sequence_stride + 1` frames.

    Raises:
        ValueError: If `sequence_length` is above `fft_length`, or a size is not positive.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.MelSpectrogram(fft_length=512, sequence_stride=160, num_mel_bins=40)
    >>> layer(np.zeros((2, 16000), "float32")).shape
    (2, 40, 101)
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.fft_length = positive_integer(self, "fft_length", fft_length)
        self.sequence_stride = positive_integer(self, "sequence_stride", sequence_stride)
        self.sequence_length = sequence_length or fft_length
        if self.fft_length < self.sequence_length:
            raise ValueError(
                "MelSpectrogram: `fft_length` must be greater than or equal to `sequence_length`. "
                f"Received: sequence_length={sequence_length}, fft_length={fft_length}."
            )
        self.window = window
        self.sampling_rate = sampling_rate
        self.num_mel_bins = positive_integer(self, "num_mel_bins", num_mel_bins)
        self.min_freq = min_freq
        self.max_freq = max_freq or int(sampling_rate / 2)
        self.power_to_db = power_to_db
        self.top_db = top_db
        self.mag_exp = mag_exp
        self.min_power = min_power
        self.ref_power = ref_power

    def call(self, inputs: Any) -> Any:
        """Returns the spectrogram of `inputs`."""
        real, imag = ops.stft(
            ops.cast(inputs, "float32"),
            sequence_length=self.sequence_length,
            sequence_stride=self.sequence_stride,
            fft_length=self.fft_length,
            window=self.window,
        )
        power = ops.add(ops.square(real), ops.square(imag))
        if self.mag_exp != 2.0:
            power = ops.power(power, 0.5 * self.mag_exp)
        matrix = self.linear_to_mel_weight_matrix(
            num_mel_bins=self.num_mel_bins,
            num_spectrogram_bins=self.fft_length // 2 + 1,
            sampling_rate=self.sampling_rate,
            lower_edge_hertz=self.min_freq,
            upper_edge_hertz=self.max_freq,
        )
        found = ops.matmul(power, matrix)
        if self.power_to_db:
            reference = 10.0 * np.log10(max(abs(self.ref_power), self.min_power))
            found = ops.multiply(ops.log10(ops.maximum(found, self.min_power)), 10.0)
            found = ops.subtract(found, float(reference))
            found = ops.maximum(found, ops.subtract(ops.max(found), self.top_db))
        return ops.cast(ops.swapaxes(found, -1, -2), self.compute_dtype)

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: float = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: str = "float32",
    ) -> Any:
        """Returns the triangular filters, whose edges are equally far apart on the mel scale.

        Args:
            num_mel_bins: number of filters.
            num_spectrogram_bins: bins of the spectrum, from 0 to half of the sampling rate.
            sampling_rate: samples per second.
            lower_edge_hertz: lower edge of the first filter.
            upper_edge_hertz: upper edge of the last filter.
            dtype: dtype of the result.

        Returns:
            A tensor `(num_spectrogram_bins, num_mel_bins)` with peaks of 1; the first bin has no
            weight.
        """
        bins = _mel(np.linspace(0.0, sampling_rate / 2.0, num_spectrogram_bins))[1:, None]
        edges = np.linspace(_mel(lower_edge_hertz), _mel(upper_edge_hertz), num_mel_bins + 2)
        lower, center, upper = edges[:-2], edges[1:-1], edges[2:]
        rising = (bins - lower) / (center - lower)
        falling = (upper - bins) / (upper - center)
        weights = np.maximum(0.0, np.minimum(rising, falling))
        whole = np.pad(weights, [(1, 0), (0, 0)]).astype(np.float32)
        return ops.convert_to_tensor(whole, dtype=dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shape of the spectrogram."""
        samples = input_shape[-1]
        frames = None
        if samples is not None:
            odd = self.fft_length % 2
            frames = (samples - odd) // self.sequence_stride + 1
        return (*input_shape[:-1], self.num_mel_bins, frames)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "fft_length": self.fft_length,
            "sequence_stride": self.sequence_stride,
            "sequence_length": self.sequence_length,
            "window": self.window,
            "sampling_rate": self.sampling_rate,
            "num_mel_bins": self.num_mel_bins,
            "min_freq": self.min_freq,
            "max_freq": self.max_freq,
            "power_to_db": self.power_to_db,
            "top_db": self.top_db,
            "mag_exp": self.mag_exp,
            "min_power": self.min_power,
            "ref_power": self.ref_power,
        }


def _mel(hertz: Any) -> Any:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)
