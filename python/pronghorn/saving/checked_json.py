"""JSON of files that nobody vouches for: size, depth, duplicate keys."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 200

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def parse_json(data: bytes, source: str) -> Any:
    """Returns the value of a JSON text.

    Args:
        data: UTF-8 text.
        source: What the text is, for errors.

    Raises:
        ValueError: If the text is no JSON, larger than 64 MiB, nested deeper than 200 levels, or
            an object in it has a key twice.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"{source}: expected at most {MAX_BYTES} bytes. Received: {len(data)}.")
    if _depth(data) > MAX_DEPTH:
        raise ValueError(f"{source}: expected at most {MAX_DEPTH} nested levels. Received: more.")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique)
    except _DuplicateKey as error:
        raise ValueError(
            f"{source}: expected each key of an object once. Received: {error.key!r} twice."
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{source}: expected JSON text. Received: {error}.") from None


def _depth(data: bytes) -> int:
    brackets = np.frombuffer(_STRING.sub(b"", data).translate(None, _NO_BRACKETS), np.uint8)
    opening = (brackets == ord("[")) | (brackets == ord("{"))
    return int(np.cumsum(np.where(opening, 1, -1)).max(initial=0))


class _DuplicateKey(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _DuplicateKey(next(key for i, key in enumerate(keys) if key in keys[:i]))
    return found
