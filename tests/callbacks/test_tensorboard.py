"""Event files hold what TensorBoard is to show; read by a reader of this test, and by its own."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers
from pronghorn.callbacks import TensorBoard
from pronghorn.callbacks.event_file import crc32c, masked_crc32c
from pronghorn.callbacks.summaries import image, png


def _fields(data: bytes) -> dict[int, list[Any]]:
    """The fields of a protobuf message."""
    found: dict[int, list[Any]] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        value: Any
        if key & 7 == 0:
            value = varint()
        elif key & 7 == 1:
            (value,) = struct.unpack_from("<d", data, at)
            at += 8
        elif key & 7 == 5:
            (value,) = struct.unpack_from("<f", data, at)
            at += 4
        else:
            length = varint()
            value = data[at : at + length]
            at += length
        found.setdefault(key >> 3, []).append(value)
    return found


def _events(folder: Path) -> list[dict[int, list[Any]]]:
    events = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data = path.read_bytes()
        at = 0
        while at < len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            assert struct.unpack_from("<I", data, at + 8)[0] == masked_crc32c(data[at : at + 8])
            body = data[at + 12 : at + 12 + length]
            assert struct.unpack_from("<I", data, at + 12 + length)[0] == masked_crc32c(body)
            events.append(_fields(body))
            at += length + 16
    return events


def _values(folder: Path) -> dict[str, list[tuple[int, dict[int, list[Any]]]]]:
    """The tensors of each tag, with their steps."""
    found: dict[str, list[Any]] = {}
    for event in _events(folder):
        for summary in event.get(5, []):
            for raw in _fields(summary).get(1, []):
                value = _fields(raw)
                tag = value[1][0].decode()
                found.setdefault(tag, []).append((event[2][0], _fields(value[8][0])))
    return found


def _scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    return {
        tag: [(step, struct.unpack("<f", tensor[4][0])[0]) for step, tensor in values]
        for tag, values in _values(folder).items()
        if values[0][1][1] == [1]
    }


def _model() -> keras.Model:
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="in")], name="inner")
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.Dense(1, name="out")(inner(x)))
    model.compile(keras.optimizers.SGD(0.25), "mean_squared_error", metrics=["mae"])
    return model


def _data() -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(0).normal(size=(40, 4)), np.ones((40, 1))


def _run(folder: Path, model: Any = None, **kwargs: Any) -> dict[str, list[Any]]:
    x, y = _data()
    model = model or _model()
    callbacks = [TensorBoard(folder, **kwargs)]
    history = model.fit(
        x, y, epochs=3, batch_size=8, verbose=0, validation_data=(x, y), callbacks=callbacks
    )
    return history.history


def test_checksums() -> None:
    # RFC 3720, B.4.
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"123456789") == 0xE3069283


def test_scalars(tmp_path: Path) -> None:
    history = _run(tmp_path)
    train, validation = _scalars(tmp_path / "train"), _scalars(tmp_path / "validation")
    assert set(train) == {"epoch_loss", "epoch_mae", "epoch_learning_rate"}
    assert train["epoch_learning_rate"] == [(0, 0.25), (1, 0.25), (2, 0.25)]
    assert set(validation) == {
        "epoch_loss",
        "epoch_mae",
        "evaluation_loss_vs_iterations",
        "evaluation_mae_vs_iterations",
    }
    for name in ("loss", "mae"):
        expected = list(enumerate(np.float32(history[name]).tolist()))
        assert train[f"epoch_{name}"] == expected
        expected = list(enumerate(np.float32(history[f"val_{name}"]).tolist()))
        assert validation[f"epoch_{name}"] == expected
        steps = [step for step, _ in validation[f"evaluation_{name}_vs_iterations"]]
        assert steps == [5, 10, 15]


@pytest.mark.parametrize(
    "frequency,steps", [("batch", list(range(1, 16))), (4, [4, 8, 12]), (5, [5, 10, 15])]
)
def test_batches(tmp_path: Path, frequency: Any, steps: list[int]) -> None:
    history = _run(tmp_path, update_freq=frequency, write_steps_per_second=True)
    train = _scalars(tmp_path / "train")
    assert [step for step, _ in train["batch_loss"]] == steps
    assert [step for step, _ in train["batch_steps_per_second"]] == steps
    assert [step for step, _ in train["epoch_steps_per_second"]] == [0, 1, 2]
    assert all(speed > 0 for _, speed in train["batch_steps_per_second"])
    if frequency == 5:
        assert [value for _, value in train["batch_loss"]] == np.float32(history["loss"]).tolist()


def test_weights(tmp_path: Path) -> None:
    model = _model()
    _run(tmp_path, model, histogram_freq=2, write_images=True)
    values = _values(tmp_path / "train")
    for layer in model.layers:
        for weight in layer.weights:
            found = values[f"{weight.path}/histogram"]
            assert [step for step, _ in found] == [0, 2]
            table = np.frombuffer(found[-1][1][4][0]).reshape(-1, 3)
            array = weight.numpy()
            assert table[:, 2].sum() == array.size
            if array.size > 1:
                assert (table[0, 0], table[-1, 1]) == (array.min(), array.max())
            width, height, picture = values[f"{weight.path}/image"][-1][1][8]
            assert int(width) * int(height) == array.size and int(width) >= int(height)
            assert picture.startswith(b"\x89PNG")


def test_graph(tmp_path: Path) -> None:
    _run(tmp_path)
    (graph,) = [event[4][0] for event in _events(tmp_path / "train") if 4 in event]
    nodes = [_fields(node) for node in _fields(graph)[1]]
    named = {node[1][0].decode(): node for node in nodes}
    assert {name: node[2][0] for name, node in named.items()} == {
        "x": b"InputLayer",
        "inner/in": b"Dense",
        "out": b"Dense",
    }
    assert named["inner/in"][3] == [b"x"] and named["out"][3] == [b"inner/in"]
    _run(tmp_path / "none", write_graph=False)
    assert not any(4 in event for event in _events(tmp_path / "none" / "train"))


def test_subclassed_model_and_evaluate(tmp_path: Path) -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    model = Own()
    model.compile("sgd", "mean_squared_error")
    _run(tmp_path / "fit", model, histogram_freq=1)
    assert len(_values(tmp_path / "fit" / "train")) == 4
    x, y = _data()
    model.evaluate(x, y, verbose=0, callbacks=[TensorBoard(tmp_path / "test")])
    assert not (tmp_path / "test" / "train").exists()
    assert set(_scalars(tmp_path / "test" / "validation")) == {"evaluation_loss_vs_iterations"}


def test_in_a_loop_of_ones_own(tmp_path: Path) -> None:
    callbacks = keras.callbacks.CallbackList([TensorBoard(tmp_path, update_freq=2)], model=_model())
    callbacks.on_train_begin()
    for epoch in range(2):
        callbacks.on_epoch_begin(epoch)
        for batch in range(3):
            callbacks.on_train_batch_end(batch, {"loss": 1.0 + batch})
        callbacks.on_epoch_end(epoch, {"loss": 0.5})
    callbacks.on_train_end()
    scalars = _scalars(tmp_path / "train")
    assert scalars["epoch_loss"] == [(0, 0.5), (1, 0.5)]
    assert scalars["batch_loss"] == [(2, 2.0), (4, 1.0), (6, 3.0)]


def test_weights_that_are_not_finite(tmp_path: Path) -> None:
    model = _model()
    model.layers[-1].set_weights([np.full((3, 1), np.nan), np.array([np.inf])])
    callback = TensorBoard(tmp_path, histogram_freq=1, write_images=True)
    x, y = _data()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(x, y, verbose=0, callbacks=[callback])
    assert np.isnan(_scalars(tmp_path / "train")["epoch_loss"][0][1])


def test_png() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    data = png(pixels)
    start = data.index(b"IDAT") + 4
    rows = np.frombuffer(zlib.decompress(data[start:-16]), np.uint8).reshape(5, 22)
    np.testing.assert_array_equal(rows[:, 1:].reshape(5, 7, 3), pixels)
    picture = pytest.importorskip("PIL.Image", reason="pillow is missing: pip install pillow")
    import io

    with picture.open(io.BytesIO(data)) as opened:
        np.testing.assert_array_equal(np.asarray(opened), pixels)


def test_which_weights_are_pictures() -> None:
    def count(shape: tuple[int, ...]) -> int:
        found = image("w", np.ones(shape))
        return 0 if found is None else found.count(b"IEND")

    assert [count(s) for s in ((5,), (4, 3), (3, 3, 1, 8), (3, 3, 2), (9, 5, 5, 3))] == [
        1,
        1,
        3,
        2,
        3,
    ]
    assert [count(s) for s in ((3, 3, 4, 8), (2, 2, 2, 2, 2), (0, 3))] == [0, 0, 0]


def test_refusals() -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        (
            {"profile_batch": (2, 5)},
            "TensorBoard: profiles are not written, so profile_batch must be 0. Received: "
            "profile_batch=(2, 5). PRONGHORN_PROFILE=1 in the environment prints the time of "
            "every op.",
        ),
        (
            {"embeddings_freq": 1},
            "TensorBoard: embeddings are not written. Received: embeddings_freq=1, "
            "embeddings_metadata=None.",
        ),
        (
            {"histogram_freq": -1},
            "TensorBoard: histogram_freq must be an integer from 0 on. Received: "
            "histogram_freq=-1.",
        ),
        (
            {"update_freq": "step"},
            "TensorBoard: update_freq must be 'epoch', 'batch' or a positive integer. Received: "
            "update_freq='step'.",
        ),
    ]
    for arguments, expected in cases:
        with pytest.raises(ValueError) as info:
            TensorBoard(**arguments)
        assert str(info.value) == expected


@pytest.mark.filterwarnings("ignore")
def test_tensorboard_reads_them(tmp_path: Path) -> None:
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="tensorboard is missing: pip install 'pronghorn[tensorboard]'",
    )
    from tensorboard.util import tensor_util

    model = _model()
    history = _run(tmp_path, model, histogram_freq=1, write_images=True, update_freq=2)
    events = accumulator.EventAccumulator(
        str(tmp_path / "train"), size_guidance=dict.fromkeys(["tensors", "graph"], 0)
    )
    events.Reload()
    tags = events.Tags()
    assert tags["graph"] and {"epoch_loss", "batch_loss", "out/kernel/image"} <= set(
        tags["tensors"]
    )
    losses = [float(tensor_util.make_ndarray(e.tensor_proto)) for e in events.Tensors("epoch_loss")]
    assert losses == np.float32(history["loss"]).tolist()
    metadata = events.SummaryMetadata("out/kernel/histogram").plugin_data.plugin_name
    assert metadata == "histograms"
    table = tensor_util.make_ndarray(events.Tensors("out/kernel/histogram")[-1].tensor_proto)
    assert table[:, 2].sum() == 3
    graph = events.Graph()
    assert [(node.name, node.op, list(node.input)) for node in graph.node] == [
        ("x", "InputLayer", []),
        ("inner/in", "Dense", ["x"]),
        ("out", "Dense", ["inner/in"]),
    ]
    shape = graph.node[1].attr["_output_shapes"].list.shape[0]
    assert [dim.size for dim in shape.dim] == [-1, 3]
