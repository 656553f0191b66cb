"""Fourier transforms. Complex tensors are pairs of a real and an imaginary part, both float32.

Lengths whose prime factors are at most 31 are cut into them (Cooley, Tukey 1965), others are
computed as convolutions (Bluestein 1970); every length takes a time of the order n log n.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pronghorn.ops.arguments import TensorLike, apply, apply_many, as_float, as_tensor
from pronghorn.ops.operation import op
from pronghorn.ops.reshaping import cut, pad
from pronghorn.tensor import Tensor, convert_to_tensor

_SMALLEST_SUM = 1e-10  # of squared windows; what is less is not divided by


def _parts(name: str, x: Any, least_rank: int) -> tuple[Tensor, Tensor]:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(
            f"{name}: Input `x` should be a tuple of two tensors - real and imaginary. "
            f"Received: x of type {type(x).__name__}."
        )
    re, im = (as_tensor(as_float(part), "float32") for part in x)
    if re.shape != im.shape:
        raise ValueError(
            f"{name}: Input `x` should be a tuple of two tensors - real and imaginary. Both the "
            "real and imaginary parts should have the same shape. "
            f"Received: x[0].shape={re.shape}, x[1].shape={im.shape}."
        )
    _expect_rank(name, re, least_rank)
    return re, im


def _expect_rank(name: str, x: Tensor, least: int) -> None:
    if x.ndim < least:
        raise ValueError(f"{name}: Input should have rank >= {least}. Received: x.shape={x.shape}.")
    if 0 in x.shape[x.ndim - least :]:
        raise ValueError(f"{name}: expected at least one element. Received: x.shape={x.shape}.")


def _expect_positive(name: str, **sizes: Any) -> None:
    for argument, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
            raise ValueError(
                f"{name}: `{argument}` must be a positive integer. Received: {argument}={size!r}."
            )


def _transform(parts: tuple[Tensor, ...], axis: int, inverse: bool) -> tuple[Tensor, Tensor]:
    re, im = apply_many("fft", *parts, axis=axis % parts[0].ndim, inverse=inverse)
    return re, im


@op
def fft(x: tuple[TensorLike, TensorLike]) -> tuple[Tensor, Tensor]:
    """Returns the discrete Fourier transform along the last axis.

    Args:
        x: a pair, real and imaginary part, of one shape `(..., n)`.

    Returns:
        A pair of float32 tensors of the same shape.

    Raises:
        ValueError: if `x` is no such pair.

    Example:

    >>> re, im = ops.fft(([1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]))
    >>> re.numpy()
    array([1., 1., 1., 1.], dtype=float32)
    """
    return _transform(_parts("fft", x, 1), -1, False)


@op
def fft2(x: tuple[TensorLike, TensorLike]) -> tuple[Tensor, Tensor]:
    """Returns the discrete Fourier transform along the last two axes.

    Args:
        x: a pair, real and imaginary part, of one shape `(..., m, n)`.

    Returns:
        A pair of float32 tensors of the same shape.

    Raises:
        ValueError: if `x` is no such pair.

    Example:

    >>> re, im = ops.fft2((ops.ones((2, 2)), ops.zeros((2, 2))))
    >>> re.numpy()
    array([[4., 0.],
           [0., 0.]], dtype=float32)
    """
    return _transform(_transform(_parts("fft2", x, 2), -1, False), -2, False)


@op
def ifft2(x: tuple[TensorLike, TensorLike]) -> tuple[Tensor, Tensor]:
    """Returns the inverse of `fft2`.

    Args:
        x: a pair, real and imaginary part, of one shape `(..., m, n)`.

    Returns:
        A pair of float32 tensors of the same shape.

    Raises:
        ValueError: if `x` is no such pair.

    Example:

    >>> re, im = ops.ifft2(ops.fft2((ops.ones((2, 3)), ops.zeros((2, 3)))))
    >>> bool(ops.all(ops.isclose(re, 1.0)))
    True
    """
    parts = _parts("ifft2", x, 2)
    re, im = _transform(_transform(parts, -1, True), -2, True)
    scale = as_tensor(1.0 / (re.shape[-1] * re.shape[-2]), "float32")
    return apply("multiply", re, scale), apply("multiply", im, scale)


@op
def rfft(x: TensorLike, fft_length: int | None = None) -> tuple[Tensor, Tensor]:
    """Returns the discrete Fourier transform of real numbers along the last axis.

    Args:
        x: a tensor of shape `(..., n)`.
        fft_length: the length of the transform; `x` is cut to it or padded with zeros. By default
            `n`.

    Returns:
        A pair, real and imaginary part, of float32 tensors of shape `(..., fft_length // 2 + 1)`:
        the other half of the spectrum is its conjugate.

    Raises:
        ValueError: if `x` has no axis, or `fft_length` is no positive integer.

    Example:

    >>> re, im = ops.rfft([0.0, 1.0, 0.0, -1.0])
    >>> im.numpy()
    array([ 0., -2.,  0.], dtype=float32)
    """
    x = as_tensor(as_float(x), "float32")
    _expect_rank("rfft", x, 1)
    if fft_length is None:
        fft_length = x.shape[-1]
    _expect_positive("rfft", fft_length=fft_length)
    re, im = apply_many("rfft", x, length=int(fft_length), edge=1.0, inner=1.0)
    return re, im


@op
def irfft(x: tuple[TensorLike, TensorLike], fft_length: int | None = None) -> Tensor:
    """Returns the inverse of `rfft`.

    Args:
        x: a pair, real and imaginary part, of one shape `(..., bins)`. Bins beyond `fft_length // 2
            + 1` are left out, missing ones are zeros.
        fft_length: how many numbers are returned; by default `2 * (bins - 1)`.

    Returns:
        A float32 tensor of shape `(..., fft_length)`.

    Raises:
        ValueError: if `x` is no such pair, or `fft_length` is no positive integer.

    Example:

    >>> ops.irfft(ops.rfft([0.0, 1.0, 2.0, 3.0])).numpy()
    array([0., 1., 2., 3.], dtype=float32)
    """
    re, im = _parts("irfft", x, 1)
    if fft_length is None:
        fft_length = 2 * (re.shape[-1] - 1)
    _expect_positive("irfft", fft_length=fft_length)
    return _irfft("irfft", (re, im), int(fft_length))


def _irfft(name: str, operands: Sequence[Tensor], length: int, **attrs: Any) -> Tensor:
    # the bins between the first and the last one stand for their conjugates too
    return apply(name, *operands, length=length, edge=1.0 / length, inner=2.0 / length, **attrs)


def _window(
    name: str, window: Any, sequence_length: int, sequence_stride: int, fft_length: int
) -> Tensor:
    """The window in the middle of zeros of the length of the transform."""
    _expect_positive(
        name,
        sequence_length=sequence_length,
        sequence_stride=sequence_stride,
        fft_length=fft_length,
    )
    if fft_length < sequence_length:
        raise ValueError(
            f"{name}: `fft_length` must equal or larger than `sequence_length`. "
            f"Received: sequence_length={sequence_length}, fft_length={fft_length}."
        )
    if window is None:
        return convert_to_tensor(np.ones(fft_length, np.float32))
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(
                f"{name}: If a string is passed to `window`, it must be one of `hann`, `hamming`. "
                f"Received: window={window!r}."
            )
        mean = 0.5 if window == "hann" else 0.54
        turn = np.cos(2.0 * np.pi * np.arange(sequence_length) / sequence_length)
        values = mean - (1.0 - mean) * turn if sequence_length > 1 else np.ones(1)
        window = convert_to_tensor(values.astype(np.float32))
    window = as_tensor(as_float(window), "float32")
    if tuple(window.shape) != (sequence_length,):
        raise ValueError(
            f"{name}: The shape of `window` must be equal to [sequence_length]. "
            f"Received: window.shape={window.shape}, sequence_length={sequence_length}."
        )
    low = (fft_length - sequence_length) // 2
    return apply("pad", window, low=[low], high=[fft_length - sequence_length - low], value=0.0)


@op
def stft(
    x: TensorLike,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: str | TensorLike | None = "hann",
    center: bool = True,
) -> tuple[Tensor, Tensor]:
    """Returns the short-time Fourier transform along the last axis.

    Frames, their product with the window and the transform are one op; frames are never stored.

    Args:
        x: a float tensor of shape `(..., samples)`.
        sequence_length: samples of a frame.
        sequence_stride: samples between the beginnings of frames.
        fft_length: the length of the transform, at least `sequence_length`; the window stands in
            the middle of zeros.
        window: `"hann"` or `"hamming"` (periodic), a tensor of shape `(sequence_length,)`, or
            `None` for frames of `fft_length` samples as they are.
        center: whether the samples are mirrored at both ends, so that frame `i` has its middle at
            sample `i * sequence_stride`.

    Returns:
        A pair, real and imaginary part, of float32 tensors of shape `(..., frames, fft_length // 2
        + 1)`.

    Raises:
        TypeError: if `x` is not a float tensor.
        ValueError: if the sizes do not fit, or the window is none of the above.

    Example:

    >>> re, im = ops.stft(ops.ones((1, 32)), 8, 4, 8)
    >>> re.shape
    (1, 9, 5)
    """
    x = as_tensor(x)
    if "float" not in str(x.dtype):
        raise TypeError(
            "stft: Invalid input type. Expected `float32` or `float64`, or a narrower float. "
            f"Received: input type={x.dtype}."
        )
    x = as_tensor(x, "float32")
    _expect_rank("stft", x, 1)
    win = _window("stft", window, sequence_length, sequence_stride, fft_length)
    if center and fft_length > 1:
        width = (fft_length // 2, fft_length // 2)
        x = pad(x, [*[(0, 0)] * (x.ndim - 1), width], mode="reflect")
    if x.shape[-1] < fft_length:
        raise ValueError(
            "stft: expected samples for at least one frame of fft_length. "
            f"Received: {x.shape[-1]} samples, fft_length={fft_length}."
        )
    re, im = apply_many(
        "stft", x, win, length=int(fft_length), stride=int(sequence_stride), edge=1.0, inner=1.0
    )
    return re, im


@op
def istft(
    x: tuple[TensorLike, TensorLike],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: str | TensorLike | None = "hann",
    center: bool = True,
) -> Tensor:
    """Returns the samples of a short-time Fourier transform, its inverse by least squares.

    Frames are multiplied by the window, added where they overlap, and divided by the sum of the
    squared windows (Griffin, Lim 1984, section II).

    Args:
        x: a pair, real and imaginary part, of one shape `(..., frames, bins)`.
        sequence_length: as for `stft`.
        sequence_stride: as for `stft`.
        fft_length: as for `stft`.
        length: how many samples are returned, at most those that the frames reach over; by default
            all.
        window: as for `stft`. With `None` the samples are multiplied by `fft_length /
            sequence_stride`, as in Keras.
        center: as for `stft`.

    Returns:
        A float32 tensor of shape `(..., samples)`.

    Raises:
        ValueError: if `x` is no such pair, the sizes do not fit, or the window is none of the
            above.

    Example:

    >>> x = ops.sin(ops.arange(32, dtype="float32"))
    >>> y = ops.istft(ops.stft(x, 8, 4, 8), 8, 4, 8)
    >>> bool(ops.all(ops.isclose(x, y, atol=1e-5)))
    True
    """
    re, im = _parts("istft", x, 2)
    win = _window("istft", window, sequence_length, sequence_stride, fft_length)
    frames = re.shape[-2]
    samples = sequence_stride * (frames - 1) + fft_length
    added = _irfft(
        "stft_adjoint", (re, im, win), int(fft_length), stride=int(sequence_stride), samples=samples
    )
    squares = apply(
        "broadcast_to",
        apply("reshape", apply("multiply", win, win), shape=[1, fft_length]),
        shape=[frames, fft_length],
    )
    places = np.arange(frames)[:, None] * sequence_stride + np.arange(fft_length)
    total = apply(
        "scatter_add",
        convert_to_tensor(np.zeros(samples, np.float32)),
        convert_to_tensor(places.astype(np.int32)),
        squares,
        axis=0,
    )
    least = as_tensor(_SMALLEST_SUM, "float32")
    one = as_tensor(1.0, "float32")
    total = apply("where", apply("greater", total, least), total, one)
    if window is None:
        total = apply("multiply", total, as_tensor(float(sequence_stride) / fft_length, "float32"))
    found = apply("divide", added, total)
    begin = fft_length // 2 if center else 0
    if length is not None:
        _expect_positive("istft", length=length)
        end = min(begin + int(length), samples)
    else:
        end = samples - fft_length // 2 if center else samples
    return cut(found, found.ndim - 1, begin, max(end, begin))
