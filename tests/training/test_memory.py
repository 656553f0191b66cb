"""Memory stays flat over many predictions and over many models; predict costs microseconds."""

from __future__ import annotations

import gc
import resource
import time
import tracemalloc
import weakref

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers

X = np.random.default_rng(0).random((40, 4), "float32")


def model() -> keras.Model:
    found = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(1)])
    found.compile("adam", "mse", metrics=["mae"])
    return found


def resident_kb() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


def test_predictions_leave_nothing_behind() -> None:
    trained = model()
    for _ in range(20):
        trained.predict(X[:1])
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(10_000):
        trained.predict(X[:1])
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 100_000  # ten bytes a call; other threads of the test runner allocate too


def test_memory_is_bounded_over_images_of_many_sizes() -> None:
    # One program a size: those used last are kept. Buffers of other sizes are used again.
    model = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
        ]
    )
    images = [np.ones((1, 300 + i, 120, 3), "float32") for i in range(40)]
    expected = model.predict(images[0])
    model(images[0])
    before = resident_kb()
    for image in images:
        model.predict(image)
        model(image)
    arenas = sum(step.program.arena_bytes for step in model._programs.steps.values())
    assert arenas <= 64 << 20
    assert resident_kb() - before < 150 * 1024
    np.testing.assert_array_equal(model.predict(images[0]), expected)


def test_a_model_goes_when_it_is_deleted() -> None:
    trained = model()
    history = trained.fit(X, X[:, :1], validation_split=0.2, verbose=0)
    trained.predict(X[:1])
    gone = weakref.ref(trained)
    cache = weakref.ref(trained._programs)
    del trained
    gc.collect()
    assert gone() is None
    assert cache() is None
    assert history.model is None
    assert len(history.history["loss"]) == 1


def test_caches_hold_no_model() -> None:
    trained = model()
    trained.fit(X, X[:, :1], verbose=0)
    trained.predict(X[:1])
    found, queue, seen = [], [trained._programs], set()
    while queue:
        item = queue.pop()
        if id(item) in seen or isinstance(item, type):
            continue
        seen.add(id(item))
        if isinstance(item, (keras.Model, keras.Layer)):
            found.append(item)
            continue
        if type(item).__module__.startswith("pronghorn") or isinstance(item, (dict, list, tuple)):
            queue.extend(gc.get_referents(item))
    assert not found


@pytest.mark.slow
def test_memory_is_flat_over_200_models() -> None:
    def round_trip() -> None:
        trained = model()
        trained.fit(X, X[:, :1], validation_split=0.2, epochs=2, verbose=0)
        trained.predict(X)

    for _ in range(20):
        round_trip()
    gc.collect()
    tracemalloc.start()
    traced, resident = tracemalloc.get_traced_memory()[0], resident_kb()
    for _ in range(200):
        round_trip()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - traced
    tracemalloc.stop()
    assert grown < 200_000
    assert resident_kb() - resident < 30_000


@pytest.mark.slow
def test_predict_of_one_row_costs_microseconds() -> None:
    trained = model()
    row = X[:1]
    trained.predict(row)
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(100):
            trained.predict(row)
        best = min(best, (time.perf_counter() - start) / 100)
    assert best < 100e-6
