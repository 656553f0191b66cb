"""ModelCheckpoint: paths, the best value over restarts, and files that cannot be written."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers
from pronghorn.callbacks import ModelCheckpoint

pytest.importorskip("h5py")
X = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


def model(rate=0.01):
    keras.utils.set_random_seed(1)
    net = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(1)])
    net.compile(keras.optimizers.SGD(rate), "mse", metrics=["mae"])
    return net


def fit(net, *callbacks, **kwargs):
    return net.fit(
        X, Y, **{"epochs": 2, "batch_size": 8, "verbose": 0, "callbacks": callbacks, **kwargs}
    )


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_names_in_the_path(tmp_path) -> None:
    path = tmp_path / "new" / "{epoch:02d}-{batch}-{loss:.3f}.keras"
    fit(model(), ModelCheckpoint(path, save_freq=2), validation_split=0.25, batch_size=6)
    found = names(tmp_path / "new")
    assert all(re.fullmatch(r"0[12]-\d-\d+\.\d{3}\.keras", name) for name in found)
    assert [name[:4] for name in found] == ["01-2", "02-1", "02-3"]
    path = tmp_path / "{epoch}-{val_mae:.2f}.weights.h5"
    checkpoint = ModelCheckpoint(path, save_weights_only=True)
    history = fit(model(), checkpoint, validation_split=0.25).history
    assert names(tmp_path)[:2] == [
        f"{i + 1}-{v:.2f}.weights.h5" for i, v in enumerate(history["val_mae"])
    ]


@pytest.mark.parametrize(
    ("path", "match"),
    [
        ("{epoch.keras", "pairs of braces"),
        ("{}.keras", "names of the logs in braces"),
        ("{0}.keras", "names of the logs in braces"),
        ("{epoch.__class__}.keras", "names of the logs in braces"),
        ("{batch}.keras", "save_freq is a number"),
        ("{epoch:q}.keras", "formats of numbers"),
        ("{val_loss:02d}.keras", "formats of numbers"),
    ],
)
def test_paths_that_cannot_be_filled_in(path, match) -> None:
    with pytest.raises(ValueError, match=match):
        ModelCheckpoint(path)


def test_unknown_names_before_training(tmp_path) -> None:
    net = model()
    before = net.get_weights()
    with pytest.raises(ValueError, match=r"epoch, loss, mae, or with val_.*'{val_acc}'"):
        fit(net, ModelCheckpoint(tmp_path / "{val_acc}.keras"))
    for a, b in zip(before, net.get_weights()):
        np.testing.assert_array_equal(a, b)
    for frequency in (0, -2):
        with pytest.raises(ValueError, match="positive"):
            ModelCheckpoint(tmp_path / "a.keras", save_freq=frequency)


@pytest.mark.parametrize("ending", [".keras", ".h5", ".weights.h5"])
@pytest.mark.parametrize("pattern", ["best", "best-{epoch}"])
def test_a_restart_keeps_the_better_file(ending, pattern, tmp_path) -> None:
    def checkpoint(**kwargs):
        weights = ending == ".weights.h5"
        return ModelCheckpoint(
            tmp_path / (pattern + ending),
            "loss",
            save_best_only=True,
            save_weights_only=weights,
            **kwargs,
        )

    history = fit(model(0.02), checkpoint(), epochs=3).history
    files = {p: p.read_bytes() for p in tmp_path.iterdir()}
    assert files
    again = checkpoint()
    fit(model(1e-6), again, epochs=1)  # worse
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == files
    assert again.best == pytest.approx(min(history["loss"]))
    fit(model(1e-6), checkpoint(initial_value_threshold=1e9), epochs=1)  # begins anew
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} != files
    other = checkpoint()
    other.monitor = "mae"  # another measure: nothing is known of it
    fit(model(1e-6), other, epochs=1)
    assert other.best > 0.1


def test_directions_are_not_mixed(tmp_path) -> None:
    path = tmp_path / "a.keras"
    fit(model(), ModelCheckpoint(path, "loss", save_best_only=True, mode="min"))
    checkpoint = ModelCheckpoint(path, "loss", save_best_only=True, mode="max")
    losses = fit(model(), checkpoint).history["loss"]
    assert checkpoint.best == max(losses)


def test_a_file_that_cannot_be_read(tmp_path) -> None:
    (tmp_path / "a.keras").write_bytes(b"damaged")
    checkpoint = ModelCheckpoint(tmp_path / "a.keras", "loss", save_best_only=True)
    with pytest.warns(UserWarning, match="how good it is is not known"):
        fit(model(), checkpoint)
    assert keras.saving.load_model(tmp_path / "a.keras").compiled


def test_keras_2_files_have_no_note(tmp_path) -> None:
    model().save(tmp_path / "a.keras")
    checkpoint = ModelCheckpoint(tmp_path / "a.keras", "loss", save_best_only=True)
    fit(model(), checkpoint)
    assert checkpoint.best is not None


def test_not_a_number_is_no_best(tmp_path) -> None:
    checkpoint = ModelCheckpoint(tmp_path / "a.keras", "loss", save_best_only=True, mode="min")
    checkpoint.set_model(model())
    checkpoint.on_train_begin()
    for value, best in ((float("nan"), None), (2.0, 2.0), (float("nan"), 2.0), (1.0, 1.0)):
        checkpoint.on_epoch_end(0, {"loss": value})
        assert best is None or checkpoint.best == best


def test_a_folder_of_that_name(tmp_path) -> None:
    (tmp_path / "a.keras").mkdir()
    with pytest.raises(OSError, match="non-directory"):
        fit(model(), ModelCheckpoint(tmp_path / "a.keras"))
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        fit(model(), ModelCheckpoint(tmp_path / "file" / "a.keras"))


FULL = """
import resource, signal, sys
import numpy as np
import pronghorn as keras
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(512), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(1e-4, momentum=0.5), "mse")
x, y = np.ones((8, 64), "float32"), np.ones((8, 1), "float32")
checkpoint = keras.callbacks.ModelCheckpoint(sys.argv[1], "loss", save_best_only=True)
model.fit(x, y, verbose=0, callbacks=[checkpoint])
best, old = checkpoint.best, open(sys.argv[1], "rb").read()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    model.fit(x, y, epochs=3, verbose=0, callbacks=[checkpoint])
except OSError as error:
    print("refused:", error)
assert checkpoint.best == best and open(sys.argv[1], "rb").read() == old
assert int(model.optimizer.iterations.numpy()) == 2  # the epoch is trained, training goes on
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
model.fit(x, y, epochs=2, verbose=0, callbacks=[checkpoint])
assert checkpoint.best < best
again = keras.saving.load_model(sys.argv[1])
variables = [[*m.variables, *m.optimizer.variables] for m in (again, model)]
for a, b in zip(*variables):
    assert np.array_equal(a.numpy(), b.numpy()), a.path
print("done")
"""


def test_a_full_disk(tmp_path) -> None:
    pytest.importorskip("resource", reason="limits of files are those of POSIX")
    found = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "a.keras")], capture_output=True, text=True
    )
    assert found.stdout.startswith("refused:"), found.stderr
    assert found.stdout.endswith("done\n"), found.stderr
    assert names(tmp_path) == ["a.keras"]


def test_files_of_weights_are_asked_for() -> None:
    with pytest.raises(ValueError, match="with `save_weights_only=True`. Received: .*a.weights.h5"):
        keras.callbacks.ModelCheckpoint("a.weights.h5")
