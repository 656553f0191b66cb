"""A worker times one library in a process of its own. Its first line says what it is and what it
can time; then it reads the name of an action a line and answers each with milliseconds.

Actions: `train` (a step), `infer` (a batch), `predict` and `call` (one sample through the library's
comfortable and its direct way; a library with one way has only `call`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence

CALLS = 50  # of one timing of one sample


def arguments(description: str, flags: Sequence[str] = ()) -> argparse.Namespace:
    """The command line of a worker: a workload, --bf16 and what else it takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("workload")
    for flag in ("--bf16", *flags):
        parser.add_argument(flag, action="store_true")
    return parser.parse_args()


def per_call(f: Callable[[], object], calls: int = CALLS) -> Callable[[], float]:
    """An action that calls `f` several times and returns milliseconds of one."""

    def action() -> float:
        start = time.perf_counter()
        for _ in range(calls):
            f()
        return (time.perf_counter() - start) / calls * 1e3

    return action


def serve(actions: Mapping[str, Callable[[], float]], about: str) -> None:
    """Answers requests until stdin ends; `about` names library and version."""
    sys.stdout.write(json.dumps({"about": about, "actions": list(actions)}) + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(f"{actions[line.strip()]():.9g}\n")
        sys.stdout.flush()
