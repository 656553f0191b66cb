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


FULL = """
import resource, signal, sys
import pronghorn as keras
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(4096)])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    getattr(model, sys.argv[1])(sys.argv[2])
except OSError as error:
    print("refused:", error)
"""


@pytest.mark.parametrize("room", [0, 1, 700, 5_000, 100_000, 900_000])
@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("save", "a.keras"),
        ("save", "a.h5"),
        ("save_weights", "a.weights.h5"),
        ("save_weights", "a.safetensors"),
        ("save_weights", "a.npz"),
    ],
)
def test_no_room(method, name, room, tmp_path) -> None:
    """Where the file has no room, there is an error and the old file."""
    pytest.importorskip("resource", reason="limits of files are those of POSIX")
    (tmp_path / name).write_bytes(b"old")
    found = subprocess.run(
        [sys.executable, "-c", FULL, method, str(tmp_path / name), str(room)],
        capture_output=True,
        text=True,
    )
    assert found.stdout.startswith("refused:"), found.stderr
    assert (tmp_path / name).read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == [name]
