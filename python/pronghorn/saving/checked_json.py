"""JSON of files that nobody vouches for: size, depth, duplicate keys."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 200

_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


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
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(data):
        character = token.group()[:1]
        if character in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(
                    f"{source}: expected at most {MAX_DEPTH} nested levels. Received: more."
                )
        elif character in b"]}":
            depth -= 1
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique)
    except _DuplicateKey as error:
        raise ValueError(
            f"{source}: expected each key of an object once. Received: {error.key!r} twice."
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{source}: expected JSON text. Received: {error}.") from None


class _DuplicateKey(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _DuplicateKey(key)
        found[key] = value
    return found
