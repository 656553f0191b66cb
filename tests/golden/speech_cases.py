"""Layers of spectrograms with their arguments, and CTC, for `make_speech.py` and the test."""

from __future__ import annotations

from typing import Any

import numpy as np

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")

#: Name of the case -> class of the layer, its arguments, shape of the input.
LAYERS: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    **{
        f"stft-{mode}": (
            "STFTSpectrogram",
            {"mode": mode, "frame_length": 20, "frame_step": 6, "fft_length": 32},
            (2, 70, 3),
        )
        for mode in _MODES
    },
    "stft-defaults": ("STFTSpectrogram", {}, (2, 700, 1)),
    "stft-first": (
        "STFTSpectrogram",
        {"mode": "psd", "frame_length": 16, "data_format": "channels_first", "scaling": "spectrum"},
        (2, 3, 70),
    ),
    "stft-first-images": (
        "STFTSpectrogram",
        {"frame_length": 16, "data_format": "channels_first", "expand_dims": True},
        (2, 3, 70),
    ),
    "stft-same-images": (
        "STFTSpectrogram",
        {
            "mode": "stft", "frame_length": 16, "frame_step": 7, "padding": "same",
            "expand_dims": True, "window": "hamming", "periodic": True, "scaling": None,
        },
        (2, 71, 2),
    ),
    "stft-no-window": (
        "STFTSpectrogram",
        {"mode": "magnitude", "frame_length": 10, "window": None},
        (1, 40, 1),
    ),
    "mel-defaults": ("MelSpectrogram", {}, (2, 5000)),
    "mel-one": (
        "MelSpectrogram",
        {
            "fft_length": 256, "sequence_stride": 64, "sequence_length": 200,
            "num_mel_bins": 20, "sampling_rate": 8000, "min_freq": 50.0, "max_freq": 3000.0,
            "ref_power": 2.0, "top_db": 30.0, "window": "hamming",
        },
        (900,),
    ),
    "mel-magnitude": (
        "MelSpectrogram",
        {
            "fft_length": 128, "sequence_stride": 100, "num_mel_bins": 12,
            "power_to_db": False, "mag_exp": 1.0,
        },
        (2, 1000),
    ),
}  # fmt: skip


def signal(name: str) -> np.ndarray:
    """The input of a case."""
    generator = np.random.default_rng([ord(c) for c in name])
    return generator.normal(size=LAYERS[name][2]).astype(np.float32)


def ctc_batch() -> tuple[np.ndarray, np.ndarray]:
    """Labels with 0 behind their end (one row has none), and logits."""
    generator = np.random.default_rng(5)
    labels = np.array([[1, 2, 3, 0, 0], [4, 4, 1, 1, 2], [3, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    return labels, generator.normal(size=(4, 12, 6)).astype(np.float32)
