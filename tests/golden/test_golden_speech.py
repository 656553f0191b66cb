"""Spectrogram layers and CTC against numbers of Keras 3.15 (speech.npz)."""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import pytest

from pronghorn import layers, losses, ops
from pronghorn.trace import Trace

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from speech_cases import LAYERS, ctc_batch, signal  # noqa: E402

GOLDEN = np.load(pathlib.Path(__file__).parent / "speech.npz")


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name: str) -> None:
    kind, args, shape = LAYERS[name]
    layer = getattr(layers, kind)(**args)
    wanted = GOLDEN[name]
    found = layer(signal(name)).numpy()
    if name == "stft-angle":  # near the negative axis the sign is rounding
        found, wanted = np.exp(1j * found), np.exp(1j * wanted)
        weight = np.abs(GOLDEN["stft-real"]) + np.abs(GOLDEN["stft-imag"])
        found, wanted = found * weight, wanted * weight
    tolerance = 2e-3 if "mel" in name or name == "stft-log" else 2e-5
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * max(np.abs(wanted).max(), 1))
    assert layer.compute_output_shape(shape) == found.shape
    again = type(layer).from_config(layer.get_config())
    np.testing.assert_array_equal(again(signal(name)).numpy(), layer(signal(name)).numpy())


def test_weights_are_those_of_the_mode() -> None:
    names = {"real": ["real_kernel"], "imag": ["imag_kernel"]}
    for mode in ("log", "real", "imag", "stft"):
        layer = layers.STFTSpectrogram(mode=mode, frame_length=16)
        layer.build((1, 40, 1))
        wanted = names.get(mode, ["real_kernel", "imag_kernel"])
        assert [w.name for w in layer.trainable_weights] == wanted
    assert not layers.MelSpectrogram().weights


def test_ctc() -> None:
    labels, logits = ctc_batch()
    np.testing.assert_allclose(losses.ctc(labels, logits), GOLDEN["ctc"], rtol=1e-5)
    assert float(losses.CTC()(labels, logits)) == pytest.approx(GOLDEN["ctc"].mean(), rel=1e-5)
    with Trace() as trace:
        x = trace.input(logits.shape, "float32")
        (gradient,) = trace.gradient(ops.sum(losses.ctc(labels, x)), [x])
        assert gradient is not None
        program = trace.compile([gradient])
    np.testing.assert_allclose(program(logits)[0], GOLDEN["ctc-gradient"], rtol=0, atol=2e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "phase"}, "Output mode is invalid"),
        ({"scaling": "l2"}, "Scaling is invalid"),
        ({"padding": "mypadding"}, "Padding is invalid"),
        ({"frame_length": 256, "fft_length": 128}, "`fft_length` should be not less"),
        ({"frame_length": 256, "frame_step": 1024}, "`frame_step` should be a positive"),
        ({"window": "unknown"}, "window must be one of"),
    ],
)
def test_errors(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layers.STFTSpectrogram(**options)


def test_integers_are_refused() -> None:
    with pytest.raises(TypeError, match="Invalid input type"):
        layers.STFTSpectrogram(frame_length=16)(np.zeros((1, 40, 1), "int32"))
    with pytest.raises(ValueError, match="sequence_length"):
        layers.MelSpectrogram(fft_length=64, sequence_length=128)
