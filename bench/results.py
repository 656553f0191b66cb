"""What a bench found: rows of numbers, written as JSON for compare.py, and where they come from."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any


@dataclasses.dataclass
class Row:
    """One measured quantity: `values` of repeated measurements, in `unit`; time or rate."""

    name: str
    unit: str
    values: list[float]

    @property
    def is_time(self) -> bool:
        return self.unit in ("ms", "us", "s")

    @property
    def best(self) -> float:
        return min(self.values) if self.is_time else max(self.values)

    @property
    def median(self) -> float:
        return statistics.median(self.values)


def _first_line(path: str, start: str) -> str:
    try:
        with open(path) as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith(start))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine() -> dict[str, Any]:
    """Machine, date and commit."""
    return {
        "cpu": _first_line("/proc/cpuinfo", "model name"),
        "cpus": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "date": time.strftime("%Y-%m-%d"),
        "commit": _commit(),
        "python": platform.python_version(),
    }


def describe(about: dict[str, Any]) -> str:
    """One line above a table."""
    return ", ".join(
        f"{key} {value}" for key, value in about.items() if isinstance(value, (str, int))
    )


def save(path: str, about: dict[str, Any], rows: list[Row]) -> None:
    """Writes what compare.py reads."""
    found = {"about": about, "rows": [dataclasses.asdict(row) for row in rows]}
    Path(path).write_text(json.dumps(found, indent=1) + "\n")


def load(path: str) -> tuple[dict[str, Any], dict[str, Row]]:
    """What `save` wrote, rows by name."""
    found = json.loads(Path(path).read_text())
    rows = [Row(**row) for row in found["rows"]]
    return found["about"], {row.name: row for row in rows}
