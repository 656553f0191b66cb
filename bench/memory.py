"""Resident memory over many predict calls and over rounds of build, fit, delete: it must stay flat.

python -m bench.memory
"""

from __future__ import annotations

import gc
import resource
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import pronghorn as keras  # noqa: E402
from bench.workers.keras_model import build  # noqa: E402


def resident() -> float:
    """MiB held now."""
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return pages * resource.getpagesize() / 2**20


def main(calls: int = 10_000, rounds: int = 200) -> None:
    x = np.zeros((32, 28, 28, 1), "float32")
    y = np.zeros((32,), "int32")
    model = build(keras, "cnn3")
    print("| after | resident MiB |\n|---|---|")
    for call in range(calls + 1):
        model.predict(x[:1], verbose=0)
        if call in (100, calls // 2, calls):
            print(f"| {call:,} calls of predict | {resident():.1f} |", flush=True)
    del model
    for i in range(rounds + 1):
        model = build(keras, "cnn3")
        model.fit(x, y, verbose=0)
        del model
        keras.utils.clear_session()
        if i in (20, rounds // 2, rounds):
            gc.collect()
            print(f"| {i} rounds of build, fit, delete | {resident():.1f} |", flush=True)


if __name__ == "__main__":
    main()
