"""TensorBoard: writes what happens in training for `tensorboard --logdir` to show."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from pronghorn.callbacks.callback import Callback, Logs
from pronghorn.callbacks.event_file import EventFile
from pronghorn.callbacks.summaries import graph_def, histogram, image, scalar


class TensorBoard(Callback):
    """Writes losses, metrics, weights and the graph of the model into event files.

    They lie in `log_dir/train` and `log_dir/validation`: `epoch_loss` and the like after each
    epoch, `batch_loss` with `update_freq`, `evaluation_loss_vs_iterations` after each evaluation.
    To look at them: `pip install tensorboard`, `tensorboard --logdir logs`. Writing needs no
    package.

    Args:
        log_dir: folder for the files; one for each run, so that runs can be compared.
        histogram_freq: epochs between two histograms of all weights, 0 for none.
        write_graph: whether the layers and their connections are written; a subclassed model has
            no such graph.
        write_images: whether weights are also written as pictures, with `histogram_freq`.
        write_steps_per_second: whether the speed is written.
        update_freq: "epoch", "batch", or a number of batches after which the logs are written.
        profile_batch: must be 0: `PRONGHORN_PROFILE=1` prints the time of every op.
        embeddings_freq: must be 0.
        embeddings_metadata: must be `None`.

    Raises:
        ValueError: an argument out of range, or one that is not supported.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> import pronghorn as keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mean_squared_error")
    >>> callback = keras.callbacks.TensorBoard(tempfile.mkdtemp(), histogram_freq=1)
    >>> _ = model.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0, callbacks=[callback])
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: int | str = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        if profile_batch not in (0, None):
            raise ValueError(
                "TensorBoard: profiles are not written, so profile_batch must be 0. "
                f"Received: profile_batch={profile_batch!r}. PRONGHORN_PROFILE=1 in the "
                "environment prints the time of every op."
            )
        if embeddings_freq or embeddings_metadata is not None:
            raise ValueError(
                "TensorBoard: embeddings are not written. Received: "
                f"embeddings_freq={embeddings_freq!r}, embeddings_metadata="
                f"{embeddings_metadata!r}."
            )
        _check_frequency("histogram_freq", histogram_freq, 0)
        if update_freq not in ("epoch", "batch"):
            _check_frequency("update_freq", update_freq, 1)
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq: int | str = 1 if update_freq == "batch" else update_freq
        self._files: dict[str, EventFile] = {}
        self._is_training = False
        self._batches = 0  # of the epochs before this one
        self._written_at = 0  # batch of the last logs
        self._written_time = 0.0
        self._epoch_time = 0.0
        self._seen = 0  # batches so far

    def wants_batch_hook(self, name: str) -> bool:
        """Whether it must be called for each batch."""
        return name == "on_train_batch_end" and self.update_freq != "epoch"

    def _file(self, name: str) -> EventFile:
        if name not in self._files:
            self._files[name] = EventFile(os.path.join(self.log_dir, name))
        return self._files[name]

    def on_train_begin(self, logs: Logs = None) -> None:
        self._close()  # a run that was interrupted
        self._is_training = True
        self._batches = self._seen = self._written_at = 0
        self._written_time = time.monotonic()
        if self.write_graph:
            self._write_graph()

    def _write_graph(self) -> None:
        from pronghorn.models.functional import Functional
        from pronghorn.models.sequential import Sequential
        from pronghorn.utils.model_plot.layer_graph import layer_graph

        if isinstance(self.model, (Functional, Sequential)) and self.model.built:
            graph = layer_graph(self.model, expand_nested=True)
            self._file("train").add_graph(graph_def(graph))

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch_time = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.update_freq == "epoch":
            return
        self._seen = self._batches + batch + 1
        frequency = int(self.update_freq)
        if self._seen // frequency == self._written_at // frequency:
            return
        values = _scalars("batch_", logs)
        now = time.monotonic()
        if self.write_steps_per_second:
            speed = (self._seen - self._written_at) / max(now - self._written_time, 1e-9)
            values.append(scalar("batch_steps_per_second", speed))
        self._file("train").add_values(self._seen, values)
        self._written_at, self._written_time = self._seen, now

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = dict(logs or {})
        feed = self.model._feed
        batches = self._seen if feed is None else feed.total  # in a loop of one's own, or in fit
        rate = _learning_rate(self.model.optimizer)
        if rate is not None:
            logs["learning_rate"] = rate
        own = {name: value for name, value in logs.items() if not name.startswith("val_")}
        values = _scalars("epoch_", own)
        if self.write_steps_per_second:
            speed = (batches - self._batches) / max(time.monotonic() - self._epoch_time, 1e-9)
            values.append(scalar("epoch_steps_per_second", speed))
        self._batches = batches
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            values += self._weights()
        self._file("train").add_values(epoch, values)
        validation = {name[4:]: value for name, value in logs.items() if name.startswith("val_")}
        if validation:
            self._file("validation").add_values(epoch, _scalars("epoch_", validation))
        for file in self._files.values():
            file.flush()

    def _weights(self) -> list[bytes]:
        values = []
        for layer in self.model.layers:
            for weight in layer.weights:
                array = np.asarray(weight.value).astype(np.float32)
                values.append(histogram(f"{weight.path}/histogram", array))
                picture = image(f"{weight.path}/image", array) if self.write_images else None
                if picture is not None:
                    values.append(picture)
        return values

    def on_test_end(self, logs: Logs = None) -> None:
        iterations = getattr(self.model.optimizer, "iterations", None)
        if iterations is not None and logs:
            values = [
                scalar(f"evaluation_{name}_vs_iterations", number)
                for name, number in _numbers(logs).items()
            ]
            self._file("validation").add_values(int(iterations), values)
            self._files["validation"].flush()
        if not self._is_training:
            self._close()

    def on_train_end(self, logs: Logs = None) -> None:
        self._is_training = False
        self._close()

    def _close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files = {}


def _check_frequency(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        expected = "'epoch', 'batch' or a positive integer" if least else "an integer from 0 on"
        raise ValueError(f"TensorBoard: {name} must be {expected}. Received: {name}={value!r}.")


def _numbers(logs: Logs) -> dict[str, float]:
    found = {}
    for name, value in (logs or {}).items():
        array = np.asarray(value)
        if array.size == 1 and array.dtype.kind in "fiub":
            found[name] = float(array.reshape(()))
    return found


def _scalars(prefix: str, logs: Logs) -> list[bytes]:
    return [scalar(prefix + name, number) for name, number in _numbers(logs).items()]


def _learning_rate(optimizer: Any) -> float | None:
    try:
        return float(np.asarray(optimizer.learning_rate))
    except AttributeError:  # no optimizer, or several with a rate each
        return None
