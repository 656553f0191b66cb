"""A small transformer learns to write dates as numbers: "the third of march, 1987" -> 1987-03-03.

    python examples/translation.py [--epochs 10] [--seed 0]

Encoder and decoder of MultiHeadAttention (Vaswani et al., "Attention Is All You Need", 2017) over
characters: masks of the padding, a causal mask in the decoder, learned positions. It is trained on
random dates in many forms and tested, decoding greedily, on dates of other days that it has never
seen in any form. Expected share of test dates that are right in every character: 0.97 to 1.00.
"""

from __future__ import annotations

import argparse
import calendar
import datetime

import numpy as np

import pronghorn as keras
from pronghorn import layers

MONTHS = [name.lower() for name in calendar.month_name[1:]]
WEEKDAYS = [name.lower() for name in calendar.day_name]
ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    *("tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth"),
    *("seventeenth", "eighteenth", "nineteenth", "twentieth"),
)
DAYS = [*ORDINALS, *(f"twenty-{day}" for day in ORDINALS[:9]), "thirtieth", "thirty-first"]
CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789 ,-/"
SOURCE = 42  # most characters of a date in words
TARGET = "0123456789-"
START = len(TARGET) + 1
WRITTEN = 10  # characters of a date as numbers


def in_words(date: datetime.date, random: np.random.Generator) -> str:
    """Writes a date in one of many forms."""
    month = MONTHS[date.month - 1]
    if random.random() < 0.3:
        month = month[:3]
    day = DAYS[date.day - 1] if random.random() < 0.5 else str(date.day)
    form = random.integers(4)
    text = [
        f"the {day} of {month}, {date.year}",
        f"{month} {day}, {date.year}",
        f"{day} {month} {date.year}",
        f"{date.year}, {month} {day}",
    ][form]
    if random.random() < 0.2:
        text = f"{WEEKDAYS[date.weekday()][:3]}, {text}"
    return text


def encode(texts: list[str], characters: str, length: int) -> np.ndarray:
    """Returns numbers from 1 on, 0 for padding: (texts, length) int32."""
    numbers = np.zeros((len(texts), length), "int32")
    for row, text in zip(numbers, texts):
        row[: len(text)] = [characters.index(c) + 1 for c in text]
    return numbers


def pairs(dates: list[datetime.date], random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns dates in words and as numbers."""
    words = encode([in_words(date, random) for date in dates], CHARACTERS, SOURCE)
    return words, encode([date.isoformat() for date in dates], TARGET, WRITTEN)


class Places(layers.Layer):
    """Embeds numbers and adds a learned vector for each place; 0 is padding."""

    def __init__(self, numbers: int, length: int, size: int) -> None:
        super().__init__()
        self.supports_masking = True
        self.numbers = layers.Embedding(numbers, size, mask_zero=True)
        self.places = layers.Embedding(length, size)

    def call(self, x):
        return self.numbers(x) + self.places(keras.ops.arange(x.shape[1]))

    def compute_mask(self, x, mask=None):
        return self.numbers.compute_mask(x)


def block(x, size: int, heads: int, memory=None):
    """Attention within x (to what memory says too, if given: then causal), then two layers."""
    attended = layers.MultiHeadAttention(heads, size // heads)(
        x, x, use_causal_mask=memory is not None
    )
    x = layers.LayerNormalization()(x + attended)
    if memory is not None:
        attended = layers.MultiHeadAttention(heads, size // heads)(x, memory)
        x = layers.LayerNormalization()(x + attended)
    hidden = layers.Dense(2 * size, activation="relu")(x)
    return layers.LayerNormalization()(x + layers.Dense(size)(hidden))


def build(size: int = 64, heads: int = 4) -> keras.Model:
    words = keras.Input((SOURCE,), dtype="int32", name="words")
    written = keras.Input((WRITTEN,), dtype="int32", name="written")
    memory = Places(len(CHARACTERS) + 1, SOURCE, size)(words)
    memory = block(memory, size, heads)
    memory = block(memory, size, heads)
    x = Places(START + 1, WRITTEN, size)(written)
    x = block(x, size, heads, memory)
    x = block(x, size, heads, memory)
    return keras.Model([words, written], layers.Dense(START)(x))


def shifted(written: np.ndarray) -> np.ndarray:
    """What the decoder has written before each place."""
    return np.concatenate([np.full_like(written[:, :1], START), written[:, :-1]], axis=1)


def translate(model: keras.Model, words: np.ndarray) -> np.ndarray:
    """Greedy decoding: at each place the most probable character, given those before it."""
    written = np.zeros((len(words), WRITTEN), "int32")
    for place in range(WRITTEN):
        logits = model.predict([words, shifted(written)], batch_size=256, verbose=0)
        written[:, place] = np.argmax(logits[:, place, 1:], axis=-1) + 1
    return written


def train(
    epochs: int, seed: int, count: int, size: int = 64
) -> tuple[keras.Model, np.ndarray, np.ndarray]:
    """Returns a model trained on `count` dates, and 1,000 other dates in words and as numbers."""
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    first, last = (datetime.date(year, 1, 1).toordinal() for year in (1900, 2101))
    days = random.permutation(np.arange(first, last))[: count + 1000]
    dates = [datetime.date.fromordinal(int(day)) for day in days]
    x_train, y_train = pairs(dates[:count], random)

    model = build(size)
    steps = epochs * (count // 64)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=2e-3, warmup_steps=steps // 10
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    model.fit([x_train, shifted(y_train)], y_train, epochs=epochs, batch_size=64)
    return model, *pairs(dates[count:], random)


def main(epochs: int = 10, seed: int = 0, count: int = 8000) -> float:
    """Trains on `count` dates and tests; returns the share of test dates that are right."""
    model, x_test, y_test = train(epochs, seed, count)
    written = translate(model, x_test)
    right = (written == y_test).all(axis=1)
    for words, numbers in zip(x_test[:5], written):
        text = "".join(CHARACTERS[c - 1] for c in words if c)
        print(f"{text:>42} -> {''.join(TARGET[c - 1] for c in numbers)}")
    print(f"Test dates right in every character: {right.mean():.4f}")
    return float(right.mean())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    main(arguments.epochs, arguments.seed)
