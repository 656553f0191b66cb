"""Times pronghorn: python bench/workers/run_pronghorn.py WORKLOAD"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

import pronghorn as keras  # noqa: E402
from bench.workers.protocol import serve  # noqa: E402
from bench.workloads import CLASSES, WORKLOADS, data  # noqa: E402
from pronghorn import layers  # noqa: E402


def build(name: str) -> keras.Model:
    """A Keras model of a workload."""
    workload = WORKLOADS[name]
    model = keras.Sequential([keras.Input(workload["x"])])
    for i, (kind, *arguments) in enumerate(workload["layers"]):
        last = i == len(workload["layers"]) - 1
        if kind == "dense":
            model.add(layers.Dense(arguments[0], activation=None if last else "relu"))
        elif kind == "conv":
            filters, size, padding = arguments
            model.add(layers.Conv2D(filters, size, padding=padding, activation="relu"))
        elif kind == "maxpool":
            model.add(layers.MaxPooling2D(arguments[0]))
        else:
            model.add(layers.Flatten())
    assert model.output_shape[-1] == CLASSES
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def main(name: str) -> None:
    workload = WORKLOADS[name]
    x, y = data(name)
    batch, steps = workload["batch"], workload["steps"]
    keras.utils.set_random_seed(0)
    model = build(name)

    def train() -> float:
        start = time.perf_counter()
        model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
        return (time.perf_counter() - start) / steps * 1e3

    def infer() -> float:
        start = time.perf_counter()
        model.predict(x, batch_size=batch, verbose=0)
        return (time.perf_counter() - start) / steps * 1e3

    def one() -> float:
        calls, sample = 50, x[:1]
        start = time.perf_counter()
        for _ in range(calls):
            model.predict(sample, verbose=0)
        return (time.perf_counter() - start) / calls * 1e3

    serve({"train": train, "infer": infer, "one": one}, f"pronghorn {keras.__version__}")


if __name__ == "__main__":
    main(sys.argv[1])
