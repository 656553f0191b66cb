"""The Fourier functions of ops against numpy.fft, and what their op cases do not say."""

from __future__ import annotations

import numpy as np
import pytest

from pronghorn import ops
from pronghorn.trace import Trace

RNG = np.random.default_rng(0)


def signal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def joined(pair: tuple) -> np.ndarray:
    return pair[0].numpy() + 1j * pair[1].numpy()


@pytest.mark.parametrize("shape", [(5, 7), (2, 16, 40), (37, 20)])
def test_fft2(shape: tuple[int, ...]) -> None:
    re, im = signal(*shape), signal(*shape)
    wanted = np.fft.fft2(re.astype(np.float64) + 1j * im)
    found = ops.fft2((re, im))
    np.testing.assert_allclose(joined(found), wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())
    np.testing.assert_allclose(joined(ops.ifft2(found)), re + 1j * im, rtol=0, atol=1e-5)


def frames(x: np.ndarray, length: int, stride: int, size: int, window: np.ndarray) -> np.ndarray:
    low = (size - length) // 2
    whole = np.pad(window, (low, size - length - low))
    cut = np.lib.stride_tricks.sliding_window_view(x, size, axis=-1)[..., ::stride, :]
    return np.fft.rfft(cut * whole)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("sizes", [(16, 4, 20), (100, 50, 128), (8, 3, 9)])
def test_stft(sizes: tuple[int, int, int], center: bool) -> None:
    length, stride, size = sizes
    x = signal(2, 3, 400)
    turn = 2 * np.pi * np.arange(length) / length
    own = RNG.uniform(0.5, 1.0, length).astype(np.float32)
    windows = {"hann": 0.5 - 0.5 * np.cos(turn), "hamming": 0.54 - 0.46 * np.cos(turn)}
    wide = np.pad(x, [(0, 0), (0, 0), (size // 2, size // 2)], mode="reflect") if center else x
    for window, values in (*windows.items(), (own, own)):
        found = ops.stft(x, *sizes, window=window, center=center)
        wanted = frames(wide.astype(np.float64), *sizes, values)
        np.testing.assert_allclose(joined(found), wanted, rtol=0, atol=2e-5)
        back = ops.istft(found, *sizes, window=window, center=center).numpy()
        inner = slice(size, back.shape[-1] - size)
        np.testing.assert_allclose(back[..., inner], x[..., inner], rtol=0, atol=2e-5)
    found = ops.stft(x, *sizes, window=None, center=center)
    wanted = frames(wide.astype(np.float64), size, stride, size, np.ones(size))
    np.testing.assert_allclose(joined(found), wanted, rtol=0, atol=2e-5)
    back = ops.istft(found, *sizes, window=None, center=center).numpy()
    inner = slice(size, back.shape[-1] - size)
    np.testing.assert_allclose(
        back[..., inner], x[..., inner] * size / stride, rtol=1e-4, atol=1e-4
    )


def test_length_of_istft() -> None:
    spectrum = ops.stft(signal(1, 100), 16, 4, 20)
    assert ops.istft(spectrum, 16, 4, 20).shape == (1, 100)
    assert ops.istft(spectrum, 16, 4, 20, length=50).shape == (1, 50)
    assert ops.istft(spectrum, 16, 4, 20, length=500).shape == (1, 110)
    assert ops.istft(spectrum, 16, 4, 20, center=False).shape == (1, 120)


def test_rows_do_not_touch_each_other() -> None:
    for size in (24, 37, 256, 1000):
        x = signal(20, size)
        whole = ops.rfft(x)
        x[3] = np.nan
        x[17, 1] = np.inf
        spoilt = ops.rfft(x)
        others = [i for i in range(20) if i not in (3, 17)]
        for part, wanted in zip(spoilt, whole, strict=True):
            np.testing.assert_array_equal(part.numpy()[others], wanted.numpy()[others])
        assert np.isnan(spoilt[0].numpy()[3]).all()


def test_error_grows_slowly() -> None:
    for size in (1024, 10007, 65536):
        x = signal(size)
        wanted = np.fft.rfft(x.astype(np.float64))
        error = joined(ops.rfft(x)) - wanted
        assert np.sqrt(np.mean(np.abs(error) ** 2) / np.mean(np.abs(wanted) ** 2)) < 6e-7


def test_gradient_reaches_signal_and_window() -> None:
    x, window = signal(1, 60), np.ones(8, np.float32)
    with Trace() as trace:
        a, b = trace.input(x.shape, "float32"), trace.input(window.shape, "float32")
        re, im = ops.stft(a, 8, 4, 8, window=b)
        loss = ops.sum(ops.square(ops.istft((re, im), 8, 4, 8, window=b)))
        program = trace.compile([g for g in trace.gradient(loss, [a, b]) if g is not None])
    dx, dwindow = (g.numpy() for g in program(x, window))
    np.testing.assert_allclose(dx, 2 * x, rtol=0, atol=1e-4)
    np.testing.assert_allclose(dwindow, 0.0, atol=1e-3)  # the samples do not depend on it


def test_narrow_and_integer_input() -> None:
    assert ops.rfft(np.arange(4)).__len__() == 2
    assert ops.rfft(np.arange(8, dtype=np.float16))[0].dtype == "float32"
    with pytest.raises(TypeError, match="float32"):
        ops.stft(np.arange(100), 8, 4, 8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.fft(np.ones(3)), "tuple of two tensors"),
        (lambda: ops.fft((np.ones(3), np.ones(4))), "same shape"),
        (lambda: ops.fft((1.0, 1.0)), "rank >= 1"),
        (lambda: ops.fft2((np.ones(3), np.ones(3))), "rank >= 2"),
        (lambda: ops.rfft(np.ones((2, 0))), "at least one element"),
        (lambda: ops.rfft(np.ones(3), 0), "`fft_length` must be a positive"),
        (lambda: ops.irfft((np.ones(1), np.ones(1))), "`fft_length` must be a positive"),
        (lambda: ops.stft(np.ones(9), 4, 0, 8), "`sequence_stride` must be a positive"),
        (lambda: ops.stft(np.ones(9), 8, 2, 4), "`fft_length` must equal or larger"),
        (lambda: ops.stft(np.ones(9), 4, 2, 8, window="kaiser"), "`hann`, `hamming`"),
        (lambda: ops.stft(np.ones(9), 4, 2, 8, window=np.ones(5)), "shape of `window`"),
        (lambda: ops.stft(np.ones(5), 4, 2, 8, center=False), "at least one frame"),
        (lambda: ops.istft((np.ones(3), np.ones(3)), 4, 2, 4), "rank >= 2"),
    ],
)
def test_errors(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
