"""k_fold: the rows of data in k parts, each of which is held back once."""

from __future__ import annotations

from typing import Any

import numpy as np


def k_fold(
    rows: int,
    k: int = 5,
    shuffle: bool = True,
    stratify: Any = None,
    seed: int | None = None,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Splits row numbers for k-fold cross-validation (Stone 1974).

    Args:
        rows: number of rows of the data.
        k: number of parts, whose sizes differ by one row at most.
        shuffle: whether rows go to the parts at random.
        stratify: labels `(rows,)` or one-hot `(rows, classes)`: each part then has its share of
            each class, to within a row.
        seed: seed of the shuffling; by default drawn from NumPy's generator, which
            `utils.set_random_seed` sets.

    Returns:
        A list of k pairs of integer arrays: the rows to train on and the rows held back, both in
        ascending order.

    Raises:
        ValueError: `k` is not from 2 to `rows`, or `stratify` has another number of rows.

    Example:

    >>> import pronghorn as keras
    >>> for train, test in keras.utils.k_fold(6, k=3, shuffle=False):
    ...     print(train, test)
    [2 3 4 5] [0 1]
    [0 1 4 5] [2 3]
    [0 1 2 3] [4 5]
    """
    if isinstance(rows, bool) or not isinstance(rows, (int, np.integer)):
        raise ValueError(
            "k_fold: rows must be an integer, the number of rows of the data. "
            f"Received: rows of type {type(rows).__name__}."
        )
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 2 <= k <= rows:
        raise ValueError(
            f"k_fold: k must be an integer from 2 to the number of rows, {rows}. Received: k={k!r}."
        )
    if seed is None and shuffle:
        seed = int(np.random.randint(2**31 - 1))
    random = np.random.default_rng(seed)
    order = random.permutation(rows) if shuffle else np.arange(rows)
    if stratify is None:
        parts = np.array_split(order, k)
    else:
        labels = np.asarray(stratify)
        if labels.ndim == 2:
            labels = labels.argmax(1) if labels.shape[1] > 1 else labels[:, 0]
        if labels.shape != (rows,):
            raise ValueError(
                f"k_fold: stratify must be labels of shape ({rows},) or ({rows}, classes). "
                f"Received: stratify.shape={np.shape(stratify)}."
            )
        # The rows by class, dealt out like cards.
        by_class = order[np.argsort(labels[order], kind="stable")]
        parts = [by_class[i::k] for i in range(k)]
    found = []
    for part in parts:
        held_back = np.zeros(rows, bool)
        held_back[part] = True
        found.append((np.flatnonzero(~held_back), np.flatnonzero(held_back)))
    return found
