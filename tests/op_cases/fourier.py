"""Cases of Fourier transforms; the references are numpy.fft in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from op_cases.case import Arg, ErrorCase, OpCase


def _fft(re: Any, im: Any, axis: int, inverse: bool) -> Any:
    z = re + 1j * im
    y = np.fft.ifft(z, axis=axis, norm="forward") if inverse else np.fft.fft(z, axis=axis)
    return y.real, y.imag


def _weights(n: int, edge: float, inner: float) -> np.ndarray:
    weights = np.full(n // 2 + 1, inner)
    weights[0] = edge
    if n % 2 == 0:
        weights[-1] = edge
    return weights


def _rfft(x: Any, length: int, edge: float, inner: float) -> Any:
    y = np.fft.rfft(x, length) * _weights(length, edge, inner)
    return y.real, y.imag


def _irfft(re: Any, im: Any, length: int, edge: float, inner: float) -> Any:
    bins = min(re.shape[-1], length // 2 + 1)
    t = np.arange(length)
    angle = 2 * np.pi * np.outer(np.arange(bins), t) / length
    w = _weights(length, edge, inner)[:bins, None]
    return re[..., :bins] @ (w * np.cos(angle)) - im[..., :bins] @ (w * np.sin(angle))


def _frames(x: Any, frame: int, stride: int) -> Any:
    return np.lib.stride_tricks.sliding_window_view(x, frame, axis=-1)[..., ::stride, :]


def _stft(x: Any, window: Any, length: int, stride: int, edge: float, inner: float) -> Any:
    return _rfft(_frames(x, window.shape[0], stride) * window, length, edge, inner)


def _stft_adjoint(
    re: Any, im: Any, window: Any, length: int, stride: int, samples: int, edge: float, inner: float
) -> Any:
    frame = window.shape[0]
    rows = _irfft(re, im, length, edge, inner)[..., :frame] * window
    reach = max(samples, (re.shape[-2] - 1) * stride + frame)
    found = np.zeros((*re.shape[:-2], reach))
    for i in range(re.shape[-2]):
        found[..., i * stride : i * stride + frame] += rows[..., i, :]
    return found[..., :samples]


def _scale(n: int) -> float:
    """Magnitude of the partial sums of n terms below 2."""
    return 2.0 * max(n, 1) ** 0.5 * max(np.log2(n), 1)


#: Lengths of every kind: powers, products of small primes, large primes, more than one vector.
LENGTHS = (
    *(1, 2, 3, 8, 13, 16, 30, 31, 37, 60, 64, 74, 100, 121, 128, 243, 256, 272, 289, 320, 400),
    *(512, 1000, 1024, 1009),
)


def _complex_cases() -> list[OpCase]:
    cases = []
    for n in LENGTHS:
        for rows in (1, 19) if n <= 320 else (3,):
            cases.append(
                OpCase(
                    "fft", _fft, (Arg((rows, n)), Arg((rows, n))),
                    {"axis": 1, "inverse": n % 2 == 1}, scale=_scale(n), name=f"{rows}x{n}",
                )
            )  # fmt: skip
    for shape in ((7, 1), (8, 33), (16, 5), (37, 18), (30, 16), (2, 45, 40)):
        n = shape[-2]
        cases.append(
            OpCase(
                "fft", _fft, (Arg(shape), Arg(shape)),
                {"axis": len(shape) - 2, "inverse": n % 2 == 0}, scale=_scale(n),
                name=f"columns-{n}x{shape[-1]}",
            )
        )  # fmt: skip
    return cases


def _real_cases() -> list[OpCase]:
    weights = {"edge": 0.7, "inner": 1.3}
    cases = []
    for n in LENGTHS:
        bins = n // 2 + 1
        for rows in (1, 19) if n <= 320 else (3,):
            attrs = {"length": n, **weights}
            name = f"{rows}x{n}"
            cases += [
                OpCase("rfft", _rfft, (Arg((rows, n)),), attrs, scale=_scale(n), name=name),
                OpCase(
                    "irfft", _irfft, (Arg((rows, bins)), Arg((rows, bins))), attrs,
                    scale=_scale(n), name=name,
                ),
            ]  # fmt: skip
    for given, length in ((5, 8), (8, 5), (300, 512), (1, 7), (600, 512)):
        attrs = {"length": length, **weights}
        bins = given // 2 + 1
        cases += [
            OpCase("rfft", _rfft, (Arg((2, given)),), attrs, scale=_scale(length),
                   name=f"{given}-as-{length}"),
            OpCase("irfft", _irfft, (Arg((2, bins)), Arg((2, bins))), attrs,
                   scale=_scale(length), name=f"{bins}-bins-as-{length}"),
        ]  # fmt: skip
    return cases


def _frame_cases() -> list[OpCase]:
    cases = []
    for shape, frame, stride, length in (
        ((50,), 8, 3, 8),
        ((2, 3, 70), 20, 20, 32),
        ((2, 100), 16, 25, 31),
        ((3, 900), 512, 160, 512),
        ((2, 700), 400, 100, 400),
        ((1, 60), 37, 5, 37),
    ):
        bins = length // 2 + 1
        frames = (shape[-1] - frame) // stride + 1
        attrs = {"length": length, "stride": stride, "edge": 1.0, "inner": 0.5}
        spectrum = Arg((*shape[:-1], frames, bins))
        name = f"{frame}-{stride}-{length}"
        window = Arg((frame,), low=0.0, high=1.0)
        cases += [
            OpCase("stft", _stft, (Arg(shape), window), attrs, scale=_scale(length), name=name),
            OpCase(
                "stft_adjoint", _stft_adjoint, (spectrum, spectrum, window),
                {**attrs, "samples": shape[-1]}, scale=_scale(length) * (frame // stride + 1),
                name=name,
            ),
        ]  # fmt: skip
    return cases


_ERRORS = [
    OpCase(
        "fft", _fft, (Arg((2, 4)), Arg((2, 4))), {"axis": 1, "inverse": False}, scale=_scale(4),
        errors=(
            ErrorCase((Arg((2, 4)), Arg((2, 5))), {"axis": 1, "inverse": False}, ValueError,
                      r"same shape.*real.shape=\(2, 4\), imag.shape=\(2, 5\)"),
            ErrorCase((Arg((2, 0)), Arg((2, 0))), {"axis": 1, "inverse": False}, ValueError,
                      "at least one element"),
            ErrorCase((Arg((4,), "int32"), Arg((4,), "int32")), {"axis": 0, "inverse": False},
                      TypeError, "float32"),
        ),
        bench=(((512, 64), (512, 64)), ((256, 256), (256, 256)), ((64, 1024), (64, 1024)),
               ((16, 4096), (16, 4096)), ((1, 65536), (1, 65536))),
        name="errors",
    ),
    OpCase(
        "rfft", _rfft, (Arg((2, 4)),), {"length": 4, "edge": 1.0, "inner": 1.0}, scale=_scale(4),
        errors=(
            ErrorCase((Arg(()),), {"length": 4, "edge": 1.0, "inner": 1.0}, ValueError, "rank 1"),
            ErrorCase((Arg((4,)),), {"length": 0, "edge": 1.0, "inner": 1.0}, ValueError,
                      "length must be positive"),
        ),
        name="errors",
    ),
    OpCase(
        "stft", _stft, (Arg((2, 9)), Arg((4,))),
        {"length": 4, "stride": 2, "edge": 1.0, "inner": 1.0}, scale=_scale(4),
        errors=(
            ErrorCase((Arg((2, 3)), Arg((4,))),
                      {"length": 4, "stride": 2, "edge": 1.0, "inner": 1.0}, ValueError,
                      "at least one frame"),
            ErrorCase((Arg((2, 9)), Arg((5,))),
                      {"length": 4, "stride": 2, "edge": 1.0, "inner": 1.0}, ValueError,
                      "1 to length"),
            ErrorCase((Arg((2, 9)), Arg((4,))),
                      {"length": 4, "stride": 0, "edge": 1.0, "inner": 1.0}, ValueError,
                      "stride must be positive"),
        ),
        name="errors",
    ),
]  # fmt: skip

CASES = [*_complex_cases(), *_real_cases(), *_frame_cases(), *_ERRORS]
