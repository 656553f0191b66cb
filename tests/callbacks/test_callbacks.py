"""Callbacks: hooks and their order, and each built-in one."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import callbacks, layers

X = np.random.default_rng(0).random((40, 4), "float32")
Y = X[:, :1]


def model(rate: float = 0.01, **options) -> keras.Model:
    keras.utils.set_random_seed(2)
    found = keras.Sequential([layers.Dense(1)])
    found.compile(keras.optimizers.SGD(rate), "mse", metrics=["mae"], **options)
    return found


class Recorder(callbacks.Callback):
    """Writes down every hook."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __getattribute__(self, name):
        if name.startswith("on_"):
            return lambda *args: self.calls.append((name, *args))
        return super().__getattribute__(name)


class BatchLosses(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.losses, self.batches = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)
        self.losses.append(logs["loss"])


def test_order_of_the_hooks() -> None:
    recorder = Recorder()
    model().fit(X, Y, batch_size=20, validation_data=(X, Y), callbacks=[recorder], verbose=0)
    names = [call[0] for call in recorder.calls]
    assert names == [
        "on_train_begin",
        "on_epoch_begin",
        *["on_train_batch_begin", "on_train_batch_end"] * 2,
        "on_test_begin",
        *["on_test_batch_begin", "on_test_batch_end"] * 2,
        "on_test_end",
        "on_epoch_end",
        "on_train_end",
    ]
    epoch_end = recorder.calls[-2]
    assert epoch_end[1] == 0
    assert set(epoch_end[2]) == {"loss", "mae", "val_loss", "val_mae"}


def test_predict_hooks_get_the_outputs() -> None:
    seen = []
    hook = callbacks.LambdaCallback(
        on_predict_batch_end=lambda batch, logs: seen.append(logs["outputs"].copy())
    )
    trained = model()
    whole = trained.predict(X, batch_size=16, callbacks=[hook], verbose=0)
    assert [len(part) for part in seen] == [16, 16, 8]
    np.testing.assert_array_equal(np.concatenate(seen), whole)


def test_batch_hooks_see_the_running_mean() -> None:
    hook = BatchLosses()
    history = model().fit(X, Y, batch_size=10, callbacks=[hook], verbose=0)
    assert hook.batches == [0, 1, 2, 3]
    assert hook.losses[-1] == history.history["loss"][0]
    assert len(set(hook.losses)) == 4


def test_hooks_change_no_number() -> None:
    a = model().fit(X, Y, batch_size=10, epochs=2, verbose=0)
    b = model().fit(X, Y, batch_size=10, epochs=2, callbacks=[BatchLosses()], verbose=0)
    assert a.history == b.history


def test_executions_of_several_steps() -> None:
    hook = BatchLosses()
    model(steps_per_execution=3).fit(X, Y, batch_size=10, callbacks=[hook], verbose=0)
    assert hook.batches == [2, 5]


def test_stop_training_in_a_batch() -> None:
    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    trained = model()
    trained.fit(X, Y, batch_size=10, epochs=5, callbacks=[Stop()], verbose=0)
    assert int(trained.optimizer.iterations.numpy()) == 2


def test_early_stopping_restores_the_best_weights() -> None:
    weights = []

    class Worsen(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch >= 2:
                self.model.optimizer.learning_rate = -0.5

        def on_epoch_end(self, epoch, logs=None):
            weights.append(self.model.get_weights())

    stop = callbacks.EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)
    trained = model(0.1)
    history = trained.fit(
        X, Y, epochs=30, validation_data=(X, Y), callbacks=[Worsen(), stop], verbose=0
    )
    best = int(np.argmin(history.history["val_loss"]))
    assert len(history.epoch) == best + 3
    assert stop.stopped_epoch == best + 2
    for a, b in zip(trained.get_weights(), weights[best]):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("monitor", "better"),
    [("loss", -1), ("val_mae", -1), ("val_accuracy", 1), ("auc", 1), ("f1_score", 1)],
)
def test_direction_goes_by_the_metric(monitor: str, better: int) -> None:
    stop = callbacks.EarlyStopping(monitor=monitor)
    trained = model()
    trained.fit(X, Y, verbose=0)
    stop.set_model(trained)
    stop._set_direction()
    assert stop._sign == better


def test_an_unknown_direction_asks_for_mode() -> None:
    stop = callbacks.EarlyStopping(monitor="quality")
    with pytest.raises(ValueError, match="mode='min'"):
        model().fit(X, Y, callbacks=[stop], verbose=0)


def test_a_metric_that_is_not_there_warns() -> None:
    with pytest.warns(UserWarning, match="val_loss.*not available"):
        model().fit(X, Y, callbacks=[callbacks.EarlyStopping()], verbose=0)


def test_reduce_lr_on_plateau() -> None:
    reduce = callbacks.ReduceLROnPlateau(
        monitor="loss", factor=0.1, patience=2, min_delta=100, min_lr=0.0005
    )
    history = model(0.1).fit(X, Y, epochs=8, callbacks=[reduce], verbose=0).history
    assert history["learning_rate"] == pytest.approx(
        [0.1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001, 0.0005]
    )
    with pytest.raises(ValueError, match="factor >= 1.0"):
        callbacks.ReduceLROnPlateau(factor=1.5)


def test_learning_rate_scheduler() -> None:
    halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    by_epoch = callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    rates = model(0.4).fit(X, Y, epochs=3, callbacks=[halve], verbose=0).history["learning_rate"]
    assert rates == pytest.approx([0.2, 0.1, 0.05])
    rates = model().fit(X, Y, epochs=2, callbacks=[by_epoch], verbose=0).history["learning_rate"]
    assert rates == pytest.approx([0.1, 0.05])
    wrong = callbacks.LearningRateScheduler(lambda epoch: "fast")
    with pytest.raises(ValueError, match="should be a float"):
        model().fit(X, Y, callbacks=[wrong], verbose=0)


def test_csv_logger(tmp_path) -> None:
    path = tmp_path / "log.csv"
    trained = model()
    history = trained.fit(
        X, Y, epochs=3, validation_split=0.5, callbacks=[callbacks.CSVLogger(path)], verbose=0
    ).history
    trained.fit(
        X,
        Y,
        epochs=1,
        validation_split=0.5,
        verbose=0,
        callbacks=[callbacks.CSVLogger(path, append=True)],
    )
    with open(path) as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "0"]
    assert [float(row["val_loss"]) for row in rows[:3]] == history["val_loss"]


def test_terminate_on_nan_stops_and_says_where(capsys) -> None:
    x = X.copy()
    x[25] = np.inf
    trained = model()
    history = trained.fit(
        x,
        Y,
        batch_size=10,
        epochs=3,
        shuffle=False,
        verbose=0,
        callbacks=[callbacks.TerminateOnNaN()],
    )
    assert len(history.epoch) == 1
    assert int(trained.optimizer.iterations.numpy()) == 3
    assert "Batch 2: Invalid loss" in capsys.readouterr().out


def test_model_checkpoint_of_weights(tmp_path) -> None:
    path = tmp_path / "sub" / "{epoch:02d}-{val_loss:.3f}.weights.h5"
    save = callbacks.ModelCheckpoint(path, save_weights_only=True)
    trained = model(0.1)
    trained.fit(X, Y, epochs=2, validation_data=(X, Y), callbacks=[save], verbose=0)
    names = sorted(p.name for p in (tmp_path / "sub").iterdir())
    assert [name[:3] for name in names] == ["01-", "02-"]
    other = model()
    other.build((None, 4))
    other.load_weights(tmp_path / "sub" / names[-1])
    np.testing.assert_array_equal(other.predict(X), trained.predict(X))


def test_model_checkpoint_of_the_best(tmp_path) -> None:
    path = tmp_path / "best.weights.h5"
    times = []

    class Watch(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            times.append(path.stat().st_mtime_ns)

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                self.model.optimizer.learning_rate = -0.1

    save = callbacks.ModelCheckpoint(
        path, monitor="val_loss", save_best_only=True, save_weights_only=True
    )
    model(0.1).fit(X, Y, epochs=4, validation_data=(X, Y), callbacks=[save, Watch()], verbose=0)
    assert times[0] < times[1] == times[2] == times[3]


def test_model_checkpoint_of_an_unknown_metric_saves(tmp_path) -> None:
    path = tmp_path / "best.weights.h5"
    save = callbacks.ModelCheckpoint(
        path, monitor="val_loss", save_best_only=True, save_weights_only=True
    )
    with pytest.warns(UserWarning) as found:
        model().fit(X, Y, callbacks=[save], verbose=0)
    assert str(found[0].message) == (
        "ModelCheckpoint: can tell the best model only by val_loss, so this one is saved, best or "
        "not. Available metrics are: loss,mae."
    )
    assert path.exists()


def test_model_checkpoint_every_few_batches(tmp_path) -> None:
    save = callbacks.ModelCheckpoint(
        tmp_path / "{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=3
    )
    model().fit(X, Y, batch_size=10, epochs=3, callbacks=[save], verbose=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "1-3.weights.h5",
        "2-2.weights.h5",
        "3-1.weights.h5",
        "3-4.weights.h5",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filepath": "a.h5", "save_weights_only": True}, r"\.weights\.h5"),
        ({"filepath": "a.txt"}, r"\.keras"),
        ({"filepath": "a.keras", "save_freq": "batch"}, "save_freq"),
    ],
)
def test_model_checkpoint_arguments(options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        callbacks.ModelCheckpoint(**options)


def test_logs_of_a_run_off_a_terminal_are_one_line_an_epoch(capsys) -> None:
    model().fit(X, Y, epochs=2, validation_split=0.5)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Epoch 1/2 - 1/1 - 0s - ")
    assert " - loss: " in lines[0] and " - val_mae: " in lines[0]


def test_predict_off_a_terminal_prints_nothing(capsys) -> None:
    model().predict(X)
    assert capsys.readouterr().out == ""


def test_the_bar_on_a_terminal(capsys, monkeypatch) -> None:
    monkeypatch.setattr("pronghorn.utils.progbar.is_terminal", lambda: True)
    monkeypatch.setattr("pronghorn.callbacks.progbar_logger.is_terminal", lambda: True)
    model().fit(X, Y, epochs=2, batch_size=10)
    out = capsys.readouterr().out
    assert "Epoch 1/2\n" in out and "Epoch 2/2\n" in out
    last = out.rstrip("\n").split("\r")[-1]
    assert last.startswith("\x1b[1m4/4\x1b[0m \x1b[32m" + "━" * 20)
    assert "ms/step - loss: " in last or "us/step - loss: " in last


def test_history_keeps_the_runs_apart() -> None:
    trained = model()
    first = trained.fit(X, Y, epochs=2, verbose=0)
    second = trained.fit(X, Y, epochs=1, verbose=0)
    assert len(first.history["loss"]) == 2
    assert len(second.history["loss"]) == 1
    assert trained.history is second
