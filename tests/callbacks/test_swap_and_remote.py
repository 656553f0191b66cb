"""SwapEMAWeights and RemoteMonitor."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers
from pronghorn.callbacks import RemoteMonitor, SwapEMAWeights


def _model(optimizer: Any) -> keras.Model:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.compile(optimizer, "mean_squared_error")
    return model


def _data() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.normal(size=(32, 3)).astype("float32"), random.normal(size=(32, 2))


def _averages(model: keras.Model) -> list[np.ndarray]:
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    return [v.numpy() for v in inner._model_variables_moving_average]


class Watch(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, list[bool]] = {}

    def note(self, name: str) -> None:
        averages = _averages(self.model)
        same = all(map(np.array_equal, self.model.get_weights(), averages))
        self.seen.setdefault(name, []).append(same)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self.note("test")

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self.note("predict")

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.note("train")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.note("epoch")


@pytest.mark.parametrize("on_epoch", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_swap(on_epoch: bool, scaled: bool) -> None:
    x, y = _data()
    optimizer: Any = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model = _model(optimizer)
    watch = Watch()
    callbacks = [SwapEMAWeights(swap_on_epoch=on_epoch), watch]
    model.fit(x, y, epochs=3, verbose=0, validation_data=(x, y), callbacks=callbacks, batch_size=16)
    assert watch.seen["test"] == [True] * 6
    assert watch.seen["train"][2:] == [False] * 4  # the average begins with the first step
    assert watch.seen["epoch"] == [on_epoch] * 3
    for now, average in zip(model.get_weights(), _averages(model)):
        np.testing.assert_array_equal(now, average)  # as after any training with averages


def test_training_is_the_same_with_it() -> None:
    x, y = _data()

    def run(callbacks: list[Any]) -> list[np.ndarray]:
        keras.utils.set_random_seed(0)
        model = _model(keras.optimizers.Adam(0.1, use_ema=True))
        model.fit(x, y, epochs=3, verbose=0, validation_data=(x, y), callbacks=callbacks)
        return model.get_weights()

    for ours, without in zip(run([SwapEMAWeights(True)]), run([])):
        np.testing.assert_array_equal(ours, without)


def test_swap_in_evaluate_and_predict() -> None:
    x, y = _data()
    model = _model(keras.optimizers.SGD(0.1, use_ema=True))
    for _ in range(3):
        model.train_on_batch(x, y)
    before = model.get_weights()
    watch = Watch()
    model.evaluate(x, y, verbose=0, callbacks=[SwapEMAWeights(), watch])
    model.predict(x, verbose=0, callbacks=[SwapEMAWeights(), watch])
    assert watch.seen == {"test": [True], "predict": [True]}
    for now, then in zip(model.get_weights(), before):
        np.testing.assert_array_equal(now, then)


def test_swap_needs_averages() -> None:
    x, y = _data()
    model = _model("sgd")
    with pytest.raises(ValueError) as info:
        model.fit(x, y, verbose=0, callbacks=[SwapEMAWeights()])
    assert str(info.value).startswith(
        "SwapEMAWeights must be used when `use_ema=True` is set on the optimizer. "
        "Received: use_ema=False of optimizer="
    )


@pytest.fixture
def server() -> Iterator[tuple[str, list[Any]]]:
    received: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, dict(self.headers), body))
            self.send_response(500 if self.path == "/broken" else 200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    found = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{found.server_port}", received
    found.shutdown()
    found.server_close()
    thread.join()


def test_remote_monitor(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    root, received = server
    x, y = _data()
    model = _model("sgd")
    callbacks = [
        RemoteMonitor(root, headers={"X-Run": "7"}),
        RemoteMonitor(root, "/json", send_as_json=True),
    ]
    history = model.fit(x, y, epochs=2, verbose=0, callbacks=callbacks).history
    (path, headers, body), (json_path, json_headers, json_body) = received[:2]
    expected = {"epoch": 0, "loss": history["loss"][0]}
    assert (path, headers["X-Run"]) == ("/publish/epoch/end/", "7")
    assert json.loads(urllib.parse.parse_qs(body)["data"][0]) == expected
    assert (json_path, json_headers["Content-Type"]) == ("/json", "application/json")
    assert json.loads(json_body) == expected
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server at http://"):
        model.fit(x, y, verbose=0, callbacks=[RemoteMonitor(root, "/broken")])


def test_remote_monitor_without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    callback = RemoteMonitor("http://127.0.0.1:9")
    with pytest.warns(UserWarning, match="server at http://127.0.0.1:9: .*refused"):
        callback.on_epoch_end(0, {"loss": np.float32(0.5), "other": np.arange(1)})
    with pytest.raises(ValueError) as info:
        RemoteMonitor("file:///etc")
    assert str(info.value) == (
        "RemoteMonitor: root must be an http:// or https:// address. Received: root='file:///etc'."
    )
