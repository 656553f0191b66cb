"""Fourier transforms as products with matrices of sines and cosines; frames as convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn.onnx.export.sizes import product
from pronghorn.onnx.export.table import Call, converter

_LONGEST = 4096  # points; a matrix of more would be larger than most models


def _points(call: Call, n: Any) -> int:
    points = call.known(n, "the length of a Fourier transform")
    if points > _LONGEST:
        raise call.refuse(f"transforms of more than {_LONGEST} points are not written: {points}")
    return points


def _angles(rows: int, columns: int, n: int) -> Any:
    return 2 * np.pi * (np.outer(np.arange(rows), np.arange(columns)) % n) / n


def _weights(call: Call, n: int) -> Any:
    """The weight of each bin of a transform of real numbers."""
    weights = np.full(n // 2 + 1, call.attrs["inner"], float)
    weights[0] = call.attrs["edge"]
    if n % 2 == 0:
        weights[-1] = call.attrs["edge"]
    return weights


def _product(call: Call, x: str, matrix: Any) -> str:
    return call.w.op("MatMul", x, call.w.constant(matrix, "fourier", "float32"))


@converter("fft")
def fft(call: Call) -> list[str]:
    w, (re, im), axis, rank = call.w, call.inputs, call.axis(), call.rank()
    n = _points(call, call.shape()[axis])
    order = [i for i in range(rank) if i != axis] + [axis]
    back = [order.index(i) for i in range(rank)]
    re, im = w.transpose(re, order), w.transpose(im, order)
    angles = _angles(n, n, n)
    cos, sin = np.cos(angles), np.sin(angles) * (1 if call.attrs["inverse"] else -1)
    real = w.op("Sub", _product(call, re, cos), _product(call, im, sin))
    imaginary = w.op("Add", _product(call, re, sin), _product(call, im, cos))
    return [w.transpose(real, back), w.transpose(imaginary, back)]


@converter("rfft")
def rfft(call: Call) -> list[str]:
    n = _points(call, call.attrs["length"])
    given = call.shape()[-1]
    m = min(n, call.known(given, "the number of samples"))
    x = call.x if given[0] == m else call.w.slice(call.x, call.rank() - 1, 0, m)
    angles = _angles(m, n // 2 + 1, n)
    weights = _weights(call, n)
    return [
        _product(call, x, np.cos(angles) * weights),
        _product(call, x, -np.sin(angles) * weights),
    ]


@converter("irfft")
def irfft(call: Call) -> str:
    n = _points(call, call.attrs["length"])
    given = call.known(call.shape()[-1], "the number of bins")
    bins = min(given, n // 2 + 1)
    parts = call.inputs
    if bins < given:
        parts = [call.w.slice(x, call.rank() - 1, 0, bins) for x in parts]
    angles = _angles(bins, n, n)
    weights = _weights(call, n)[:bins, None]
    real = _product(call, parts[0], np.cos(angles) * weights)
    imaginary = _product(call, parts[1], -np.sin(angles) * weights)
    return call.w.op("Add", real, imaginary)


def _kernels(call: Call, window: str, n: int) -> Any:
    """(2 bins, 1, frame): cosines and negative sines times window and weights."""
    if window not in call.w.constants:
        raise call.refuse("its window must be constant")
    values = np.asarray(call.w.constants[window], float)
    angles = _angles(n // 2 + 1, len(values), n)
    weights = _weights(call, n)[:, None] * values
    return np.concatenate([np.cos(angles) * weights, -np.sin(angles) * weights])[:, None]


@converter("stft")
def stft(call: Call) -> list[str]:
    w, (x, window) = call.w, call.inputs
    n = _points(call, call.attrs["length"])
    kernels = w.constant(_kernels(call, window, n), "fourier", "float32")
    rows = (
        w.reshape(x, [product(call.shape()[:-1]), 1, call.shape()[-1]])
        if call.rank() != 1
        else w.unsqueeze(x, 0, 1)
    )
    y = w.op("Conv", rows, kernels, strides=[call.attrs["stride"]])
    y = w.transpose(y, [0, 2, 1])
    bins = n // 2 + 1
    parts = [w.slice(y, 2, 0, bins), w.slice(y, 2, bins, 2 * bins)]
    return [w.reshape(p, call.out.shape, call.shape()[:-1]) for p in parts]


@converter("stft_adjoint")
def stft_adjoint(call: Call) -> str:
    w, (re, im, window) = call.w, call.inputs
    n = _points(call, call.attrs["length"])
    kernels = w.constant(_kernels(call, window, n), "fourier", "float32")
    frame = w.constants[kernels].shape[-1]
    stride, samples = call.attrs["stride"], call.attrs["samples"]
    frames = call.shape()[-2]
    both = w.op("Concat", re, im, axis=call.rank() - 1)
    both = w.reshape(both, [product(call.shape()[:-2]), frames, 2 * (n // 2 + 1)])
    y = w.op("ConvTranspose", w.transpose(both, [0, 2, 1]), kernels, strides=[stride])
    counts = samples if isinstance(samples, tuple) else (samples,) * len(frames)
    counts = counts * len(frames) if len(counts) == 1 else counts
    missing = {s - ((f - 1) * stride + frame) for s, f in zip(counts, frames)}
    if len(missing) != 1:
        raise call.refuse("its length depends on an unknown size in no fixed way")
    more = missing.pop()
    if more > 0:
        y = w.op("Pad", y, w.ints([0, 0, 0, 0, 0, more]), mode="constant")
    elif more < 0:
        y = w.slice(y, 2, 0, more)
    return w.reshape(y, call.out.shape)
