"""A character LSTM learns to write like Python's manual, and is tested on chapters it never saw.

    python examples/characters.py [--epochs 10] [--seed 0]

The text is the language reference that every Python carries for its `help()` (460,000 characters in
79 chapters); every tenth chapter is kept for the test. The network reads pieces of 100 characters
and names the next one at each; then it writes a text of its own, character by character, with the
state of its LSTM handed on. Expected perplexity of a character of the test chapters (e to the mean
loss; 1 would know all, 27 is what the frequencies of characters give): 3.5 to 4.0.
"""

from __future__ import annotations

import argparse
import collections
import pydoc_data.topics
import re

import numpy as np

import pronghorn as keras
from pronghorn import layers

LENGTH = 100
CHARACTERS = 90  # the most frequent ones; number 0 is any other


def read() -> tuple[str, str]:
    """Returns the text of the training and of the test chapters."""
    chapters = [re.sub(" +", " ", text) for _, text in sorted(pydoc_data.topics.topics.items())]
    train = [text for i, text in enumerate(chapters) if i % 10 != 5]
    return "\n".join(train), "\n".join(chapters[5::10])


def pieces(text: str, characters: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Returns pieces of the text, and the character after each of theirs: (pieces, LENGTH)."""
    place = {c: i + 1 for i, c in enumerate(characters)}
    numbers = np.array([place.get(c, 0) for c in text], "int32")
    count = (len(numbers) - 1) // LENGTH
    x = numbers[: count * LENGTH].reshape(count, LENGTH)
    return x, numbers[1 : count * LENGTH + 1].reshape(count, LENGTH)


class Writer:
    """A network that reads whole pieces, and one of the same layers that reads one character."""

    def __init__(self, units: int) -> None:
        embedding = layers.Embedding(CHARACTERS + 1, 32)
        lstm = layers.LSTM(units, return_sequences=True, return_state=True)
        dense = layers.Dense(CHARACTERS + 1)

        text = keras.Input((LENGTH,), dtype="int32")
        self.reader = keras.Model(text, dense(lstm(embedding(text))[0]))

        character = keras.Input((1,), dtype="int32")
        state = [keras.Input((units,)), keras.Input((units,))]
        y, *after = lstm(embedding(character), initial_state=state)
        self.step = keras.Model([character, *state], [dense(y), *after])
        self.units = units

    def write(self, start: str, characters: list[str], length: int, seed: int) -> str:
        """Continues a text, drawing each character with the probability that the network gives."""
        random = np.random.default_rng(seed)
        state = [np.zeros((1, self.units), "float32")] * 2
        text = start
        for i in range(len(start) + length - 1):
            number = np.array([[characters.index(text[i]) + 1]], "int32")
            logits, *state = self.step.predict([number, *state], verbose=0)
            if i >= len(start) - 1:
                scores = logits[0, 0, 1:] / 0.7  # sharper than learned: fewer slips
                weights = np.exp(scores - scores.max())
                text += str(random.choice(characters, p=weights / weights.sum()))
        return text


def main(
    epochs: int = 10, seed: int = 0, units: int = 192, limit: int | None = None, length: int = 300
) -> float:
    """Trains on the first `limit` pieces and tests; returns the perplexity of the test chapters."""
    keras.utils.set_random_seed(seed)
    train, test = read()
    characters = [c for c, _ in collections.Counter(train).most_common(CHARACTERS)]
    x_train, y_train = (numbers[:limit] for numbers in pieces(train, characters))
    x_test, y_test = pieces(test, characters)

    writer = Writer(units)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    writer.reader.compile(keras.optimizers.Adam(0.004), loss, metrics=["accuracy"])
    writer.reader.fit(x_train, y_train, epochs=epochs, batch_size=32)
    entropy, accuracy = writer.reader.evaluate(x_test, y_test, verbose=0)
    print(writer.write("The value of ", characters, length, seed))
    print(f"Next characters right in the test chapters: {accuracy:.4f}")
    print(f"Perplexity of a character in the test chapters: {np.exp(entropy):.3f}")
    return float(np.exp(entropy))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    main(arguments.epochs, arguments.seed)
