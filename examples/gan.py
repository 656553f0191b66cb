"""A generative adversarial network draws digits: two models and one's own training loop.

    python examples/gan.py [--epochs 120] [--seed 0] [--picture gan.png]

The generator makes digits of noise; the discriminator learns to tell them from 4,000 real MNIST
digits, which are part of the package, and the generator to deceive it (Goodfellow and others,
"Generative adversarial nets", 2014). A step of both is one compiled function. Then a classifier,
trained on the real digits alone, judges 2,000 drawn ones. Expected after 120 epochs: it finds all
10 digits, and is sure (0.9 and more) of 0.55 to 0.70 of them (of real ones that it did not see:
0.90).
"""

from __future__ import annotations

import argparse

import numpy as np

import pronghorn as keras
from pronghorn import layers, ops

NOISE = 64
BATCH = 64
SURE = 0.9


def build_generator() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((NOISE,)),
            layers.Dense(256, activation="relu"),
            layers.BatchNormalization(momentum=0.9),
            layers.Dense(512, activation="relu"),
            layers.BatchNormalization(momentum=0.9),
            layers.Dense(784, activation="sigmoid"),
            layers.Reshape((28, 28, 1)),
        ]
    )


def build_discriminator() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(128),
            layers.LeakyReLU(0.2),
            layers.Dropout(0.3),
            layers.Dense(128),
            layers.LeakyReLU(0.2),
            layers.Dropout(0.3),
            layers.Dense(1),
        ]
    )


def build_classifier() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )


def train(real: np.ndarray, epochs: int, seed: int) -> keras.Model:
    """The adversarial training; returns the generator."""
    generator, discriminator = build_generator(), build_discriminator()
    optimizers = [keras.optimizers.Adam(1e-3, beta_1=0.5) for _ in range(2)]
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    @keras.function
    def step(images: keras.Tensor) -> tuple[keras.Tensor, keras.Tensor]:
        ones = ops.ones((images.shape[0], 1))
        noise = keras.random.normal((images.shape[0], NOISE))
        with keras.GradientTape() as tape:
            drawn = ops.stop_gradient(generator(noise, training=True))
            # A little less than 1 for real digits: the discriminator does not become too sure.
            loss_of_real = cross_entropy(0.9 * ones, discriminator(images, training=True))
            loss_of_drawn = cross_entropy(0.0 * ones, discriminator(drawn, training=True))
            loss_d = loss_of_real + loss_of_drawn
        weights = discriminator.trainable_variables
        optimizers[0].apply_gradients(zip(tape.gradient(loss_d, weights), weights))

        with keras.GradientTape() as tape:
            drawn = generator(noise, training=True)
            loss_g = cross_entropy(ones, discriminator(drawn, training=True))
        weights = generator.trainable_variables
        optimizers[1].apply_gradients(zip(tape.gradient(loss_g, weights), weights))
        return loss_d, loss_g

    rng = np.random.default_rng(seed)
    for epoch in range(epochs):
        order = rng.permutation(len(real))[: len(real) // BATCH * BATCH].reshape(-1, BATCH)
        losses = [step(real[rows]) for rows in order]
        if (epoch + 1) % 20 == 0:
            means = np.mean(np.array(losses, dtype="float32"), axis=0)
            print(f"epoch {epoch + 1}: discriminator {means[0]:.3f}, generator {means[1]:.3f}")
    return generator


def main(
    epochs: int = 120, seed: int = 0, picture: str = "", judge_epochs: int = 6
) -> dict[str, float]:
    """Trains and tests; returns what the classifier finds."""
    keras.utils.set_random_seed(seed)
    (x_train, y_train), (x_test, _) = keras.datasets.mnist_5k.load_data()
    x_train = x_train[..., None].astype("float32") / 255
    x_test = x_test[..., None].astype("float32") / 255

    generator = train(x_train, epochs, seed)
    drawn = generator.predict(
        np.random.default_rng(seed).standard_normal((2000, NOISE), "float32"), verbose=0
    )

    judge = build_classifier()
    judge.compile("adam", "sparse_categorical_crossentropy")
    judge.fit(x_train, y_train, epochs=judge_epochs, batch_size=32, verbose=0)
    on_drawn, on_real = judge.predict(drawn, verbose=0), judge.predict(x_test, verbose=0)
    shares = np.bincount(on_drawn.argmax(axis=1), minlength=10) / len(drawn)
    found = {
        "classes": int(np.sum(shares >= 0.01)),
        "sure": float(np.mean(on_drawn.max(axis=1) >= SURE)),
        "sure of real": float(np.mean(on_real.max(axis=1) >= SURE)),
    }
    print("Shares of the digits 0 to 9:", " ".join(f"{share:.2f}" for share in shares))
    print(f"Digits found: {found['classes']} of 10")
    print(f"Sure of {found['sure']:.3f} of them (of real ones: {found['sure of real']:.3f})")
    if picture:
        rows = drawn[:100].reshape(10, 10, 28, 28).transpose(0, 2, 1, 3).reshape(280, 280, 1)
        keras.utils.save_img(picture, rows * 255, scale=False)
        print(f"Picture: {picture}")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", default="", help="file for 100 drawn digits (needs pillow)")
    arguments = parser.parse_args()
    main(arguments.epochs, arguments.seed, arguments.picture)
