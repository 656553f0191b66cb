"""Program 4: an LSTM and a GRU learn who is speaking, from vowels of several lengths.

    python examples/speakers.py [--epochs 60] [--seed 0]

JapaneseVowels (Kudo, Toyama, Shimbo 1999): 9 men say the same two vowels; 270 utterances to train
on, 370 to test, each 7 to 29 time steps of 12 cepstrum coefficients. Short ones are padded, and
Masking leaves the padding out. Expected test accuracy: 0.95 to 0.98 for both networks.

The files JapaneseVowels_TRAIN.ts and JapaneseVowels_TEST.ts are looked for in the folder
PRONGHORN_DATA, in the installed package aeon, and in ~/.keras/datasets.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path

import numpy as np

import pronghorn as keras
from pronghorn import layers
from pronghorn.datasets.files import cache_folder

STEPS, FEATURES, SPEAKERS = 29, 12, 9
PADDING = -100.0  # far from every coefficient


def find(name: str) -> Path:
    """Returns the path of a file of the data set."""
    folders = [cache_folder()]
    package = importlib.util.find_spec("aeon")
    if package is not None:
        for root in package.submodule_search_locations or []:
            folders.insert(0, Path(root) / "datasets" / "data" / "JapaneseVowels")
    if "PRONGHORN_DATA" in os.environ:
        folders.insert(0, Path(os.environ["PRONGHORN_DATA"]))
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(
        f"speakers: {name} is in none of {', '.join(map(str, folders))}. Bring it with\n"
        f"    pip download --no-deps aeon && unzip -j aeon-*.whl '*/{name}' -d {cache_folder()}"
    )


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns utterances, float32 `(count, STEPS, FEATURES)`, and speakers, `(count,)`."""
    utterances, speakers = [], []
    for line in find(name).read_text().splitlines():
        if not line or line[0] in "#@":
            continue
        *coefficients, speaker = line.split(":")
        series = np.array([c.split(",") for c in coefficients], dtype="float32").T
        rest = np.full((STEPS - len(series), FEATURES), PADDING, "float32")
        utterances.append(np.concatenate([series, rest]))
        speakers.append(int(speaker) - 1)
    return np.stack(utterances), np.array(speakers)


def build(recurrent: type[layers.Layer]) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((STEPS, FEATURES)),
            layers.Masking(PADDING),
            layers.Bidirectional(recurrent(64)),
            layers.Dropout(0.3),
            layers.Dense(SPEAKERS, activation="softmax"),
        ]
    )


def main(epochs: int = 60, seed: int = 0) -> dict[str, float]:
    """Trains and tests both networks; returns the test accuracies."""
    x_train, y_train = load("JapaneseVowels_TRAIN.ts")
    x_test, y_test = load("JapaneseVowels_TEST.ts")
    found = {}
    for recurrent in (layers.LSTM, layers.GRU):
        keras.utils.set_random_seed(seed)
        model = build(recurrent)
        model.compile(
            keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        model.fit(x_train, y_train, epochs=epochs, batch_size=30, verbose=0)
        _, found[recurrent.__name__] = model.evaluate(x_test, y_test, verbose=0)
        print(f"{recurrent.__name__}: test accuracy {found[recurrent.__name__]:.4f}")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train networks that know speakers.")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    main(arguments.epochs, arguments.seed)
