"""The bound on memory of variables while a file is loaded: what it declares against its bytes."""

from __future__ import annotations

import threading
from types import TracebackType

from pronghorn.array_in_file import item_size

# Optimizers keep up to three values a weight, which a file without their state does not hold.
_FACTOR = 5
_SLACK = 64 * 2**20


class _State(threading.local):
    def __init__(self) -> None:
        self.scopes: list[AllocationLimit] = []


_state = _State()


class AllocationLimit:
    """Context manager inside which variables may take 5 times the bytes of a file, and 64 MiB.

    Args:
        stored: Bytes of weights in the file.
        source: What the file is, for errors.
    """

    def __init__(self, stored: int, source: str) -> None:
        self.left = stored * _FACTOR + _SLACK
        self.stored = stored
        self.source = source

    def __enter__(self) -> AllocationLimit:
        _state.scopes.append(self)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _state.scopes.pop()


def count_variable(shape: tuple[int, ...], dtype: str) -> None:
    """Counts the bytes of a new variable, before they are taken.

    Args:
        shape: Its shape.
        dtype: Its dtype.

    Raises:
        ValueError: If a file that is being loaded has too few bytes for its variables.
    """
    if not _state.scopes:
        return
    scope = _state.scopes[-1]
    size = item_size(dtype)
    for dim in shape:
        size *= dim
    scope.left -= size
    if scope.left < 0:
        raise ValueError(
            f"{scope.source} is refused: it declares a variable of shape {shape}, {size} bytes, "
            f"with {scope.stored} bytes of weights behind it."
        )
