"""The penalty of many weights in few operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import ops
from pronghorn.regularizers.penalties import L1, L1L2, L2


def total_penalty(pairs: Sequence[tuple[Any, Any]]) -> list[Any]:
    """Returns scalars that sum to the penalties of `(regularizer, weight)` pairs.

    Weights with the same L1 and L2 factors share one multiplication: the sums of their absolute
    values or squares are added first.

    Args:
        pairs: The regularizers with their weights.

    Returns:
        List of scalar tensors, possibly shorter than `pairs`.
    """
    sums: dict[tuple[str, float], list[Any]] = {}
    others: list[Any] = []
    for regularizer, weight in pairs:
        if type(regularizer) not in (L1, L2, L1L2):
            others.append(regularizer(weight))
            continue
        l1, l2 = getattr(regularizer, "l1", 0.0), getattr(regularizer, "l2", 0.0)
        if l1:
            sums.setdefault(("l1", l1), []).append(ops.sum(ops.absolute(weight)))
        if l2:
            sums.setdefault(("l2", l2), []).append(ops.sum(ops.square(weight)))
    for (_, factor), terms in sums.items():
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        others.append(factor * total)
    return others
