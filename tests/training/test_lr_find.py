"""lr_find suggests a rate that trains, and leaves no trace."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers


def _model(optimizer: Any = "adam", rate: float | None = None) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((20,)),
            layers.Dense(32, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    if rate is not None:
        model.optimizer.learning_rate = rate
    return model


def _data() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    y = random.integers(0, 4, 1000)
    x = random.normal(size=(4, 20))[y] + random.normal(size=(1000, 20))
    return x.astype("float32"), y


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_suggestion_trains_better_than_a_small_rate(optimizer: str) -> None:
    x, y = _data()
    keras.utils.set_random_seed(0)
    found = _model(optimizer).lr_find(x, y)
    assert found.rates.shape == found.losses.shape == found.smoothed.shape
    assert found.rates[0] == 1e-6 and np.all(np.diff(found.rates) > 0)
    assert found.suggestion in found.rates

    def loss(rate: float) -> float:
        keras.utils.set_random_seed(1)
        history = _model(optimizer, rate).fit(x, y, verbose=0)
        return float(history.history["loss"][0])

    assert loss(found.suggestion) < loss(found.suggestion * 0.03)


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("trained", [False, True])
def test_everything_is_as_before(eager: bool, trained: bool) -> None:
    x, y = _data()

    def run(looks: bool) -> tuple[list[np.ndarray], Any]:
        keras.utils.set_random_seed(3)
        model = _model("adam")
        model.run_eagerly = eager
        if trained:
            model.fit(x[:64], y[:64], verbose=0)
        if looks:
            model.lr_find(x[:64], y[:64], steps=20)
        assert float(model.optimizer.learning_rate) == np.float32(0.001)
        history = model.fit(x[:64], y[:64], verbose=0)
        return [v.numpy() for v in [*model.variables, *model.optimizer.variables]], history.history

    (ours, our_logs), (without, logs) = run(True), run(False)
    if not eager:  # eager steps run op by op at first, by programs later
        assert our_logs == logs
    for a, b in zip(ours, without, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4 if eager else 0, atol=1e-5 if eager else 0)


def test_own_train_step_and_generator() -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def train_step(self, data: Any) -> Any:
            x, y = data
            with keras.GradientTape() as tape:
                loss = keras.ops.mean(keras.ops.square(self(x) - y))
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    def batches(n: int) -> Iterator[Any]:
        random = np.random.default_rng(0)
        for _ in range(n):
            x = random.normal(size=(16, 3)).astype("float32")
            yield x, x[:, :1]

    model = Own()
    model.compile("sgd")
    found = model.lr_find(batches(1000))
    assert 1e-3 < found.suggestion < 1
    assert len(model.lr_find(batches(30)).rates) == 30


def test_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is missing: pip install matplotlib")
    x, y = _data()
    found = _model().lr_find(x, y, steps=30)
    figure = found.plot(tmp_path / "rates.png")
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_xscale()) == (
        "learning rate",
        "loss",
        "log",
    )
    assert len(axes.lines[0].get_xdata()) == len(found.rates)
    assert (tmp_path / "rates.png").stat().st_size > 1000


def test_history_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is missing: pip install matplotlib")
    x, y = _data()
    model = _model()
    history = model.fit(
        x, y, epochs=6, verbose=0, validation_data=(x, y), validation_freq=2, batch_size=500
    )
    figure = history.plot(tmp_path / "curves.svg")
    assert [axes.get_title() for axes in figure.axes] == ["accuracy", "loss"]
    training, validation = figure.axes[1].lines
    assert training.get_xdata().tolist() == [1, 2, 3, 4, 5, 6]
    assert validation.get_xdata().tolist() == [2, 4, 6]
    assert training.get_ydata().tolist() == history.history["loss"]
    assert (tmp_path / "curves.svg").stat().st_size > 1000
    assert len(history.plot(tmp_path / "loss.png", "loss").axes) == 1
    at = model.fit(
        x, y, epochs=5, verbose=0, validation_data=(x, y), validation_freq=[1, 4], batch_size=500
    )
    _, validation = at.plot(tmp_path / "loss.png", "loss").axes[0].lines
    assert validation.get_xdata().tolist() == [1, 4]
    with pytest.raises(ValueError) as info:
        history.plot(tmp_path / "x.png", ["mse"])
    assert str(info.value) == (
        "History.plot: expected names among ['accuracy', 'loss']. Received: metrics=['mse']."
    )


def test_plots_without_matplotlib() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import pronghorn as keras\n"
        "history = keras.callbacks.History()\n"
        "history.on_epoch_end(0, {'loss': 1.0})\n"
        "try: history.plot('x.png')\n"
        "except ImportError as e: print(e)\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == (
        "History.plot: matplotlib is not installed. `pip install 'pronghorn[plot]'`.\n"
    )


def test_refusals() -> None:
    x, y = _data()
    model = _model()
    cases: list[tuple[dict[str, Any], str]] = [
        ({"steps": 3}, "lr_find: steps must be an integer from 10 on. Received: 3."),
        (
            {"min_rate": 1.0, "max_rate": 0.1},
            "lr_find: expected 0 < min_rate < max_rate. Received: min_rate=1.0, max_rate=0.1.",
        ),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError) as info:
            model.lr_find(x, y, **arguments)
        assert str(info.value) == message
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    with pytest.raises(ValueError, match=r"^lr_find: expected an optimizer whose learning rate is"):
        _model(keras.optimizers.SGD(schedule)).lr_find(x, y)
    before = model.get_weights()
    with pytest.raises(
        ValueError, match=r"a loss that is finite .* or look for NaN in the data\.$"
    ):
        model.lr_find(np.full_like(x, np.nan), y)
    for now, then in zip(model.get_weights(), before):
        np.testing.assert_array_equal(now, then)
    with pytest.raises(ValueError, match=r"lr_find\(\) needs a compiled model"):
        keras.Sequential([layers.Dense(1)]).lr_find(x, y)
