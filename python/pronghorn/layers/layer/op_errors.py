"""Errors of ops inside a layer's call get the layer's name: `Dense 'd': matmul: ...`."""

from __future__ import annotations

import re

_OF_AN_OP = re.compile(r"(?!internal:)[a-z][a-z0-9_]*: ")


def name_layer(error: Exception, owner: str) -> None:
    """Puts `owner` before the message of an op; leaves messages that name a layer, and others."""
    if type(error) not in (ValueError, RuntimeError) or len(error.args) != 1:
        return
    message = error.args[0]
    if isinstance(message, str) and _OF_AN_OP.match(message):
        error.args = (f"{owner}: {message}",)
