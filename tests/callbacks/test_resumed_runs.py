"""Runs of every kind, interrupted anywhere and resumed, end with the bits of an unbroken run."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import callbacks, layers
from pronghorn.callbacks import BackupAndRestore

pytest.importorskip("h5py")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5)).astype("float32")
Y = RNG.integers(0, 3, 40)
LOSS = "sparse_categorical_crossentropy"


class Crash(Exception):
    pass


class CrashAt(callbacks.Callback):
    def __init__(self, step) -> None:
        super().__init__()
        self.left = step

    def on_train_batch_end(self, batch, logs=None) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash


def network(optimizer="adam", **kwargs):
    net = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(8, activation="relu", **kwargs),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax", dtype="float32"),
        ]
    )
    net.compile(optimizer, LOSS, metrics=["accuracy", "sparse_top_k_categorical_accuracy"])
    return net


class OwnStep(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.inner = network()
        self.tracker = keras.metrics.Mean(name="own")

    def call(self, x):
        return self.inner(x)

    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            loss = keras.ops.mean(
                keras.losses.sparse_categorical_crossentropy(y, self(x, training=True))
            )
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.tracker.update_state(loss)
        return {"own": self.tracker.result()}


def own_step():
    net = OwnStep()
    net.compile("adam")
    return net


def scheduled():
    schedule = keras.optimizers.schedules.CosineDecay(0.05, 20)
    return network(keras.optimizers.SGD(schedule, momentum=0.9))


def accumulating():
    return network(keras.optimizers.Adam(0.01, gradient_accumulation_steps=3))


def averaging():
    return network(keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=7))


def mixed_precision():
    return network(dtype="mixed_float16")


def half():
    pytest.importorskip("ml_dtypes", reason="pip install ml_dtypes")
    return network(dtype="bfloat16")


def rmsprop():
    return network(keras.optimizers.RMSprop(0.02, centered=True))


class Shuffled(keras.utils.PyDataset):
    """Batches in an order of its own, of each epoch."""

    def __init__(self, changes, **kwargs) -> None:
        super().__init__(**kwargs)
        self.changes, self.epoch = changes, 0

    def __len__(self) -> int:
        return 6

    def on_epoch_end(self) -> None:
        self.epoch += self.changes

    def __getitem__(self, index):
        rows = np.random.default_rng(index + 10 * self.epoch).permutation(40)[:8]
        return X[rows], Y[rows]


def early_stopping(folder):
    return [
        callbacks.EarlyStopping("loss", patience=1, min_delta=0.02, restore_best_weights=True),
    ]


def plateau(folder):
    return [callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.1, cooldown=1)]


def scheduler(folder):
    return [callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)]


def csv(folder):
    return [callbacks.CSVLogger(folder / "log.csv")]


def checkpoint(folder):
    path = folder / "{epoch}-{batch}.weights.h5"
    return [callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=3)]


def swapped(folder):
    return [callbacks.SwapEMAWeights(swap_on_epoch=True)]


def run(build, others, folder, backup, crash=None, seed=1, make_x=None, **data):
    """Runs fit; returns the model, its history and the files of callbacks."""
    folder.mkdir(exist_ok=True)
    keras.utils.set_random_seed(seed)
    net = build()
    found = others(folder)
    if backup is not None:
        found.append(BackupAndRestore(folder / "backup", **backup))
    if crash is not None:
        found.append(CrashAt(crash))
    if make_x is not None:
        data["x"] = make_x()  # in its first epoch
    arguments = {"x": X, "y": Y, "batch_size": 8, "epochs": 4, "verbose": 0, **data}
    history = net.fit(callbacks=found, **arguments)
    files = {p.name: p.read_bytes() for p in folder.glob("*.csv")}
    return net, history.history, files


def compare(found, expected, what=("variables", "metrics_variables")) -> None:
    assert found[1] == expected[1]
    assert found[2] == expected[2]
    for name in what:
        for a, b in zip(getattr(found[0], name), getattr(expected[0], name), strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)
    states = [net.optimizer.variables for net in (found[0], expected[0])]
    for a, b in zip(*states, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)


def resumed_is_unbroken(tmp_path, build, others, backup, crashes, **data) -> None:
    expected = run(build, others, tmp_path / "whole", None, **data)
    for crash in crashes:
        folder = tmp_path / f"at{crash}"
        with pytest.raises(Crash):
            run(build, others, folder, backup, crash, **data)
        # Again, in the middle of what is left; then to the end.
        try:
            run(build, others, folder, backup, 3, seed=5, **data)
        except Crash:
            compare(run(build, others, folder, backup, seed=9, **data), expected)


def none(folder):
    return []


@pytest.mark.parametrize(
    "build", [own_step, scheduled, accumulating, averaging, mixed_precision, half, rmsprop]
)
def test_kinds_of_models(build, tmp_path) -> None:
    resumed_is_unbroken(tmp_path, build, none, {"save_freq": 2}, (13,))


@pytest.mark.parametrize("frequency", ["epoch", 2])
@pytest.mark.parametrize("others", [early_stopping, plateau, scheduler, csv, checkpoint])
def test_other_callbacks_go_on(others, frequency, tmp_path) -> None:
    backup = {"save_freq": frequency, "double_checkpoint": True}
    crashes = (6,) if frequency == "epoch" else (9,)
    resumed_is_unbroken(tmp_path, network, others, backup, crashes, validation_split=0.2)


def test_swapped_averages(tmp_path) -> None:
    resumed_is_unbroken(tmp_path, averaging, swapped, {"save_freq": 2}, (13,))


DATA = {
    "validation": {"validation_data": (X[:9], Y[:9])},
    "class weights": {"class_weight": {0: 1.0, 1: 0.5, 2: 3.0}},
    "sample weights": {"sample_weight": np.linspace(0, 1, 40).astype("float32")},
    "batches": {"shuffle": "batch"},
    "part of the data": {"x": X[:32], "y": Y[:32], "steps_per_epoch": 2},
}


@pytest.mark.parametrize("name", DATA)
def test_kinds_of_data(name, tmp_path) -> None:
    resumed_is_unbroken(tmp_path, network, none, {"save_freq": 2}, (8,), **DATA[name])


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(
    ("frequency", "steps", "crash"), [("epoch", None, 8), (2, None, 9), ("epoch", 2, 4), (2, 3, 5)]
)
def test_data_sets(frequency, steps, crash, workers, tmp_path) -> None:
    resumed_is_unbroken(
        tmp_path,
        network,
        none,
        {"save_freq": frequency},
        (crash,),
        make_x=lambda: Shuffled(steps is None, workers=workers),
        y=None,
        batch_size=None,
        epochs=3,
        steps_per_epoch=steps,
    )


def test_a_byte_that_changed(tmp_path) -> None:
    expected = run(network, none, tmp_path / "whole", None)
    backup = {"save_freq": 2, "double_checkpoint": True}
    with pytest.raises(Crash):
        run(network, none, tmp_path, backup, 13)
    latest = tmp_path / "backup" / "latest.backup.h5"
    whole = latest.read_bytes()
    keep = {**backup, "delete_checkpoint": False}
    for place in (20, len(whole) // 3, len(whole) // 2, len(whole) - 1):
        folder = tmp_path / str(place)
        shutil.copytree(tmp_path / "backup", folder / "backup")
        changed = bytearray(whole)
        changed[place] ^= 4
        (folder / "backup" / latest.name).write_bytes(changed)
        with pytest.warns(UserWarning, match="damaged.*using previous.backup.h5"):
            compare(run(network, none, folder, keep, seed=5), expected)


def test_a_stopped_run_stays_stopped(tmp_path) -> None:
    def others(folder):
        return [callbacks.EarlyStopping("loss", patience=0, min_delta=10.0)]

    expected = run(network, others, tmp_path / "whole", None)
    kept = {"delete_checkpoint": False}
    run(network, others, tmp_path / "cut", kept)  # as if killed before the end of fit
    compare(run(network, others, tmp_path / "cut", kept), expected, ("variables",))
    assert len(expected[1]["loss"]) == 2


def test_state_of_a_callback_of_ones_own(tmp_path) -> None:
    class Counts(callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.steps, self.array = 0, np.zeros(3)

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1
            self.array = self.array + 1

        def resume_state(self):
            return {"steps": self.steps, "arrays": [self.array]}

        def restore_state(self, state):
            self.steps, (self.array,) = state["steps"], state["arrays"]

    first, second = Counts(), Counts()
    with pytest.raises(Crash):
        run(network, lambda folder: [first], tmp_path, {"save_freq": 2}, 8)
    run(network, lambda folder: [second], tmp_path, {"save_freq": 2})
    assert second.steps == 20 and second.array.tolist() == [20, 20, 20]


def test_two_runs_in_one_folder(tmp_path) -> None:
    code = f"""
    import sys
    from pronghorn.callbacks.folder_lock import lock_folder
    lock_folder({str(tmp_path / "backup")!r}, object())
    print("locked", flush=True)
    sys.stdin.read()
    """
    (tmp_path / "backup").mkdir()
    other = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with other:
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(RuntimeError, match="that no other run uses.*has locked"):
            run(network, none, tmp_path, {})
        other.kill()
    run(network, none, tmp_path, {})  # the lock ended with its process
    assert not (tmp_path / "backup").exists()


def test_a_later_run_of_the_process_takes_over(tmp_path) -> None:
    class Inner(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                run(network, none, tmp_path, {"delete_checkpoint": False}, epochs=1)

    with pytest.raises(RuntimeError, match="a later call of fit has taken over"):
        run(network, lambda folder: [Inner()], tmp_path, {})


RUN = """
import sys
import numpy as np
import pronghorn as keras
from pronghorn import callbacks, layers
keras.utils.set_random_seed(int(sys.argv[2]))
net = keras.Sequential([
    keras.Input((20,)), layers.Dense(64, activation="relu"), layers.BatchNormalization(),
    layers.Dropout(0.3), layers.Dense(4),
])
net.compile(keras.optimizers.Adam(0.01, use_ema=True), "mse", metrics=["mae"])
rng = np.random.default_rng(0)
x, y = rng.normal(size=(512, 20)).astype("float32"), rng.normal(size=(512, 4)).astype("float32")
found = [
    callbacks.ReduceLROnPlateau("loss", patience=2, min_delta=0.01),
    callbacks.CSVLogger(sys.argv[1] + "/log.csv"),
]
if sys.argv[3] != "whole":
    found.append(callbacks.BackupAndRestore(
        sys.argv[1] + "/backup", int(sys.argv[3]), double_checkpoint=True))
history = net.fit(x, y, epochs=12, verbose=0, batch_size=8, callbacks=found).history
np.savez(sys.argv[1] + "/end.npz", *[v.numpy() for v in net.variables + net.optimizer.variables],
         **{name: values for name, values in history.items()})
"""


@pytest.mark.slow
@pytest.mark.parametrize("frequency", [3, 64])
def test_killed_again_and_again(frequency, tmp_path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()

    def command(folder, seed, *rest):
        return [sys.executable, "-c", RUN, str(tmp_path / folder), str(seed), *map(str, rest)]

    subprocess.run(command("whole", 1, "whole"), check=True)
    # The first backup has the state that the seed gave; a run killed before it begins anew.
    random.seed(frequency)
    kills = 0
    for _ in range(200):
        process = subprocess.Popen(command("killed", 1, frequency))
        try:
            # Later and later: on a busy machine the start alone can take a second.
            assert process.wait(random.uniform(0.3, 1.2 + 0.05 * kills)) == 0
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
            time.sleep(0.01)
    assert kills >= 3
    ends = [np.load(tmp_path / folder / "end.npz") for folder in ("whole", "killed")]
    assert ends[0].files == ends[1].files
    for name in ends[0].files:
        np.testing.assert_array_equal(ends[0][name], ends[1][name], err_msg=name)
    logs = [(tmp_path / folder / "log.csv").read_bytes() for folder in ("whole", "killed")]
    assert logs[0] == logs[1]
