"""Program 1: a network of three convolutions learns handwritten digits.

    python examples/digits.py [--epochs 5] [--seed 0]

4,000 real MNIST digits to train on, 1,000 others to test (both part of the package). Expected test
accuracy after 5 epochs: 0.94 to 0.97. Writes digits.png, the curves, if matplotlib is installed.
"""

from __future__ import annotations

import argparse
import time

import pronghorn as keras
from pronghorn import layers


def build() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def main(epochs: int = 5, seed: int = 0, plot: str = "digits.png") -> float:
    """Trains and tests; returns the test accuracy."""
    keras.utils.set_random_seed(seed)
    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist_5k.load_data()
    x_train = x_train[..., None].astype("float32") / 255
    x_test = x_test[..., None].astype("float32") / 255

    model = build()
    model.summary()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    history = model.fit(
        x_train, y_train, epochs=epochs, batch_size=32, validation_data=(x_test, y_test)
    )
    seconds = time.perf_counter() - start
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"Test accuracy: {accuracy:.4f}")
    print(f"Training: {epochs * len(x_train) / seconds:,.0f} samples per second")
    if plot:
        draw(history, plot)
    return accuracy


def draw(history: keras.callbacks.History, path: str) -> None:
    try:
        history.plot(path)
    except ImportError as error:
        print(f"No picture of the curves. {error}")
    else:
        print(f"Curves: {path}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    main(arguments.epochs, arguments.seed)
