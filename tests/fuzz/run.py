"""Fuzzes the readers of files for some time: `python tests/fuzz/run.py --seconds 600 --seed 1`.

Each finding (a crash, a hang, an error from deep inside, memory above the bound, something reached
that a file must not reach) is printed and its file written to `--findings`. `--again FILE` opens
one such file once more. Exit code 1: there were findings.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import pathlib
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from random import Random
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from fuzz.targets import TARGETS, changed_file  # noqa: E402

HANG_SECONDS = 60


class Worker:
    """A process that opens files, started again when it has died."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.process: Any = None
        self.errors = open(os.path.join(self.folder, "stderr"), "w+")  # noqa: SIM115

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self) -> None:
        """Ends the process."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def open(self, target: str, data: bytes) -> dict[str, Any]:
        """Returns the outcome of opening a file with these bytes."""
        path = os.path.join(self.folder, f"file{TARGETS[target].ending}")
        pathlib.Path(path).write_bytes(data)
        if self.process is None:
            self._start()
        try:
            self.process.stdin.write(f"{target} {path}\n")
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], HANG_SECONDS)
            answer = self.process.stdout.readline() if ready else None
        except BrokenPipeError:
            answer = ""
        if answer:
            found: dict[str, Any] = json.loads(answer)
            return found
        reason = "hang" if answer is None else f"crash, exit code {self.process.wait()}"
        self.stop()
        return {"outcome": "finding", "stage": "", "reason": reason, "where": self._last_errors()}

    def _start(self) -> None:
        self.errors.seek(0)
        self.errors.truncate()
        environment = {**os.environ, "TMPDIR": self.folder, "PYTHONFAULTHANDLER": "1"}
        environment.setdefault("PRONGHORN_NUM_THREADS", "1")
        # -B: byte code that a late import writes would be taken for a write of the file.
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(pathlib.Path(__file__).with_name("worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=environment,
            text=True,
        )

    def _last_errors(self) -> str:
        self.errors.seek(0)
        return self.errors.read()[-6000:]


def kind(found: dict[str, Any]) -> str:
    """Returns what findings of one cause have in common."""
    places = re.findall(r'File ".*?([^/]+\.py)", line (\d+)', found["where"])
    at = ":".join(places[-1]) if places else ""
    name = re.sub(r"[0-9]+|'[^']*'", "", found["reason"])[:60]
    return f"{found['stage']} {at} {name}"


def fuzz(
    seconds: float, seed: int, names: list[str], findings: pathlib.Path, show: Any = print
) -> dict[str, int]:
    """Fuzzes for some time.

    Args:
        seconds: How long.
        seed: The same seed gives the same files in the same order.
        names: Targets, taken in turn.
        findings: Folder for files that were found, one of each kind.
        show: Called with text.

    Returns:
        Number of findings by kind.
    """
    counts: collections.Counter[str] = collections.Counter()
    outcomes: collections.Counter[str] = collections.Counter()
    slowest, largest = 0.0, 0
    end = time.monotonic() + seconds
    number = 0
    with Worker() as worker:
        while time.monotonic() < end:
            name = names[number % len(names)]
            data = changed_file(name, Random(f"{seed} {number}"))
            found = worker.open(name, data)
            number += 1
            outcomes[f"{name} {found['outcome']}"] += 1
            slowest = max(slowest, found.get("seconds", 0.0))
            largest = max(largest, found.get("memory", 0))
            if found["outcome"] != "finding":
                continue
            what = kind(found)
            counts[what] += 1
            if counts[what] == 1:
                findings.mkdir(parents=True, exist_ok=True)
                path = findings / f"{name}-{seed}-{number - 1}{TARGETS[name].ending}"
                path.write_bytes(data)
                show(f"FINDING {path} ({found['stage']}): {found['reason']}\n{found['where']}")
    show(
        f"{number} files, {sum(counts.values())} findings of {len(counts)} kinds; the slowest "
        f"took {slowest:.2f} s, the largest {largest >> 20} MB"
    )
    for what, count in sorted(outcomes.items()):
        show(f"  {what}: {count}")
    for what, count in counts.most_common():
        show(f"  {count} times {what}")
    return dict(counts)


def main() -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--targets", nargs="*", choices=sorted(TARGETS), default=list(TARGETS))
    parser.add_argument("--findings", type=pathlib.Path, default=pathlib.Path("findings"))
    parser.add_argument("--again", type=pathlib.Path, help="a file of an earlier finding")
    options = parser.parse_args()
    if options.again is not None:
        target = options.again.name.partition("-")[0]
        with Worker() as worker:
            found = worker.open(target, options.again.read_bytes())
        where = found.pop("where", "")
        print(json.dumps(found, indent=1), where, sep="\n")
        return int(found["outcome"] == "finding")
    with contextlib.suppress(KeyboardInterrupt):
        found = fuzz(options.seconds, options.seed, options.targets, options.findings)
        return int(bool(found))
    return 130


if __name__ == "__main__":
    sys.exit(main())
