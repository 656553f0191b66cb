"""The networks of bench/workloads.py and of the first users, and what functional models can be."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agreement import EPSILON, compare, onnx, operators, run

sys.path.append(str(Path(__file__).parents[2]))
from bench.workers.keras_model import build
from bench.workloads import OTHER, TABLE, WORKLOADS

import pronghorn as keras
from pronghorn import layers, ops


@pytest.fixture(autouse=True)
def same_seed() -> None:
    keras.utils.set_random_seed(0)


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def check(model: Any, path: Path, inputs: Any, terms: int = 128, dtype: str = "float32") -> Counter:
    """Exports and compares for two batches; `inputs`: in the structure of the model's."""
    model.export(path, format="onnx")
    for x in (inputs, keras.tree.map_structure(lambda a: np.concatenate([a, a[:2]]), inputs)):
        expected = keras.tree.flatten(model.predict(x, verbose=0))
        found = run(path, keras.tree.flatten(x))
        assert len(found) == len(expected)
        for got, wanted in zip(found, expected):
            compare(got, wanted, terms, EPSILON[dtype])
    return Counter(operators(path))


SMALL = ["mlp", "cnn1", "cnn3", "lstm", "text", "stride2", "resnet", "depthwise", "transformer",
         "cnn-odd", "conv1x1"]  # fmt: skip
assert set(SMALL) <= set(TABLE) | set(OTHER)


@pytest.mark.parametrize("name", SMALL)
def test_workload(name: str, tmp_path: Path) -> None:
    model = build(keras, name)
    workload = WORKLOADS[name]
    if "vocabulary" in workload:
        x = np.random.default_rng(0).integers(0, workload["vocabulary"], (3, *workload["x"]))
        x = x.astype("int32")
    else:
        x = random(3, *workload["x"])
    found = check(model, tmp_path / "m.onnx", x)
    kinds = [kind for kind, *_ in workload["layers"]]
    if "conv" in kinds:
        assert found["Transpose"] <= 2
    assert found["LSTM"] == kinds.count("lstm")


def test_speech_network(tmp_path: Path) -> None:
    x = keras.Input((20, 12, 1))
    y = layers.Conv2D(4, 3, activation="relu")(x)
    y = layers.TimeDistributed(layers.Flatten())(y)
    y = layers.LSTM(5)(layers.Bidirectional(layers.LSTM(6, return_sequences=True))(y))
    found = check(keras.Model(x, layers.Dense(3)(y)), tmp_path / "m.onnx", random(3, 20, 12, 1))
    assert found["LSTM"] == 3


def test_regression_on_two_numbers(tmp_path: Path) -> None:
    x = keras.Input((2,))
    model = keras.Model(x, layers.Dense(1)(layers.Dense(10, "relu")(x)))
    check(model, tmp_path / "m.onnx", random(3, 2))


def test_everything_is_exported_as_in_inference(tmp_path: Path) -> None:
    noise = [layers.Dropout(0.5), layers.GaussianNoise(1.0), layers.SpatialDropout1D(0.3),
             layers.AlphaDropout(0.2), layers.ActivityRegularization(0.1)]  # fmt: skip
    model = keras.Sequential([keras.Input((5, 4)), *noise, layers.BatchNormalization()])
    found = check(model, tmp_path / "m.onnx", random(3, 5, 4))
    assert set(found) <= {"Mul", "Add"}


def test_shared_layers_several_inputs_and_outputs(tmp_path: Path) -> None:
    a, b = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    shared = layers.Dense(4, "tanh", name="shared")
    inner_x = keras.Input((4,))
    inner = keras.Model(inner_x, layers.Dense(3, "softmax")(inner_x), name="inner")
    u, v = shared(a), shared(b)
    outputs = {"scores": inner(u - v), "sum": layers.Add()([u, v]), "same": u}
    path = tmp_path / "m.onnx"
    model = keras.Model([a, b], outputs)
    check(model, path, [random(3, 6), random(3, 6, seed=1)])
    proto = onnx.load(path)
    assert [x.name for x in proto.graph.input] == ["left", "right"]
    assert [x.name for x in proto.graph.output] == ["same", "scores", "sum"]
    names = [x.name for x in proto.graph.initializer]
    assert sum(n.endswith("shared/kernel") for n in names) == 1


def test_inputs_in_a_dict_and_outputs_that_are_inputs(tmp_path: Path) -> None:
    inputs = {"b": keras.Input((3,), name="b"), "a": keras.Input((3,), name="a")}
    model = keras.Model(inputs, [inputs["a"], inputs["b"] * 2.0, layers.Flatten()(inputs["a"])])
    path = tmp_path / "m.onnx"
    model.export(path, format="onnx")
    x = {"a": random(2, 3), "b": random(2, 3, seed=1)}
    names = [v.name for v in onnx.load(path).graph.input]
    found = run(path, [x[n] for n in names])
    for got, wanted in zip(found, model.predict(x, verbose=0)):
        compare(got, wanted)


class Gated(layers.Layer):
    """A layer of one's own, of functions of `ops` only."""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(shape=(input_shape[-1],), name="scale", initializer="ones")

    def call(self, x: Any) -> Any:
        batch, steps, _ = x.shape
        places = ops.reshape(ops.arange(steps, dtype="float32"), (1, steps, 1)) / steps
        mean = ops.mean(x, axis=1, keepdims=True)
        rows = ops.reshape(x * self.scale, (batch * steps, -1))
        rows = ops.reshape(ops.where(rows > 0, rows, ops.expm1(rows)), x.shape)
        start = ops.zeros((batch, 1, x.shape[2]))
        late = ops.concatenate([start, rows[:, :-1]], axis=1)
        waves = ops.sin(ops.outer(ops.arange(steps, dtype="float32"), ops.exp(-ops.arange(4.0))))
        both = [rows + places + waves, late, mean + ops.zeros_like(x)]
        return ops.logsumexp(ops.stack(both), axis=0)


@pytest.mark.parametrize("steps", [6, None])
def test_layer_of_ones_own(tmp_path: Path, steps: int | None) -> None:
    x = keras.Input((steps, 4))
    model = keras.Model(x, Gated(name="gated")(x))
    check(model, tmp_path / "m.onnx", random(3, 6, 4))


@pytest.mark.parametrize("mode", ["reflect", "symmetric", "edge", "wrap"])
def test_padding_of_unknown_lengths(tmp_path: Path, mode: str) -> None:
    x = keras.Input((None, 2))
    model = keras.Model(x, ops.pad(x, [(0, 0), (3, 2), (0, 0)], mode))
    check(model, tmp_path / "m.onnx", random(3, 6, 2))


def test_spectrogram_of_unknown_length(tmp_path: Path) -> None:
    layer = layers.MelSpectrogram(fft_length=64, sequence_stride=16, num_mel_bins=8)
    x = keras.Input((None,))
    check(keras.Model(x, layer(x)), tmp_path / "m.onnx", random(3, 400), 512)


def test_weights_are_written_once(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    tied = layers.ReversibleEmbedding(500, 40)
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, tied(tied(ids), reverse=True))
    check(model, path, np.random.default_rng(0).integers(0, 500, (3, 5)).astype("int32"))
    assert path.stat().st_size < 1.1 * 4 * model.count_params()
    conv, lstm = layers.Conv1D(20, 3), layers.LSTM(20)
    a, b = keras.Input((9, 20)), keras.Input((9, 20))
    model = keras.Model([a, b], lstm(conv(a)) - lstm(conv(b)))
    check(model, path, [random(3, 9, 20), random(3, 9, 20, seed=1)])
    assert path.stat().st_size < 1.3 * 4 * model.count_params()


def test_network_for_images_of_any_even_size(tmp_path: Path) -> None:
    x = keras.Input((None, None, 3))
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    z = layers.Conv2D(4, 3, padding="same")(layers.MaxPooling2D(2)(y))
    z = layers.Concatenate()([layers.UpSampling2D(2)(z), y])
    model, path = keras.Model(x, layers.Conv2D(2, 1)(z)), tmp_path / "m.onnx"
    check(model, path, random(2, 6, 10, 3))
    compare(run(path, [random(1, 4, 2, 3)])[0], model.predict(random(1, 4, 2, 3), verbose=0))


class Network(keras.Model):
    def __init__(self) -> None:
        super().__init__(name="network")
        self.first, self.second = layers.Dense(4, "relu"), layers.Dense(2)

    def call(self, x: Any, training: bool = False) -> Any:
        return {"y": self.second(self.first(x)), "training": ops.zeros((1,)) + float(training)}


def test_subclass(tmp_path: Path) -> None:
    model = Network()
    path = tmp_path / "m.onnx"
    with pytest.raises(ValueError, match="'network': the model is not built"):
        model.export(path, format="onnx")
    model(random(3, 5))
    model.export(path, format="onnx")
    x = random(4, 5)
    none, y = run(path, [x])
    compare(y, model(x)["y"])
    assert none == 0
    with pytest.raises(ValueError, match="expected `InputSpec` with|InputSpec"):
        model.export(path, format="onnx", input_signature=[layers.InputSpec(ndim=2)])
    model.export(path, format="onnx", input_signature=[layers.InputSpec("float32", (2, 5))])
    dims = onnx.load(path).graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_value for d in dims] == [2, 5]
    compare(run(path, [x[:2]])[1], model(x[:2])["y"])


class Difference(keras.Model):
    def call(self, left: Any, right: Any, training: bool = False) -> Any:
        return left - 2.0 * right


def test_call_of_several_arguments(tmp_path: Path) -> None:
    model, path = Difference(), tmp_path / "m.onnx"
    a, b = random(3, 4), random(3, 4, seed=1)
    model(a, b)
    with pytest.raises(ValueError, match="one for each argument of the call: left, right"):
        model.export(path, format="onnx")
    model.export(path, format="onnx", input_signature=[a, b])
    assert [x.name for x in onnx.load(path).graph.input] == ["left", "right"]
    compare(run(path, [a, b])[0], model(a, b))


@pytest.mark.parametrize("kind", [list, tuple, dict])
def test_structures_as_the_first_argument(tmp_path: Path, kind: Any) -> None:
    class Sum(keras.Model):
        def call(self, x: Any) -> Any:
            return x["a"] - x["b"] if kind is dict else x[0] - x[1]

    model, path = Sum(), tmp_path / "m.onnx"
    a, b = random(3, 4), random(3, 4, seed=1)
    inputs = {"a": a, "b": b} if kind is dict else kind([a, b])
    wanted = model(inputs)
    for signature in (None, inputs, [inputs]):
        model.export(path, format="onnx", input_signature=signature)
        compare(run(path, [a, b])[0], wanted)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16", "float16"])
def test_mixed_precision(tmp_path: Path, policy: str) -> None:
    half = policy.removeprefix("mixed_")
    x = keras.Input((10, 9, 3))
    y = layers.Conv2D(8, 3, activation="relu", dtype=policy)(x)
    y = layers.BatchNormalization(dtype=policy)(layers.MaxPooling2D(2, dtype=policy)(y))
    y = layers.Reshape((-1, 8), dtype=policy)(y)
    y = layers.LayerNormalization(dtype=policy)(
        layers.LSTM(6, return_sequences=True, dtype=policy)(y)
    )
    y = layers.MultiHeadAttention(2, 3, dtype=policy)(y, y)
    y = layers.GlobalAveragePooling1D(dtype=policy)(y)
    model = keras.Model(x, layers.Dense(4, "softmax", dtype="float32")(y))
    check(model, tmp_path / "m.onnx", random(3, 10, 9, 3), 8, half)
    inner = keras.Model(x, y)
    inner.export(tmp_path / "half.onnx", format="onnx")
    (found,) = run(tmp_path / "half.onnx", [random(3, 10, 9, 3)])
    assert found.dtype == ("float16" if half == "float16" else "float32")


def test_embedding_mask_and_recurrent_layers(tmp_path: Path) -> None:
    ids = keras.Input((None,), dtype="int32")
    y = layers.Embedding(20, 6, mask_zero=True)(ids)
    y = layers.Bidirectional(layers.GRU(5, return_sequences=True))(y)
    y, h, c = layers.LSTM(4, return_state=True, return_sequences=True, go_backwards=True)(y)
    model = keras.Model(ids, [y, h, c, layers.GRU(3, reset_after=False)(y)])
    x = np.random.default_rng(0).integers(0, 4, (5, 7)).astype("int32")
    x[0], x[1, 3:] = 0, 0
    found = check(model, tmp_path / "m.onnx", x)
    assert (found["GRU"], found["LSTM"]) == (3, 1)


def test_cells_of_ones_own_are_unrolled_over_known_lengths(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    rnn = layers.RNN([layers.SimpleRNNCell(3), layers.GRUCell(4)], return_sequences=True)
    x = keras.Input((5, 2))
    check(keras.Model(x, rnn(x)), path, random(3, 5, 2))
    rnn = layers.RNN(layers.SimpleRNNCell(2), return_sequences=True)
    x = keras.Input((None, 2))
    with pytest.raises(ValueError, match="depends on the size of an unknown dimension"):
        keras.Model(x, rnn(x)).export(path, format="onnx")
    model = keras.Model(x, rnn(x))
    model.export(path, format="onnx", input_signature=[layers.InputSpec("float32", (None, 4, 2))])
    compare(run(path, [random(3, 4, 2)])[0], model.predict(random(3, 4, 2), verbose=0))


def test_an_infinite_constant_of_an_unknown_length_is_refused(tmp_path: Path) -> None:
    class FirstOnly(layers.Layer):
        def call(self, t):
            bias = np.full(t.shape[2], -np.inf, "float32")
            bias[0] = 0
            return t + bias

    x = keras.Input((2, None))
    with pytest.raises(ValueError, match="a constant depends on the size of an unknown dimension"):
        keras.Model(x, FirstOnly()(x)).export(tmp_path / "m.onnx", format="onnx")


def test_what_cannot_be_exported_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    x = keras.Input((5, 2), batch_size=3)
    with pytest.raises(ValueError, match="changes variables at inference.*lstm"):
        keras.Model(x, layers.LSTM(3, stateful=True)(x)).export(path, format="onnx")

    class Noise(layers.Layer):
        def call(self, x: Any) -> Any:
            return x + keras.random.normal(x.shape, seed=self.seed)

    x = keras.Input((5,))
    noise = Noise(name="loud")
    noise.seed = keras.random.SeedGenerator(1)
    with pytest.raises(ValueError, match="changes variables at inference.*seed"):
        keras.Model(x, noise(x)).export(path, format="onnx")
    key = keras.Input((2,), dtype="uint32", batch_size=3)
    noise.seed = ops.zeros((2,), "uint32")
    noise.call = lambda key: keras.random.normal((3,), seed=key[0])
    with pytest.raises(ValueError, match="random_normal.*'.*loud'.*draws random numbers"):
        keras.Model(key, noise(key)).export(path, format="onnx")

    class Loop(layers.Layer):
        def call(self, x: Any) -> Any:
            return ops.while_loop(lambda y: ops.sum(y) < 9.0, lambda y: (y + 1.0,), (x,))[0]

    with pytest.raises(ValueError, match="while_loop.*loop"):
        keras.Model(x, Loop(name="loop")(x)).export(path, format="onnx")
    lookup = layers.StringLookup(vocabulary=["a", "b"])
    with pytest.raises(ValueError, match="inputs of dtype string cannot be exported"):
        keras.onnx.export_model(lookup, path, input_signature=layers.InputSpec("string", (None,)))
    assert not path.exists()


def test_more_than_two_gigabytes_are_refused(tmp_path: Path, monkeypatch: Any) -> None:
    from pronghorn.onnx.export import proto

    model = keras.Sequential([keras.Input((20,)), layers.Dense(30, name="big")])
    path = tmp_path / "m.onnx"
    path.write_bytes(b"before")
    monkeypatch.setattr(proto, "_MOST_BYTES", 2000)
    with pytest.raises(ValueError, match="less than 2 GB"):
        model.export(path, format="onnx")
    assert path.read_bytes() == b"before"


def test_without_onnx_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    with pytest.raises(ImportError, match=r"pip install pronghorn\[onnx\]"):
        model.export(tmp_path / "m.onnx", format="onnx")
