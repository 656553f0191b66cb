"""Program 7: linear regression with a functional model and one's own training loop.

    python examples/regression.py [--steps 1000] [--seed 0]

Fits y = 3 a - 2 b + 1 with noise of standard deviation 0.1: 1,000 steps of Adam(0.01) on batches of
32. The noise leaves a mean squared error of 0.01; expected on other points: 0.010 to 0.014.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

import pronghorn as keras
from pronghorn import layers, ops


def points(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.uniform(-1, 1, (n, 2)).astype("float32")
    y = 3 * x[:, 0] - 2 * x[:, 1] + 1 + 0.1 * random.normal(size=n)
    return x, y.astype("float32")[:, None]


def build() -> keras.Model:
    inputs = keras.Input((2,))
    hidden = layers.Dense(10, activation="relu")(inputs)
    return keras.Model(inputs, layers.Dense(1)(hidden))


def main(steps: int = 1000, seed: int = 0) -> float:
    """Trains and tests; returns the mean squared error on other points."""
    keras.utils.set_random_seed(seed)
    model = build()
    optimizer = keras.optimizers.Adam(0.01)
    mean_squared_error = keras.losses.MeanSquaredError()

    @keras.function
    def train_step(x: Any, y: Any) -> Any:
        with keras.GradientTape() as tape:
            loss = mean_squared_error(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    x, y = points(3200, seed=1)
    train_step(x[:32], y[:32])  # the first step traces the function, the others run its program
    start = time.perf_counter()
    for step in range(1, steps):
        first = step * 32 % len(x)
        loss = train_step(x[first : first + 32], y[first : first + 32])
        if step % 200 == 0:
            print(f"step {step}: loss {float(loss):.4f}")
    microseconds = (time.perf_counter() - start) / (steps - 1) * 1e6

    x_test, y_test = points(1000, seed=2)
    error = float(ops.mean(ops.square(model(x_test) - y_test)))
    print(f"Mean squared error on other points: {error:.4f}")
    print(f"Training: {microseconds:.0f} microseconds per step")
    return error


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    main(arguments.steps, arguments.seed)
