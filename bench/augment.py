"""Training on augmented digits: how long a step takes when batches are made by threads.

python -m bench.augment [--threads N] [--rounds N]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

import pronghorn as keras
from bench.workers.keras_model import build
from pronghorn import layers

BATCH = 32


class Digits(keras.utils.PyDataset):
    """Batches of digits from memory."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        super().__init__()
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x) // BATCH

    def __getitem__(self, index: int) -> Any:
        rows = slice(index * BATCH, (index + 1) * BATCH)
        return self.x[rows], self.y[rows]


def main() -> None:
    """Prints milliseconds a step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, help="threads of a step")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.threads:
        keras.config.set_num_threads(options.threads)
    (x, y), _ = keras.datasets.mnist_5k.load_data()
    x = x[:3200, ..., None].astype("float32") / 255
    digits = Digits(x, y[:3200])
    augment = layers.Pipeline(
        [
            layers.RandomRotation(0.05, fill_mode="constant"),
            layers.RandomZoom(0.1, fill_mode="constant"),
            layers.RandomTranslation(0.1, 0.1, fill_mode="constant"),
            layers.RandomContrast(0.2, value_range=(0, 1)),
        ]
    )

    def change(x: Any, y: Any) -> Any:
        return augment(x), y

    model = build(keras, "cnn3")
    data = {
        "arrays in memory": None,
        "the same as a PyDataset": digits,
        "augmented by the thread of the step": digits.map(change, num_parallel_calls=1),
        "augmented by 2 threads": digits.map(change, num_parallel_calls=2),
        "augmented by 3 threads": digits.map(change, num_parallel_calls=3),
    }
    best = dict.fromkeys(data, np.inf)
    for _ in range(options.rounds + 1):
        for name, source in data.items():
            start = time.perf_counter()
            if source is None:
                model.fit(x, digits.y, batch_size=BATCH, verbose=0)
            else:
                model.fit(source, verbose=0)
            best[name] = min(best[name], (time.perf_counter() - start) / len(digits) * 1e3)
    mapped = data["augmented by 2 threads"]
    alone = np.inf
    for i in range(200):
        start = time.perf_counter()
        mapped[i % len(digits)]
        alone = min(alone, (time.perf_counter() - start) * 1e3)
    print(f"ms a step of {BATCH} digits, cnn3, {keras.config.num_threads()} threads in a step")
    for name, took in best.items():
        print(f"{name:38s} {took:7.3f}")
    print(f"{'making one augmented batch, alone':38s} {alone:7.3f}")


if __name__ == "__main__":
    main()
