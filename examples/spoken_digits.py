"""Program 6: convolutions over a spectrogram and an LSTM learn spoken digits.

    python examples/spoken_digits.py [--epochs 20] [--seed 0]

The synthetic voices of flite say "zero" to "nine", slower and faster, lower and higher, a little
noisy: kal, kal16, awb and rms, three men in four voices, to train on; the only woman, slt, to test.
A second test are real recordings of the ten digits by another woman, with which Asterisk answers
telephones. Expected test accuracy: 0.64 to 0.71 for slt, 7 to 9 of the 10 recordings.

    apt-get install flite asterisk-core-sounds-en-wav
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import pronghorn as keras
from pronghorn import layers

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TRAINING_VOICES = ("kal", "kal16", "awb", "rms")
TEST_VOICES = ("slt",)
SPEEDS = (0.8, 0.9, 1.0, 1.15, 1.3)
PITCHES = (90, 120, 150, 190, 230)  # hertz
RATE, SAMPLES = 8000, 8000  # one second
RECORDINGS = Path("/usr/share/asterisk/sounds/en/digits")


def speak(folder: Path, voices: tuple[str, ...], speeds: tuple[float, ...]) -> None:
    """Writes wav files of all words, in one folder a word."""
    if shutil.which("flite") is None:
        raise FileNotFoundError(
            "spoken_digits: the command flite is missing. Bring it with\n    apt-get install flite"
        )

    def say(word: str, voice: str, speed: float, pitch: int) -> None:
        target = folder / word / f"{voice}-{speed}-{pitch}.wav"
        target.parent.mkdir(parents=True, exist_ok=True)
        command = ["flite", "-voice", voice, "-t", word, "-o", str(target)]
        command += ["--setf", f"duration_stretch={speed}", "--setf", f"int_f0_target_mean={pitch}"]
        subprocess.run(command, check=True, capture_output=True)

    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(say, word, voice, speed, pitch)
            for word in WORDS
            for voice in voices
            for speed in speeds
            for pitch in PITCHES
        ]
        for call in calls:
            call.result()


def read(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Returns the sound in `folder`, float32 `(count, SAMPLES)`, and the digits `(count,)`."""
    data = keras.utils.audio_dataset_from_directory(
        folder,
        class_names=WORDS,
        sampling_rate=RATE,
        output_sequence_length=SAMPLES,
        batch_size=None,
        shuffle=False,
        verbose=False,
    )
    sound, digits = zip(*data, strict=True)
    return np.stack(sound)[..., 0], np.array(digits)


def recordings(folder: Path) -> None:
    """Copies the real recordings into one folder a word."""
    if not RECORDINGS.is_dir():
        raise FileNotFoundError(
            f"spoken_digits: there is no {RECORDINGS}. Bring it with\n"
            "    apt-get install asterisk-core-sounds-en-wav"
        )
    for digit, word in enumerate(WORDS):
        (folder / word).mkdir(parents=True)
        shutil.copy(RECORDINGS / f"{digit}.wav", folder / word)


def vary(sound: np.ndarray, copies: int, rng: np.random.Generator) -> np.ndarray:
    """Returns copies that begin later, are louder or softer, and have some noise."""
    found = []
    for _ in range(copies):
        for row in sound:
            moved = np.roll(row, rng.integers(0, 1600))
            loud = moved * rng.uniform(0.3, 1.0) / max(np.abs(row).max(), 1e-3)
            noise = rng.normal(size=row.shape) * 10 ** rng.uniform(-4, -1.7)
            found.append(loud + noise)
    return np.array(found, "float32")


def normalized(sound: np.ndarray) -> np.ndarray:
    """Returns rows whose loudest sample is 1."""
    return sound / np.maximum(np.abs(sound).max(axis=1, keepdims=True), 1e-3)


def build(spectrogram: layers.Layer) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((SAMPLES,)),
            spectrogram,  # (bands, frames) in decibels
            layers.Permute((2, 1)),
            layers.LayerNormalization(axis=1),  # each band by its own mean and scale over time
            layers.Reshape((-1, 40, 1)),
            layers.Conv2D(16, (5, 5), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(32, (3, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 4)),
            layers.Dropout(0.3),
            layers.TimeDistributed(layers.Flatten()),
            layers.LSTM(64),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def main(
    epochs: int = 20, seed: int = 0, speeds: tuple[float, ...] = SPEEDS, copies: int = 2
) -> tuple[float, float]:
    """Trains and tests; returns the accuracies on the held-out voice and on the recordings."""
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        speak(root / "training", TRAINING_VOICES, speeds)
        speak(root / "test", TEST_VOICES, speeds)
        recordings(root / "real")
        sound, digits = read(root / "training")
        x_test, y_test = read(root / "test")
        x_real, y_real = read(root / "real")
    x_train, y_train = vary(sound, copies, rng), np.tile(digits, copies)
    x_test, x_real = normalized(x_test), normalized(x_real)

    spectrogram = layers.MelSpectrogram(
        fft_length=256, sequence_stride=128, sampling_rate=RATE, num_mel_bins=40, min_freq=60.0
    )
    model = build(spectrogram)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=epochs, batch_size=32, verbose=2)
    _, held_out = model.evaluate(x_test, y_test, verbose=0)
    _, real = model.evaluate(x_real, y_real, verbose=0)
    print(f"Test accuracy, voice slt: {held_out:.4f} of {len(y_test)}")
    print(f"Test accuracy, real recordings: {real:.4f} of {len(y_real)}")
    return held_out, real


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train a network that knows spoken digits.")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    main(arguments.epochs, arguments.seed)
