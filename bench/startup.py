"""What a process pays before its first result: import, first fit step, size of the package.

python -m bench.startup
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from importlib import util
from pathlib import Path

ROUNDS = 7

IMPORT = """
import time
import numpy
start = time.perf_counter()
{lines}
print((time.perf_counter() - start) * 1e3)
"""
# Namespaces load when they are used: these are the first lines of most programs.
FIRST_LINES = "import pronghorn as keras; from pronghorn import layers; keras.Sequential"

# From the call of fit until its first step is done: tracing, passes, planning and the step.
FIRST_STEP = """
import sys, time
sys.path.insert(0, {root!r})
import numpy as np
import pronghorn as keras
from bench.workers.keras_model import build
model = build(keras, "cnn3")
x = np.zeros((32, 28, 28, 1), "float32")
y = np.zeros((32,), "int32")
start = time.perf_counter()
model.fit(x, y, batch_size=32, epochs=1, verbose=0)
print((time.perf_counter() - start) * 1e3)
"""


def milliseconds(code: str) -> list[float]:
    """What fresh processes print."""
    times = []
    for _ in range(ROUNDS):
        command = [sys.executable, "-c", code]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        times.append(float(run.stdout.split()[-1]))
    return times


def package_bytes() -> int:
    """Size of the installed package, without byte code."""
    spec = util.find_spec("pronghorn")
    assert spec is not None and spec.submodule_search_locations
    folders = [Path(p) for p in spec.submodule_search_locations]
    return sum(
        f.stat().st_size
        for folder in folders
        for f in folder.rglob("*")
        if f.is_file() and "__pycache__" not in f.parts
    )


def main() -> None:
    root = str(Path(__file__).parents[1])
    rows = {
        "import pronghorn, above numpy": milliseconds(IMPORT.format(lines="import pronghorn")),
        "the same with layers and models": milliseconds(IMPORT.format(lines=FIRST_LINES)),
        "first fit of program 1, to its first step": milliseconds(FIRST_STEP.format(root=root)),
    }
    print("| what | minimum ms | median ms |\n|---|---|---|")
    for name, times in rows.items():
        print(f"| {name} | {min(times):.1f} | {statistics.median(times):.1f} |")
    print(f"\nInstalled package: {package_bytes() / 2**20:.1f} MiB")
    if "--json" in sys.argv:
        print(json.dumps(rows))


if __name__ == "__main__":
    main()
