"""Reading of RIFF/WAVE files: integers of 8, 16, 24 and 32 bits, floats of 32 and 64 bits.

Format: Microsoft, Multimedia Programming Interface and Data Specifications 1.0 (1991), chapter 3;
WAVE_FORMAT_EXTENSIBLE (1999) as far as it holds these.
"""

from __future__ import annotations

import math
import os
import struct
from functools import lru_cache

import numpy as np

_INTEGER, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_OTHER_FORMATS = {2: "ADPCM", 6: "A-law", 7: "mu-law", 0x11: "IMA ADPCM", 0x31: "GSM 6.10"}
_STREAMED = 0xFFFFFFFF  # size of the data that a program writes who does not know it yet


def read_wav(path: str | os.PathLike[str]) -> tuple[np.ndarray, int]:
    """Reads a wav file.

    Args:
        path: the file.

    Returns:
        The samples, float32 of shape `(samples, channels)`, integers scaled to [-1, 1), and the
        sampling rate in samples per second.

    Raises:
        ValueError: the file is no wav file, is truncated, or of a format that is not read; the
            message names the file.
    """
    name = os.fspath(path)
    with open(name, "rb") as file:
        content = file.read()
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise _unreadable(name, "a RIFF/WAVE file", f"one that begins with {content[:12]!r}")
    kind = None
    at = 12
    while at + 8 <= len(content):
        mark, size = content[at : at + 4], struct.unpack_from("<I", content, at + 4)[0]
        begin, end = at + 8, at + 8 + size
        if mark == b"fmt ":
            kind = _format(name, content[begin:end])
        elif mark == b"data":
            if kind is None:
                raise _unreadable(name, "a chunk 'fmt ' before the data", "none")
            if size == _STREAMED:
                frame = kind[1] * kind[3] // 8
                end = begin + (len(content) - begin) // frame * frame
            if end > len(content):
                raise _unreadable(
                    name,
                    f"{size} bytes of samples, as its header says",
                    f"{len(content) - begin} (the file is truncated)",
                )
            return _samples(name, content[begin:end], *kind), kind[2]
        at = end + size % 2
    raise _unreadable(name, "a chunk 'data'", "none (the file is truncated)")


def _format(name: str, chunk: bytes) -> tuple[int, int, int, int]:
    """Code, channels, sampling rate and bits of a sample."""
    if len(chunk) < 16:
        raise _unreadable(name, "16 bytes of format", f"{len(chunk)} (the file is truncated)")
    code, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", chunk)
    if code == _EXTENSIBLE and len(chunk) >= 26:
        code = struct.unpack_from("<H", chunk, 24)[0]
    if channels < 1 or rate < 1:
        raise _unreadable(
            name,
            "at least one channel and a sampling rate",
            f"channels={channels}, sampling rate={rate}",
        )
    supported = {_INTEGER: (8, 16, 24, 32), _FLOAT: (32, 64)}
    if bits not in supported.get(code, ()) or block != channels * bits // 8:
        described = {_INTEGER: "integers", _FLOAT: "floats"}.get(code)
        if described is None:
            described = f"format {code} ({_OTHER_FORMATS.get(code, 'unknown')})"
        raise _unreadable(
            name,
            "integers of 8, 16, 24 or 32 bits or floats of 32 or 64 bits",
            f"{described} of {bits} bits, {channels} channels in {block} bytes",
        )
    return code, channels, rate, bits


def _samples(name: str, data: bytes, code: int, channels: int, rate: int, bits: int) -> np.ndarray:
    if len(data) % (channels * bits // 8):
        raise _unreadable(
            name,
            f"whole frames of {channels * bits // 8} bytes",
            f"{len(data)} bytes (the file is truncated)",
        )
    if code == _FLOAT:
        found = np.frombuffer(data, f"<f{bits // 8}").astype(np.float32)
    elif bits == 8:
        found = (np.frombuffer(data, np.uint8).astype(np.float32) - 128.0) / 128.0
    elif bits == 24:
        # the three bytes become the upper ones of 32 bits
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        found = (wide.reshape(-1).view("<i4") * (1.0 / 2**31)).astype(np.float32)
    else:
        whole = np.frombuffer(data, f"<i{bits // 8}")
        found = (whole * (1.0 / 2 ** (bits - 1))).astype(np.float32)
    return found.reshape(-1, channels)


def _unreadable(name: str, expected: str, received: str) -> ValueError:
    return ValueError(f"{name}: expected {expected}. Received: {received}.")


@lru_cache(maxsize=8)
def _low_pass(up: int, down: int) -> np.ndarray:
    """The filter of `resample` by its phases, (up, taps): a sine cardinal that ends at half of the
    lower rate, in a Kaiser window (beta 5, ten zeros on each side)."""
    larger = max(up, down)
    half = -(-10 * larger // up)  # samples of the input on each side
    phase = np.arange(up)[:, None]
    place = (np.arange(-half, half + 1)[None, :] * up + phase) / larger
    window = np.i0(5.0 * np.sqrt(np.maximum(0.0, 1.0 - (place / 10.0) ** 2))) / np.i0(5.0)
    taps = np.where(np.abs(place) <= 10.0, np.sinc(place) * window, 0.0)
    # of a constant, each phase gives that constant
    found: np.ndarray = taps / taps.sum(axis=1, keepdims=True)
    return found


def resample(samples: np.ndarray, rate: int, to_rate: int) -> np.ndarray:
    """Samples at another rate, by a band-limited interpolation (Smith 2002, Digital Audio
    Resampling).

    Args:
        samples: float32 of shape `(samples, channels)`.
        rate: samples per second.
        to_rate: samples per second of the result.

    Returns:
        float32 of shape `(ceil(samples * to_rate / rate), channels)`.
    """
    common = math.gcd(rate, to_rate)
    up, down = to_rate // common, rate // common
    if up == down or samples.shape[0] == 0:
        return samples
    taps = _low_pass(up, down)
    half = (taps.shape[1] - 1) // 2
    count = -(-samples.shape[0] * up // down)
    padded = np.pad(samples, ((half, half), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, taps.shape[1], axis=0)
    found = np.empty((count, samples.shape[1]), np.float32)
    for first in range(0, count, 8192):  # at once, the windows of all would need much memory
        place = np.arange(first, min(first + 8192, count)) * down
        # result n lies at n * down / up; the filter is counted from the sample before it
        chosen = windows[place // up][..., ::-1]
        found[first : first + place.size] = np.einsum("nct,nt->nc", chosen, taps[place % up])
    return found
