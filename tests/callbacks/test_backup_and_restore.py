"""A run that is interrupted and started again ends with the same bits as one that was not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers
from pronghorn.callbacks import BackupAndRestore


class Crash(Exception):
    pass


class CrashAt(keras.callbacks.Callback):
    """Raises at a batch of an epoch, before or after which the backup is made."""

    def __init__(self, epoch: int, batch: int | None = None) -> None:
        super().__init__()
        self.at = (epoch, batch)
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch
        if self.at == (epoch, None):
            raise Crash

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.at == (self.epoch, batch):
            raise Crash


def dense() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(8, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.Adam(0.01, use_ema=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def stateful() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(8, 5)),
            layers.Reshape((5, 1)),
            layers.LSTM(4, stateful=True),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class OwnStep(keras.Model):
    """Two optimizers, of which `compile` knows neither."""

    def __init__(self) -> None:
        super().__init__()
        self.first = layers.Dense(8, activation="relu")
        self.second = layers.Dense(3, activation="softmax")
        self.adam = keras.optimizers.Adam(0.01)
        self.sgd = keras.optimizers.SGD(0.1, momentum=0.9)

    def call(self, x: Any) -> Any:
        return self.second(self.first(x))

    def train_step(self, data: Any) -> Any:
        x, y = data
        with keras.GradientTape(persistent=True) as tape:
            loss = keras.ops.mean(keras.losses.sparse_categorical_crossentropy(y, self(x)))
        for optimizer, layer in ((self.adam, self.first), (self.sgd, self.second)):
            variables = layer.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
        return {"loss": loss}


def own_step() -> keras.Model:
    model = OwnStep()
    model.compile()
    return model


def data() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.normal(size=(52, 5)).astype("float32"), random.integers(0, 3, 52)


class Batches(keras.utils.PyDataset):
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Any:
        x, y = data()
        return x[index * 8 : index * 8 + 8], y[index * 8 : index * 8 + 8]


def endless() -> Iterator[Any]:
    while True:
        yield data()


def _fit(model: keras.Model, callbacks: list[Any], **kwargs: Any) -> dict[str, list[Any]]:
    x, y = data()
    arguments: dict[str, Any] = {"x": x[:48], "y": y[:48], "batch_size": 8, **kwargs}
    history = model.fit(epochs=4, verbose=0, callbacks=callbacks, **arguments)
    assert history.epoch == list(range(4))
    assert all(epochs == [0, 1, 2, 3] for epochs in history._epochs_of.values())
    return history.history


def _same_after(
    folder: Path,
    build: Any,
    crash: CrashAt,
    frequency: Any = "epoch",
    tolerance: float = 0,
    **kwargs: Any,
) -> None:
    keras.utils.set_random_seed(1)
    whole = build()
    expected = _fit(whole, [], **kwargs)
    keras.utils.set_random_seed(1)
    with pytest.raises(Crash):
        _fit(build(), [BackupAndRestore(folder, frequency), crash], **kwargs)
    keras.utils.set_random_seed(77)  # another process
    model = build()
    history = _fit(model, [BackupAndRestore(folder, frequency)], **kwargs)
    if not tolerance:
        assert history == expected
    pairs = [(model.variables, whole.variables)]
    if model.optimizer is not None:
        pairs.append((model.optimizer.variables, whole.optimizer.variables))
    for found, wanted in pairs:
        for now, then in zip(found, wanted, strict=True):
            np.testing.assert_allclose(
                now.numpy(), then.numpy(), tolerance, tolerance, err_msg=now.path
            )
    assert not folder.exists()


@pytest.mark.parametrize("build", [dense, stateful, own_step])
@pytest.mark.parametrize("batch", [None, 3])
def test_at_the_last_epoch(tmp_path: Path, build: Any, batch: int | None) -> None:
    _same_after(tmp_path / "backup", build, CrashAt(2, batch))


@pytest.mark.parametrize("build", [dense, stateful, own_step])
@pytest.mark.parametrize("batch", [1, 2, 3, 4])
def test_in_the_middle_of_an_epoch(tmp_path: Path, build: Any, batch: int) -> None:
    _same_after(tmp_path / "backup", build, CrashAt(2, batch), 2)


@pytest.mark.parametrize("frequency", ["epoch", 1])
def test_steps_per_epoch_go_through_the_data(tmp_path: Path, frequency: Any) -> None:
    _same_after(tmp_path / "backup", dense, CrashAt(2, 1), frequency, steps_per_epoch=3)


@pytest.mark.parametrize("frequency", ["epoch", 2])
def test_other_data(tmp_path: Path, frequency: Any) -> None:
    batches = {"x": Batches(), "y": None, "batch_size": None, "shuffle": False}
    _same_after(tmp_path / "a", dense, CrashAt(2, 3), frequency, **batches)
    x, y = data()
    _same_after(tmp_path / "b", dense, CrashAt(1, 2), frequency, x=x, y=y, validation_data=(x, y))


def test_eager(tmp_path: Path) -> None:
    def build() -> keras.Model:
        model = dense()
        model.run_eagerly = True
        return model

    # The first eager step runs op by op, the others by programs, which round otherwise.
    _same_after(tmp_path / "backup", build, CrashAt(1, 2), 2, tolerance=1e-5)


def test_generator_goes_on_where_it_is(tmp_path: Path) -> None:
    def run(callbacks: list[Any]) -> Any:
        return dense().fit(endless(), epochs=3, steps_per_epoch=2, verbose=0, callbacks=callbacks)

    with pytest.raises(Crash):
        run([BackupAndRestore(tmp_path), CrashAt(2, 0)])
    assert run([BackupAndRestore(tmp_path)]).epoch == [0, 1, 2]


def test_a_run_that_had_ended_has_nothing_to_do(tmp_path: Path) -> None:
    model = dense()
    expected = _fit(model, [BackupAndRestore(tmp_path, delete_checkpoint=False)])
    steps = int(model.optimizer.iterations.numpy())
    again = dense()
    assert _fit(again, [BackupAndRestore(tmp_path)]) == expected
    assert int(again.optimizer.iterations.numpy()) == steps
    assert not list(tmp_path.glob("*"))


def test_damaged_file(tmp_path: Path) -> None:
    with pytest.raises(Crash):
        _fit(dense(), [BackupAndRestore(tmp_path, double_checkpoint=True), CrashAt(3)])
    latest = tmp_path / "latest.backup.h5"
    latest.write_bytes(latest.read_bytes()[:500])
    model = dense()
    with pytest.warns(UserWarning, match=r"cannot be read .* using previous\.backup\.h5"):
        _fit(model, [BackupAndRestore(tmp_path, delete_checkpoint=False)])
    latest.write_bytes(b"")
    (tmp_path / "previous.backup.h5").unlink()
    with pytest.raises(ValueError, match=r"expected a backup that can be read.*Remove it to begin"):
        _fit(dense(), [BackupAndRestore(tmp_path)])


def test_backup_of_another_model_or_other_data(tmp_path: Path) -> None:
    with pytest.raises(Crash):
        _fit(dense(), [BackupAndRestore(tmp_path), CrashAt(2)])
    other = stateful()
    with pytest.raises(ValueError) as model_error:
        _fit(other, [BackupAndRestore(tmp_path)])
    assert str(model_error.value).startswith(
        "BackupAndRestore: expected the backup of this model. Received: "
        f"{tmp_path}/latest.backup.h5, whose variables of the model differ: variable '"
    )
    assert str(model_error.value).endswith("there. Remove it to begin anew.")
    with pytest.raises(ValueError) as data_error:
        _fit(dense(), [BackupAndRestore(tmp_path)], batch_size=10)
    assert str(data_error.value) == (
        "fit: the run that is to go on had 48 rows in batches of 8. "
        "Received: 48 rows, batch_size=10."
    )


def test_shuffled_or_not(tmp_path: Path) -> None:
    _same_after(tmp_path / "backup", dense, CrashAt(2, 2), 2, shuffle=False)
    _same_after(tmp_path / "batches", dense, CrashAt(2, 2), 2, shuffle="batch")
    with pytest.raises(Crash):
        _fit(dense(), [BackupAndRestore(tmp_path), CrashAt(2)], shuffle=False)
    with pytest.raises(ValueError) as info:
        _fit(dense(), [BackupAndRestore(tmp_path)])
    assert str(info.value) == (
        "fit: the run that is to go on was not shuffled. Received: shuffle=True."
    )


def test_outside_of_fit(tmp_path: Path) -> None:
    callback = BackupAndRestore(tmp_path)
    callback.set_model(dense())
    with pytest.raises(RuntimeError) as info:
        callback.on_train_begin()
    assert str(info.value) == (
        "BackupAndRestore: it knows where fit() is in its data, so it works inside of fit() only. "
        "In a loop of your own save the model with `model.save`."
    )


def test_arguments() -> None:
    with pytest.raises(ValueError, match="empty `backup_dir`"):
        BackupAndRestore("")
    for frequency in (0, -1, "batch", True, 1.5):
        with pytest.raises(ValueError) as info:
            BackupAndRestore("x", frequency)
        assert str(info.value) == (
            "BackupAndRestore: save_freq must be 'epoch' or a positive number of batches. "
            f"Received: save_freq={frequency!r}."
        )


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="backup_dir must be a folder.*a file"):
        _fit(dense(), [BackupAndRestore(tmp_path / "file")])
