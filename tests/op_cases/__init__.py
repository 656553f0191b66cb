"""The single source of op tests and benches: `CASES`, every use of every op of the core."""

from __future__ import annotations

from op_cases import elementwise, products, randomness, reductions, shape
from op_cases.case import Arg, ErrorCase, OpCase

CASES: list[OpCase] = [
    *elementwise.CASES,
    *products.CASES,
    *shape.CASES,
    *reductions.CASES,
    *randomness.CASES,
]

__all__ = ["CASES", "Arg", "ErrorCase", "OpCase"]
