"""pad_sequences: lists of several lengths as one array."""

from __future__ import annotations

from typing import Any

import numpy as np


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Returns sequences as one array: shorter ones are padded, longer ones cut.

    Args:
        sequences: a list of lists (or arrays, whose first axis is time).
        maxlen: the length of all; by default that of the longest.
        dtype: dtype of the array; `object` for strings.
        padding: `"pre"` or `"post"`: where the value is put.
        truncating: `"pre"` or `"post"`: where elements are cut off.
        value: what is put there.

    Returns:
        An array `(sequences, maxlen, ...)`.

    Raises:
        ValueError: `sequences` is no list of sequences, their elements differ in shape, or an
            option is unknown.

    Example:

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
    array([[0, 1],
           [2, 3],
           [5, 6]], dtype=int32)
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError(
            f"pad_sequences: `sequences` must be iterable. Received: {type(sequences).__name__}."
        )
    for argument, option in (("padding", padding), ("truncating", truncating)):
        if option not in ("pre", "post"):
            raise ValueError(
                f'pad_sequences: `{argument}` must be "pre" or "post". '
                f"Received: {argument}={option!r}."
            )
    for position, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(
                "pad_sequences: `sequences` must be a list of iterables. Found non-iterable: "
                f"{sequence!r} at position {position}."
            )
    if maxlen is None:
        maxlen = max((len(s) for s in sequences), default=0)
    if isinstance(maxlen, bool) or not isinstance(maxlen, (int, np.integer)) or maxlen < 0:
        raise ValueError(
            "pad_sequences: maxlen must be a positive integer or None. "
            f"Received: maxlen={maxlen!r}."
        )
    is_text = np.issubdtype(dtype, np.str_) or np.issubdtype(dtype, np.bytes_)
    if isinstance(value, str) and np.dtype(dtype) != object and not is_text:
        raise ValueError(
            f"pad_sequences: `dtype` {dtype} is not compatible with `value`'s type: {type(value)}. "
            "You should set `dtype=object` for variable length strings."
        )
    first = next((s for s in sequences if len(s)), ())
    shape = np.asarray(first).shape[1:]
    found = np.full((len(sequences), int(maxlen), *shape), value, dtype=dtype)
    for position, sequence in enumerate(sequences):
        if not len(sequence) or maxlen == 0:
            continue
        kept = np.asarray(sequence[-maxlen:] if truncating == "pre" else sequence[:maxlen], dtype)
        if kept.shape[1:] != shape:
            raise ValueError(
                f"pad_sequences: Shape of sample {kept.shape[1:]} of sequence at position "
                f"{position} is different from expected shape {shape}."
            )
        if padding == "post":
            found[position, : len(kept)] = kept
        else:
            found[position, -len(kept) :] = kept
    return found
