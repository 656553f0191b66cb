"""Sizes that stand for unknown dimensions, and what is known of them from several traces.

A model is traced several times with other sizes in place of its unknown dimensions. A number of
the graph is then a `Size`: the tuple of its values in these traces. It is fixed if all are equal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

Size = tuple[int, ...]

BATCH = "batch"
"""Name of the first dimension of inputs, where that is unknown."""

# By trace: the batch, and other dimensions. Of both parities and with remainders modulo 3 that
# stay apart after divisions, so that a rule which rounds is not taken for one that does not.
_BATCHES = (7, 12, 18, 29, 41)
_LENGTHS = (97, 98, 130, 150, 171)
_NEXT = (53, 61, 42, 79, 34)  # from one dimension to the next
# For models that take only multiples of powers of two; batches that use kernels of many rows.
_EVEN_BATCHES = (160, 224, 192, 352, 416)
_EVEN_LENGTHS = (96, 160, 224, 320, 352)
_EVEN_NEXT = (64, 32, 128, 96, 160)
Sample = dict[str, Size]
Groups = list[list[str]]
"""Names of unknown dimensions; those of one group have the same size."""


def samples(groups: Groups, has_batch: bool) -> Iterator[Sample]:
    """Yields sizes to try for unknown dimensions; their values in the first trace come first.

    Args:
        groups: The dimensions but the batch.
        has_batch: Whether the batch is unknown.
    """
    count = 5 if groups else 4
    for batches, first, step in (
        (_BATCHES, _LENGTHS, _NEXT),
        (_EVEN_BATCHES, _EVEN_LENGTHS, _EVEN_NEXT),
    ):
        found = {BATCH: batches[:count]} if has_batch else {}
        for i, group in enumerate(groups):
            for name in group:
                found[name] = tuple(n + i * s for n, s in zip(first, step))[:count]
        yield found


def merges(groups: Groups) -> Iterator[Groups]:
    """Yields the groups with two of them put together, in all ways."""
    for j in range(1, len(groups)):
        for i in range(j):
            others = [g for k, g in enumerate(groups) if k not in (i, j)]
            yield [groups[i] + groups[j], *others]


def fixed(size: Size) -> int | None:
    """Returns the value of a size that is the same in all traces, else None."""
    return size[0] if all(n == size[0] for n in size) else None


def product(sizes: Sequence[Size]) -> Size:
    """Returns the product of sizes."""
    count = max((len(s) for s in sizes), default=1)
    return tuple(math.prod(s[i if len(s) > 1 else 0] for s in sizes) for i in range(count))


def merged(values: tuple[Any, ...]) -> Any:
    """Returns what the values of an attribute in all traces are together.

    Equal ones stay as they are, integers become a `Size`, lists of integers a list with a `Size`
    for each element that differs.

    Raises:
        ValueError: They differ in another way.
    """
    first = values[0]
    if all(v == first for v in values):
        return first
    if all(isinstance(v, int) for v in values):
        return tuple(values)
    if all(isinstance(v, list) and len(v) == len(first) for v in values):
        return [n[0] if fixed(n) is not None else n for n in zip(*values)]
    raise ValueError("values differ")
