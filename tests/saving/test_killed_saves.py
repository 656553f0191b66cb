"""A process killed in the middle of a save leaves the old or the new file, never a part of one."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

import pronghorn as keras

pytest.importorskip("h5py")

WRITER = """
import sys
import pronghorn as keras
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(4096)])
value = 1
while True:
    model.set_weights([w * 0 + value for w in model.get_weights()])
    getattr(model, sys.argv[1])(sys.argv[2])
    if value == 1:
        print("saved", flush=True)
    value += 1
"""


@pytest.mark.parametrize(
    ("method", "name"), [("save", "a.keras"), ("save_weights", "a.weights.h5")]
)
def test_killed_in_a_loop(method, name, tmp_path) -> None:
    path = tmp_path / name
    reader = keras.Sequential([keras.Input((64,)), keras.layers.Dense(4096)])
    for attempt in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, method, str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        with process, process.stdout:
            assert process.stdout.readline() == b"saved\n"
            time.sleep(0.013 * (attempt + 1))
            process.kill()
        reader.load_weights(path)
        kernel, bias = reader.get_weights()
        assert kernel.min() == kernel.max() == bias.min() == bias.max() >= 1
