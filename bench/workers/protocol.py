"""A worker times one library in a process of its own: it reads lines `train`, `infer` or `one` from
stdin and answers each with milliseconds (a step, a batch, a call)."""

from __future__ import annotations

import sys
from collections.abc import Callable


def serve(actions: dict[str, Callable[[], float]], about: str) -> None:
    """Answers requests until stdin ends; `about` names library and version."""
    sys.stdout.write(about + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(f"{actions[line.strip()]():.6f}\n")
        sys.stdout.flush()
