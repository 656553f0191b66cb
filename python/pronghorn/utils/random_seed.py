"""set_random_seed: one seed for every generator that a program uses."""

from __future__ import annotations

import random

import numpy as np


def set_random_seed(seed: int) -> None:
    """Seeds Python's generator, NumPy's and the global one of this library.

    After it a program draws the same numbers in every run.

    Args:
        seed: an integer from 0 to 2**32 - 1.

    Raises:
        ValueError: if the seed is not such an integer.

    Example:

    >>> import pronghorn as keras
    >>> keras.utils.set_random_seed(1)
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise ValueError(
            "Expected `seed` argument to be an integer. "
            f"Received: seed={seed} (of type {type(seed)})"
        )
    from pronghorn.random.seed_generator import seed_global_generator

    seed_global_generator(int(seed))  # first: making it may draw from `random`
    random.seed(int(seed))
    np.random.seed(int(seed))
