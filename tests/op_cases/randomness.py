"""Cases of random ops, against Philox4x32-10 in NumPy (Salmon 2011)."""

from __future__ import annotations

from typing import Any

import numpy as np

from op_cases.case import Arg, ErrorCase, OpCase

_KEY = Arg((2,), "uint32", values=[1234567, 89])
_SHAPE = [5, 1003]


def words(key: np.ndarray, shape: Any) -> np.ndarray:
    """Returns the random words of a key: word j of block i is element 4 i + j."""
    n = int(np.prod(shape))
    block = np.arange(-(-n // 4), dtype=np.uint64)
    c = [block & 0xFFFFFFFF, block >> np.uint64(32), np.zeros_like(block), np.zeros_like(block)]
    k0, k1 = int(key[0]), int(key[1])
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [
            (p1 >> shift) ^ c[1] ^ np.uint64(k0),
            p1 & low,
            (p0 >> shift) ^ c[3] ^ np.uint64(k1),
            p0 & low,
        ]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, 1).reshape(-1)[:n].astype(np.uint32).reshape(shape)


def _uniform(key: np.ndarray, shape: Any, low: float, high: float) -> np.ndarray:
    return low + (high - low) * (words(key, shape) >> 8) * 2.0**-24


def _dropout(x: np.ndarray, key: np.ndarray, rate: float) -> np.ndarray:
    kept = words(key, x.shape) >= int(rate * 2**32)
    return np.where(kept, x / (1 - rate), 0.0)


def _no_reference(key: np.ndarray, shape: Any, **attrs: Any) -> np.ndarray:
    """Returns nothing to compare with: the distribution is tested instead."""
    return np.full(shape, np.nan)


CASES = [
    OpCase(
        "random_bits",
        words,
        (_KEY,),
        {"shape": _SHAPE},
        gradient=(),
        errors=(ErrorCase((Arg((3,), "uint32", 0, 9),), {"shape": [2]}, ValueError, "key"),),
    ),
    OpCase(
        "random_uniform",
        _uniform,
        (_KEY,),
        {"shape": _SHAPE, "low": -1.0, "high": 3.0},
        gradient=(),
        scale=4.0,
    ),
    OpCase(
        "random_normal",
        _no_reference,
        (_KEY,),
        {"shape": [64, 1003], "mean": 1.0, "stddev": 2.0},
        gradient=(),
    ),
    OpCase(
        "random_truncated_normal",
        _no_reference,
        (_KEY,),
        {"shape": [64, 1003], "mean": 1.0, "stddev": 2.0},
        gradient=(),
    ),
    OpCase(
        "dropout",
        _dropout,
        (Arg((33, 41)), _KEY),
        {"rate": 0.3},
        errors=(ErrorCase((Arg((2,)), _KEY), {"rate": 1.5}, ValueError, "rate"),),
    ),
]
