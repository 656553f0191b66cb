"""Random numbers of one batch that do not depend on which thread makes it, or when.

Inside `keyed_draws(key)` a SeedGenerator draws from `key`, its own seed and how often it was asked
in there, and keeps its state. Datasets give each batch a key of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pronghorn.ops.arguments import apply
from pronghorn.tensor import Tensor, convert_to_tensor
from pronghorn.trace import current_trace


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.stack: list[tuple[Tensor, dict[int, int]]] = []


_scopes = _Scopes()


@contextmanager
def keyed_draws(key: Any) -> Iterator[None]:
    """Makes the SeedGenerators that this thread asks inside draw from a key.

    Args:
        key: uint32 of shape `(2,)`, an array or a tensor.
    """
    _scopes.stack.append((convert_to_tensor(key), {}))
    try:
        yield
    finally:
        _scopes.stack.pop()


def current_key() -> Tensor | None:
    """Returns the key of the innermost `keyed_draws` of this thread, if there is one."""
    return _scopes.stack[-1][0] if _scopes.stack else None


def scoped_key(generator: Any) -> Tensor | None:
    """Returns the next key of a generator, or `None` where it draws from its own state.

    In a trace the key must be part of the trace: a known one would be the same in every run.
    """
    if not _scopes.stack:
        return None
    key, counts = _scopes.stack[-1]
    if not key.is_symbolic and current_trace() is not None:
        return None
    count = counts.get(id(generator), 0)
    counts[id(generator)] = count + 1
    own = np.array([generator.seed, count], np.uint32)
    return apply("add", key, convert_to_tensor(own))


def batch_key(key: Any, position: int) -> np.ndarray:
    """Returns the key of one batch of a pass.

    Args:
        key: the key of the pass.
        position: the place of the batch in it.
    """
    words = [int(w) for w in np.asarray(key).reshape(-1)]
    found: np.ndarray = np.random.SeedSequence([*words, position]).generate_state(2)
    return found
