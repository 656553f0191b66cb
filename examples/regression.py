"""Program 7: linear regression with a functional model.

    python examples/regression.py

Fits y = 3 a - 2 b + 1 with noise of standard deviation 0.1: 1,000 steps of Adam(0.01) on batches of
32. The noise leaves a mean squared error of 0.01; expected on other points: 0.010 to 0.015.
"""

from __future__ import annotations

import numpy as np

import pronghorn as keras
from pronghorn import layers


def points(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.uniform(-1, 1, (n, 2)).astype("float32")
    y = 3 * x[:, 0] - 2 * x[:, 1] + 1 + 0.1 * random.normal(size=n)
    return x, y.astype("float32")[:, None]


def main(steps: int = 1000) -> float:
    """Trains and tests; returns the mean squared error on other points."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((2,))
    hidden = layers.Dense(10, activation="relu")(inputs)
    model = keras.Model(inputs, layers.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.01), "mean_squared_error")

    x, y = points(3200, seed=1)
    for step in range(steps):
        first = step * 32 % len(x)
        loss = model.train_on_batch(x[first : first + 32], y[first : first + 32])
        if step % 200 == 0:
            print(f"step {step}: loss {float(loss):.4f}")
    error = float(model.evaluate(*points(1000, seed=2), verbose=0))
    print(f"Mean squared error on other points: {error:.4f}")
    return error


if __name__ == "__main__":
    main()
