"""A process killed in the middle of a save leaves the old or the new file, never a part of one."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time

import pytest

import pronghorn as keras
from pronghorn.saving.file_notes import read_note

pytest.importorskip("h5py")

SAVE = """
import os, sys
import numpy as np
import pronghorn as keras
def save(model, path):
    if path.endswith(".onnx"):
        keras.onnx.export_model(model, path, verbose=False)
    elif path.endswith((".svg", ".png")):
        keras.utils.plot_model(model, path, show_shapes=True)
    elif path.endswith((".weights.h5", ".safetensors", ".npz")):
        model.save_weights(path)
    else:
        model.save(path)
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(4096)])
"""
WRITER = (
    SAVE
    + """
value = 1
while True:
    model.set_weights([w * 0 + value for w in model.get_weights()])
    save(model, sys.argv[1])
    if value == 1:
        print("saved", flush=True)
    value += 1
"""
)
NAMES = [
    *("a.keras", "a.h5", "a.weights.h5", "a.safetensors"),
    *(pytest.param(f"a.{e}", marks=pytest.mark.slow) for e in ("npz", "onnx", "svg", "png")),
]


def check_whole(path) -> None:
    """Raises unless a file is one that was written whole."""
    if path.suffix == ".svg":
        assert path.read_text().rstrip().endswith("</svg>")
        return
    if path.suffix == ".png":
        image = pytest.importorskip("PIL.Image", reason="pip install pillow")
        image.open(path).load()
        return
    if path.name in ("a.keras", "a.h5", "a.onnx"):
        reader = keras.saving.load_model(path)
    else:
        reader = keras.Sequential([keras.Input((64,)), keras.layers.Dense(4096)])
        reader.load_weights(path)
    kernel, bias = reader.get_weights()
    assert kernel.min() == kernel.max() == bias.min() == bias.max() >= 1


def kill_in_a_loop(path, kills) -> None:
    if path.suffix == ".onnx":
        pytest.importorskip("onnx", reason="pip install onnx")
    for number in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        with process, process.stdout:
            assert process.stdout.readline() == b"saved\n"
            time.sleep(0.013 * (number + 1))
            process.kill()
        check_whole(path)
        # What is left of the one before has been removed.
        assert len(list(path.parent.iterdir())) <= 2


@pytest.mark.parametrize("name", NAMES)
def test_killed(name, tmp_path) -> None:
    kill_in_a_loop(tmp_path / name, 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_killed_many_times(name, tmp_path) -> None:
    kill_in_a_loop(tmp_path / name, 12)


CHECKPOINTS = """
import sys
import numpy as np
import pronghorn as keras
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(2048), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(1e-5), "mse")
x, y = np.ones((8, 64), "float32"), np.ones((8, 1), "float32")
class Tell(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print("epoch", flush=True)
model.fit(x, y, epochs=100_000, verbose=0, callbacks=[
    keras.callbacks.CSVLogger(sys.argv[1] + "/log.csv"),
    keras.callbacks.ModelCheckpoint(sys.argv[1] + "/best.keras", "loss", save_best_only=True),
    keras.callbacks.BackupAndRestore(sys.argv[1] + "/backup"), Tell()])
"""


def test_killed_with_callbacks(tmp_path) -> None:
    """The best file and the log agree with each other after each kill, and the run goes on."""
    epochs = 0
    for number in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", CHECKPOINTS, str(tmp_path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        with process, process.stdout:
            assert process.stdout.readline() == b"epoch\n"
            time.sleep(0.1 + 0.02 * number)
            process.kill()
        best = read_note(str(tmp_path / "best.keras"))
        keras.saving.load_model(tmp_path / "best.keras")
        rows = [row.split(",") for row in (tmp_path / "log.csv").read_text().splitlines()[1:]]
        assert [int(row[0]) for row in rows] == list(range(len(rows)))
        assert len(rows) > epochs
        losses = [float(row[1]) for row in rows]
        assert best is not None and best["value"] in losses[-2:]
        epochs = len(rows) - 1


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


@pytest.mark.parametrize("ending", [".keras", ".h5", ".weights.h5", ".safetensors", ".npz", ".svg"])
def test_a_full_disk(ending, tmp_path) -> None:
    """As with limits, on a file system that is full; only root may make one."""
    folder = tmp_path / "small"
    folder.mkdir()
    size = "size=64k" if ending != ".svg" else "size=4k"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small tmpfs cannot be mounted here, which takes root")
    try:
        old = b"old" * 100
        (folder / f"a{ending}").write_bytes(old)
        if ending == ".svg":
            (folder / "rest").write_bytes(b"")
            with contextlib.suppress(OSError), open(folder / "rest", "wb", buffering=0) as file:
                while True:
                    file.write(b"0" * 512)
        model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(4096)])
        with pytest.raises(OSError):
            if ending in (".keras", ".h5"):
                model.save(folder / f"a{ending}")
            elif ending == ".svg":
                keras.utils.plot_model(model, folder / "a.svg")
            else:
                model.save_weights(folder / f"a{ending}")
        assert (folder / f"a{ending}").read_bytes() == old
        assert len(list(folder.iterdir())) == 1 + (ending == ".svg")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
