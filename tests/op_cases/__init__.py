"""The single source of op tests and benches: `CASES`, every use of every op of the core, and
`BENCHES`, the shapes they are timed on."""

from __future__ import annotations

from op_cases import (
    attention,
    benches,
    elementwise,
    fourier,
    products,
    randomness,
    recurrent,
    reductions,
    shape,
    speech,
)
from op_cases.benches import Bench
from op_cases.case import Arg, ErrorCase, OpCase

CASES: list[OpCase] = [
    *elementwise.CASES,
    *products.CASES,
    *shape.CASES,
    *reductions.CASES,
    *randomness.CASES,
    *recurrent.CASES,
    *attention.CASES,
    *fourier.CASES,
    *speech.CASES,
]
BENCHES: list[Bench] = [*benches.of_cases(CASES), *benches.MORE, *attention.BENCHES]

__all__ = ["BENCHES", "CASES", "Arg", "Bench", "ErrorCase", "OpCase"]
