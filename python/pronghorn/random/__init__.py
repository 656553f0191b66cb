"""Random numbers, `pronghorn.random`: functions with explicit seeds, and generators of seeds."""

from __future__ import annotations

from pronghorn.random.functions import (
    binomial,
    categorical,
    dropout,
    normal,
    randint,
    shuffle,
    truncated_normal,
    uniform,
)
from pronghorn.random.gamma import beta, gamma
from pronghorn.random.seed_generator import SeedGenerator

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]
