"""Arguments that do not go together."""

from __future__ import annotations


class UsageError(Exception):
    """Wrong arguments of the command, which ends with the code 2."""
