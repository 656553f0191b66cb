"""What is paid around a training step: by `fit`, by one's own loop, by the executor for each op.

python -m bench.loop [WORKLOAD ...]
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import pronghorn as keras
from bench.workers.keras_model import build
from bench.workloads import WORKLOADS, data

DEFAULT = ["mlp", "cnn3", "lstm"]
SHORT_RUN = 0.05  # seconds that one timing takes at least
FEW_OPS, MANY_OPS = 100, 300


def own_loop(model: Any) -> Callable[[Any, Any], Any]:
    """A train step as one writes it oneself."""
    optimizer = keras.optimizers.Adam()
    loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @keras.function
    def step(x: Any, y: Any) -> Any:
        with keras.GradientTape() as tape:
            loss = loss_function(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    return step


def actions(name: str) -> tuple[dict[str, Callable[[], Any]], int]:
    """An epoch of the bare program of `fit`, of `fit`, and of one's own loop; steps in an epoch."""
    workload = WORKLOADS[name]
    x, y = data(name)
    size, steps = workload["batch"], workload["steps"]
    model = build(keras, name)
    model.fit(x, y, batch_size=size, verbose=0)
    (program,) = [step.program for step in model._programs.steps.values()]
    step = own_loop(build(keras, name))
    batches = [(x[i : i + size].copy(), y[i : i + size].copy()) for i in range(0, len(x), size)]

    def loop() -> None:
        for batch in batches:
            step(*batch)

    return {
        "program": lambda: program.run_batches([x, y], None, size, 0, steps),
        "fit": lambda: model.fit(x, y, batch_size=size, verbose=0),
        "own loop": loop,
    }, steps


def microseconds(action: Callable[[], Any], steps: int) -> float:
    """A step's share of the time of `action`, repeated until that can be measured."""
    runs = 0
    start = time.perf_counter()
    while runs == 0 or time.perf_counter() - start < SHORT_RUN:
        action()
        runs += 1
    return (time.perf_counter() - start) / runs / steps * 1e6


def executor_nanoseconds() -> float:
    """What one more op costs in a program of ops with next to nothing to do."""

    def chain(ops: int) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for _ in range(ops):
                x = keras.ops.cumsum(x)
            return x

        return keras.function(run)

    x = np.zeros((2,), "float32")
    few, many = (
        min(microseconds(functools.partial(f, x), 1) for _ in range(5))
        for f in (chain(FEW_OPS), chain(MANY_OPS))
    )
    return (many - few) / (MANY_OPS - FEW_OPS) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", default=DEFAULT, help=f"default: {DEFAULT}")
    parser.add_argument("--rounds", type=int, default=7)
    a = parser.parse_args()
    print("us a step, minimum (median)")
    print("| workload | program | fit | own loop | fit / program | own loop / fit |")
    print("|---" * 6 + "|")
    for name in a.workloads:
        what, steps = actions(name)
        times: dict[str, list[float]] = {k: [] for k in what}
        for i in range(a.rounds + 1):
            for k, action in what.items():
                found = microseconds(action, steps)
                if i > 0:
                    times[k].append(found)
        cells = " | ".join(f"{min(t):.2f} ({statistics.median(t):.2f})" for t in times.values())
        best = {k: min(t) for k, t in times.items()}
        print(
            f"| {name} | {cells} | {best['fit'] / best['program']:.3f} | "
            f"{best['own loop'] / best['fit']:.3f} |",
            flush=True,
        )
    print(f"\nOne more op in a program, with its own work: {executor_nanoseconds():.0f} ns")


if __name__ == "__main__":
    main()
