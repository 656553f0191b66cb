"""JSON of files that nobody vouches for: size, depth, number of values, duplicate keys."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 200
# Of 100 bytes each at most in memory; the configuration of a network of 1,000 layers has 60,000.
MAX_VALUES = 2_000_000
MAX_DIGITS = 400

_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_json(data: bytes, source: str) -> Any:
    """Returns the value of a JSON text.

    Args:
        data: UTF-8 text.
        source: What the text is, for errors.

    Raises:
        ValueError: If the text is no JSON, larger than 64 MiB, nested deeper than 200 levels, has
            more than 2 million values, an integer of more than 400 digits, half of a surrogate
            pair, or an object with a key twice.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"{source}: expected at most {MAX_BYTES} bytes. Received: {len(data)}.")
    _check_structure(data, source)
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_int=_integer)
        if b"\\u" in data:
            _check_strings(found)
    except _Refused as error:
        raise ValueError(f"{source}: expected {error}.") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{source}: expected JSON text. Received: {error}.") from None
    return found


def _check_structure(data: bytes, source: str) -> None:
    """Checks depth and number of values, in time and memory that grow with the text."""
    # Without escaped characters each quote begins or ends a string.
    plain = np.frombuffer(data.replace(b"\\\\", b"").replace(b'\\"', b""), np.uint8)
    outside = plain[~np.logical_xor.accumulate(plain == ord('"'))].tobytes()
    if sum(map(outside.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise ValueError(f"{source}: expected at most {MAX_VALUES} values. Received: more.")
    brackets = np.frombuffer(outside.translate(None, _NO_BRACKETS), np.uint8)
    opening = (brackets == ord("[")) | (brackets == ord("{"))
    if np.cumsum(np.where(opening, 1, -1)).max(initial=0) > MAX_DEPTH:
        raise ValueError(f"{source}: expected at most {MAX_DEPTH} nested levels. Received: more.")


def _check_strings(value: Any) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise _Refused(f"whole characters. Received: half of a pair in {value!r:.100}")
    elif isinstance(value, list):
        for item in value:
            _check_strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_strings(key)
            _check_strings(item)


class _Refused(Exception):
    """JSON that is not accepted; says what was expected."""


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _Refused(f"integers of at most {MAX_DIGITS} digits. Received: {len(text)} digits")
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Refused(f"each key of an object once. Received: {key[:100]!r} twice")
            seen.add(key)
    return found
