"""Sizes that stand for unknown dimensions, and what is known of them from several traces.

A model is traced several times with other sizes in place of its unknown dimensions. A number of
the graph is then a `Size`: the tuple of its values in these traces. It is fixed if all are equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Size = tuple[int, ...]

# By trace: the batch, and other dimensions. Of both parities and with remainders modulo 3 that
# stay apart after divisions, so that a rule which rounds is not taken for one that does not.
_BATCHES = (7, 12, 18, 29, 41)
_LENGTHS = (97, 98, 130, 150, 171)
_NEXT = (53, 61, 42, 79, 34)  # from one dimension to the next
# For models that take only multiples of powers of two; batches that use kernels of many rows.
_EVEN_BATCHES = (160, 224, 192, 352, 416)
_EVEN_LENGTHS = (96, 160, 224, 320, 352)
_EVEN_NEXT = (64, 32, 128, 96, 160)
# For steps that are unrolled, or windows that need few.
_SMALL = (5, 6, 8, 11, 13)

Sample = dict[str, Size]


def samples(names: list[str]) -> Iterator[Sample]:
    """Yields the sizes to try for unknown dimensions, until a model can be traced with them."""
    count = 3 if names == ["batch"] else 5
    lengths = [n for n in names if n != "batch"]
    for batches, first, step in (
        (_BATCHES, _LENGTHS, _NEXT),
        (_EVEN_BATCHES, _EVEN_LENGTHS, _EVEN_NEXT),
    ):
        found = {"batch": batches[:count]} if "batch" in names else {}
        for i, name in enumerate(lengths):
            found[name] = tuple(n + i * s for n, s in zip(first, step))[:count]
        yield found
        if len(lengths) > 1:  # dimensions of the same axis, or all, may have to agree
            axes = {name: name.rsplit("_", 1)[-1] for name in lengths}
            for keys in (axes, dict.fromkeys(lengths, "")):
                numbers = {key: i for i, key in enumerate(dict.fromkeys(keys.values()))}
                same = dict(found)
                for name in lengths:
                    i = numbers[keys[name]]
                    same[name] = tuple(n + i * s for n, s in zip(first, step))[:count]
                if same != found:
                    yield same


def fixed(size: Size) -> int | None:
    """Returns the value of a size that is the same in all traces, else None."""
    return size[0] if all(n == size[0] for n in size) else None


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
