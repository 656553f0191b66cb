"""Times Keras: KERAS_BACKEND=tensorflow python bench/workers/run_keras.py WORKLOAD"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.append(str(Path(__file__).parents[2]))

import keras  # noqa: E402
from keras import layers  # noqa: E402

from bench.workers.protocol import serve  # noqa: E402
from bench.workloads import WORKLOADS, data  # noqa: E402


def main(name: str) -> None:
    workload = WORKLOADS[name]
    x, y = data(name)
    batch, steps = workload["batch"], workload["steps"]
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
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])

    def train() -> float:
        start = time.perf_counter()
        model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
        return (time.perf_counter() - start) / steps * 1e3

    def infer() -> float:
        start = time.perf_counter()
        model.predict(x, batch_size=batch, verbose=0)
        return (time.perf_counter() - start) / steps * 1e3

    def one() -> float:
        calls, sample = 5, x[:1]
        start = time.perf_counter()
        for _ in range(calls):
            model.predict(sample, verbose=0)
        return (time.perf_counter() - start) / calls * 1e3

    about = f"Keras {keras.__version__} on {keras.backend.backend()}"
    serve({"train": train, "infer": infer, "one": one}, about)


if __name__ == "__main__":
    main(sys.argv[1])
