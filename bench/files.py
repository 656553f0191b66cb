"""Loading and saving whole models: against reading the bytes, in memory, in a fresh process.

python -m bench.files [--python PATH]

PATH is a Python that has Keras, which loads and saves the same files.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ROUNDS = 7

# `wide`: 105 MB in 8 weights. `deep`: 93 MB in 410 weights of 325 layers, as residual networks
# have. `program 1`: three convolutions.
MODELS = """
def dense(layers, x):
    for _ in range(4):
        x = layers.Dense(2560, activation="relu")(x)
    return x

def residual(layers, x):
    x = layers.Conv2D(128, 3, padding="same")(x)
    for i in range(80):
        wide = i >= 70
        y = layers.Conv2D(512 if wide else 128, 1 if wide else 3, padding="same", use_bias=False)(x)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        x = y if i in (0, 70) else layers.Add()([x, y])
    x = layers.Dense(1000)(layers.GlobalAveragePooling2D()(x))
    for _ in range(3):
        x = layers.Dense(2000)(x)
    return x

def build(keras, name):
    from_keras = {"wide": ((2560,), dense), "deep": ((32, 32, 3), residual)}
    if name == "program 1":
        from bench.workers.keras_model import build as program
        return program(keras, "cnn3")
    shape, body = from_keras[name]
    inputs = keras.Input(shape)
    return keras.Model(inputs, body(keras.layers, inputs))
"""

# Program 1 is saved with the state of its optimizer.
TRAIN = """
import numpy as np
if model.compiled:
    model.fit(np.zeros((32, *model.input_shape[1:])), np.zeros(32, int), verbose=0)
"""

LOAD = """
import time
def peak(kind):
    with open("/proc/self/status") as file:
        return [int(line.split()[1]) for line in file if line.startswith(kind)][0] * 1024
def resident_peak(run):
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = peak("VmRSS")
    result = run()
    return (peak("VmHWM") - before) / (4 * result.count_params())
small = keras.saving.load_model(SMALL)
memory = resident_peak(lambda: keras.saving.load_model(PATH))
def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
def read():
    with open(PATH, "rb") as file:
        return file.read()
times = [(seconds(read), seconds(lambda: keras.saving.load_model(PATH))) for _ in range(ROUNDS)]
print(json.dumps([memory, [t[0] * 1e3 for t in times], [t[1] * 1e3 for t in times]]))
"""

FRESH = """
import time
start = time.perf_counter()
{lines}
model = keras.saving.load_model(SMALL)
import numpy as np
model.predict(np.zeros((1, 28, 28, 1), "float32"), verbose=0)
first = time.perf_counter() - start
saves = []
for _ in range(5):
    start = time.perf_counter()
    model.save(SMALL + ".again.keras")
    saves.append(time.perf_counter() - start)
import json
print(json.dumps([first * 1e3, min(saves) * 1e3]))
"""


def run(python: str, code: str, **names: Any) -> Any:
    """What a fresh process prints as JSON; `names` are its constants."""
    text = "\n".join(f"{name} = {value!r}" for name, value in names.items()) + "\n" + code
    command = [python, "-c", text]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout.strip().splitlines()[-1])


def both(times: list[float]) -> str:
    """Minimum and median."""
    return f"{min(times):.0f} ({statistics.median(times):.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--python", help="a Python that has Keras")
    arguments = parser.parse_args()
    libraries = [("pronghorn", sys.executable, "import pronghorn as keras")]
    if arguments.python:
        libraries.append(("Keras", arguments.python, "import keras"))
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: f"{folder}/{name[:4]}.keras" for name in ("wide", "deep", "program 1")}
        small = paths["program 1"]
        make = "import json, sys\nimport pronghorn as keras\n" + MODELS
        for name, path in paths.items():
            code = f"model = build(keras, {name!r})\n{TRAIN}\nmodel.save({path!r})\nprint(0)"
            run(sys.executable, make + code)
        print("| model | library | MB | read ms | load ms | load / read | peak memory / weights |")
        print("|---|---|---|---|---|---|---|")
        for name in ("wide", "deep"):
            size = Path(paths[name]).stat().st_size / 1e6
            for library, python, lines in libraries:
                code = f"import json\n{lines}\n{LOAD}"
                memory, read, load = run(python, code, PATH=paths[name], SMALL=small, ROUNDS=ROUNDS)
                ratio = min(load) / min(read)
                print(
                    f"| {name} | {library} | {size:.0f} | {both(read)} | {both(load)} "
                    f"| {ratio:.2f} | {memory:.2f} |"
                )
        print(
            "\n| program 1, trained | import, load, first predict: ms | save: ms |\n|---|---|---|"
        )
        for library, python, lines in libraries:
            found = [run(python, FRESH.format(lines=lines), SMALL=small) for _ in range(ROUNDS)]
            first, save = ([f[i] for f in found] for i in (0, 1))
            print(f"| {library} | {both(first)} | {both(save)} |")


if __name__ == "__main__":
    main()
