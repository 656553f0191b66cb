"""Data made by threads and processes while steps compute: overlap, order, errors, Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers, ops

X = np.random.default_rng(0).random((48, 8, 8, 1)).astype("float32")
Y = np.arange(48) % 3


class Slow(keras.utils.PyDataset):
    """Batches of 8; each takes a while to make, the earlier the longer."""

    def __init__(self, seconds: float = 0.0, fail_at: int = -1, **options: Any) -> None:
        super().__init__(**options)
        self.seconds, self.fail_at = seconds, fail_at
        self.makers: set[int] = set()

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Any:
        self.makers.add(threading.get_ident())
        time.sleep(self.seconds * (1 + (6 - index) / 6))
        if index == self.fail_at:
            raise KeyError(f"no label for row {index}")
        rows = slice(index * 8, index * 8 + 8)
        return X[rows], Y[rows]


def model(*first: Any) -> Any:
    keras.utils.set_random_seed(1)
    found = keras.Sequential(
        [keras.Input((8, 8, 1)), *first, layers.Flatten(), layers.Dense(3, activation="softmax")]
    )
    found.compile("sgd", "sparse_categorical_crossentropy")
    return found


@pytest.mark.parametrize("workers", [2, 3])
def test_batches_are_made_while_steps_compute(workers: int) -> None:
    begun = [threading.Event() for _ in range(6)]

    class Announcing(Slow):
        def __getitem__(self, index: int) -> Any:
            begun[index].set()
            return super().__getitem__(index)

    class Waiting(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            # Before the next step: the batches after it are on their way.
            if batch == 0:
                assert all(event.wait(20) for event in begun[1:4])

    data = Announcing(workers=workers)
    model().fit(data, shuffle=False, verbose=0, callbacks=[Waiting()])
    assert data.makers - {threading.get_ident()}


@pytest.mark.parametrize(
    "options", [{"workers": 3}, {"workers": 2, "max_queue_size": 1}, {"workers": 6}]
)
def test_the_order_is_that_of_the_indices(options: dict[str, Any]) -> None:
    expected = model().fit(Slow(), epochs=2, shuffle=False, verbose=0).history["loss"]
    data = Slow(0.002, **options)
    assert model().fit(data, epochs=2, shuffle=False, verbose=0).history["loss"] == expected
    shuffled = [
        model().fit(Slow(**o), epochs=2, verbose=0).history["loss"] for o in ({}, {"workers": 3})
    ]
    assert shuffled[0] == shuffled[1]


@pytest.mark.parametrize(
    "options", [{}, {"workers": 3}, {"workers": 2, "use_multiprocessing": True}]
)
def test_an_error_of_a_worker_reaches_the_user(options: dict[str, Any]) -> None:
    before = threading.active_count()
    trained = model()
    with pytest.raises(KeyError, match="no label for row 4"):
        trained.fit(Slow(0.001, fail_at=4, **options), shuffle=False, verbose=0)
    trained.fit(X, Y, verbose=0)  # the model is still usable
    for _ in range(100):
        if threading.active_count() <= before + 3:
            break
        time.sleep(0.01)
    assert threading.active_count() <= before + 3


def augmented(workers: int) -> Any:
    flip = layers.RandomFlip(seed=5)
    turn = layers.RandomRotation(0.2, seed=6)
    return Slow().map(lambda x, y: (turn(flip(x)), y), num_parallel_calls=workers)


def test_random_layers_do_not_depend_on_the_number_of_threads() -> None:
    losses = [
        model().fit(augmented(workers), epochs=3, verbose=0).history["loss"]
        for workers in (1, 2, 4, 4)
    ]
    assert all(found == losses[0] for found in losses)
    assert losses[0] != model().fit(Slow(), epochs=3, verbose=0).history["loss"]


def test_random_layers_called_in_getitem_neither() -> None:
    class Own(Slow):
        turn = layers.RandomRotation(0.2, seed=6)

        def __getitem__(self, index: int) -> Any:
            x, y = super().__getitem__(index)
            return self.turn(x), y

    losses = [model().fit(Own(workers=w), epochs=2, verbose=0).history["loss"] for w in (1, 3)]
    assert losses[0] == losses[1]


def test_passes_and_runs_draw_other_numbers() -> None:
    bright = layers.RandomBrightness(0.5, value_range=(0, 1), seed=1)
    data = Slow().map(lambda x, y: (bright(x), y))
    first, second = (np.asarray(data[0][0]) for _ in range(2))
    assert not np.array_equal(first, second)
    keras.utils.set_random_seed(3)
    passes = [[np.asarray(x) for x, _ in data] for _ in range(2)]
    assert not np.array_equal(passes[0][0], passes[1][0])
    keras.utils.set_random_seed(3)
    again = [np.asarray(x) for x, _ in data]
    for a, b in zip(passes[0], again):
        np.testing.assert_array_equal(a, b)


def test_map_takes_layers_and_structures() -> None:
    class Images(Slow):
        def __getitem__(self, index: int) -> Any:
            return super().__getitem__(index)[0]

    data = Images(workers=3).map(layers.Rescaling(2.0))
    assert (len(data), data.workers) == (6, 3)
    np.testing.assert_array_equal(data[1], X[8:16] * 2)

    class Dicts(Slow):
        def __getitem__(self, index: int) -> Any:
            x, y = super().__getitem__(index)
            return {"images": x, "labels": np.eye(3, dtype="float32")[y]}

    mix = layers.MixUp(0.5, seed=1)
    data = Dicts().map(lambda d: (mix(d)["images"], mix(d)["labels"]))
    x, y = data[0]
    assert (x.shape, y.shape) == ((8, 8, 8, 1), (8, 3))
    twice = Images().map(layers.Rescaling(2.0)).map(ops.square)
    np.testing.assert_allclose(twice[0], X[:8] ** 2 * 4, rtol=1e-6)
    with pytest.raises(ValueError, match="num_parallel_calls"):
        Images().map(ops.square, num_parallel_calls=0)


def test_evaluate_and_predict_read_ahead_too() -> None:
    trained = model()
    assert trained.evaluate(Slow(workers=3), verbose=0) == trained.evaluate(Slow(), verbose=0)
    np.testing.assert_array_equal(
        trained.predict(Slow(workers=3), verbose=0), trained.predict(X, batch_size=8, verbose=0)
    )


PROGRAM = """
    import signal, time
    # A shell starts background jobs with the signal ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    import numpy as np
    import pronghorn as keras

    class Endless(keras.utils.PyDataset):
        num_batches = None
        def __getitem__(self, index):
            if index > 20:
                print("waiting", flush=True)
                time.sleep(60)
            return np.ones((4, 2), "float32"), np.ones((4, 1), "float32")

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    try:
        model.fit(Endless(workers=2), steps_per_epoch=1000, verbose=0)
    except KeyboardInterrupt:
        print("stopped", np.isfinite(model.get_weights()[0]).all(), flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_ends_while_workers_are_busy() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(keras.__file__).parents[1])},
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("waiting")
    time.sleep(0.2)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert "stopped True" in rest
    assert process.returncode == 0
    assert time.monotonic() - start < 20  # the workers sleep for 60 seconds


AT_WORK = """
    import numpy as np
    import pronghorn as keras

    turn = keras.layers.RandomRotation(0.1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")

    class Endless(keras.utils.PyDataset):
        num_batches = None
        def __getitem__(self, index):
            for _ in range(100_000 if index > 4 else 1):
                turn(np.ones((4, 32, 32, 3), "float32"))
            return np.ones((4, 2), "float32"), np.ones((4, 1), "float32")

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch >= 3

    model.fit(Endless(workers=3), steps_per_epoch=100, verbose=0, callbacks=[Stop()])
    print("end", flush=True)
"""


def test_the_process_ends_while_workers_run_ops() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(AT_WORK)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(keras.__file__).parents[1])},
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")
