"""When layers last changed: what is kept about a layer's calls compares these numbers."""

from __future__ import annotations

import itertools


class Changes:
    """`count` is another number after each change of any layer."""

    __slots__ = ("_next", "count")

    def __init__(self) -> None:
        self._next = itertools.count(1)
        self.count = 0

    def note(self) -> int:
        """Records a change. Returns its number."""
        self.count = number = next(self._next)
        return number


changes = Changes()
