"""What is wrong with sequences, masks, texts, losses and traced code is said in whole sentences."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers, ops


def _fails(call: Callable[[], Any], message: str, kind: type[Exception] = ValueError) -> None:
    with pytest.raises(kind) as info:
        call()
    assert type(info.value) is kind
    # Numbers at the end of names count the layers made so far.
    assert re.sub(r"([a-z])_\d+'", r"\1'", str(info.value)) == message


_RECURRENT: list[tuple[str, Callable[[], Any]]] = [
    ("LSTM 'lstm'", lambda: layers.LSTM(4)),
    ("GRU 'gru'", lambda: layers.GRU(4)),
    ("SimpleRNN 'simple_rnn'", lambda: layers.SimpleRNN(4)),
    ("RNN 'rnn'", lambda: layers.RNN(layers.LSTMCell(4))),
    ("LSTM 'forward_lstm'", lambda: layers.Bidirectional(layers.LSTM(4))),
]


@pytest.mark.parametrize("name,make", _RECURRENT, ids=[r[0] for r in _RECURRENT])
def test_sequences_of_wrong_rank(name: str, make: Callable[[], Any]) -> None:
    expected = f"{name}: expected rank 3 (batch, timesteps, features). Received: shape="
    _fails(lambda: make()(np.ones((3, 4), "float32")), f"{expected}(3, 4).")
    _fails(lambda: keras.Sequential([keras.Input((4,)), make()]), f"{expected}(None, 4).")


def test_batches_of_wrong_rank() -> None:
    model = keras.Sequential([keras.Input((5, 3), name="x"), layers.LSTM(4)], name="m")
    model.compile("sgd", "mean_squared_error")
    _fails(
        lambda: model.fit(np.ones((8, 5)), np.ones((8, 4)), verbose=0),
        "Model 'm': input 'x' is incompatible with the layer: expected shape (None, 5, 3). "
        "Received: shape=(8, 5). Rank 3 is expected: add a Reshape.",
    )


_SHAPES = [(2, 4), (3, 5), (2, 5, 3), (2,)]


@pytest.mark.parametrize("name,make", _RECURRENT, ids=[r[0] for r in _RECURRENT])
@pytest.mark.parametrize("shape", _SHAPES)
def test_mask_of_another_shape(name: str, make: Callable[[], Any], shape: tuple[int, ...]) -> None:
    _fails(
        lambda: make()(np.ones((2, 5, 3), "float32"), mask=np.ones(shape, bool)),
        f"{name}: expected a mask of shape (batch, timesteps) = (2, 5). "
        f"Received: mask.shape={shape}, sequences.shape=(2, 5, 3).",
    )


@pytest.mark.parametrize("shape", _SHAPES)
def test_mask_of_another_shape_for_the_mean(shape: tuple[int, ...]) -> None:
    _fails(
        lambda: layers.GlobalAveragePooling1D()(np.ones((2, 5, 3)), mask=np.ones(shape, bool)),
        "GlobalAveragePooling1D 'global_average_pooling1d': expected a mask of shape "
        f"(batch, steps) = (2, 5). Received: mask.shape={shape}, inputs.shape=(2, 5, 3).",
    )


@pytest.mark.parametrize("name,make", _RECURRENT, ids=[r[0] for r in _RECURRENT])
def test_empty_sequences(name: str, make: Callable[[], Any]) -> None:
    _fails(
        lambda: make()(np.ones((2, 0, 3), "float32")),
        f"{name}: expected sequences of one step or more. Received: shape=(2, 0, 3).",
    )
    model = keras.Sequential([keras.Input((None, 3)), make()])
    _fails(
        lambda: model.predict(np.ones((2, 0, 3)), verbose=0),
        f"{name}: expected sequences of one step or more. Received: shape=(2, 0, 3).",
    )


def test_no_sequences() -> None:
    model = keras.Sequential([keras.Input((5, 3)), layers.LSTM(4)])
    model.compile("sgd", "mean_squared_error")
    message = "x: expected at least one sample. Received: x.shape=(0, 5, 3)."
    _fails(lambda: model.fit(np.ones((0, 5, 3)), np.ones((0, 4)), verbose=0), message)
    _fails(lambda: model.predict(np.ones((0, 5, 3)), verbose=0), message)
    assert layers.LSTM(4)(np.ones((0, 5, 3), "float32")).shape == (0, 4)


def test_text_that_is_no_utf8(tmp_path: Path) -> None:
    text = [b"ok", b"\xff\xfeabc"]
    message = (
        "'name': text at position (1,) is not valid utf-8: invalid start byte at byte 0. "
        "Received: b'\\xff\\xfeabc'."
    )
    vectorize = layers.TextVectorization(name="name")
    _fails(lambda: vectorize.adapt(text), f"TextVectorization {message}")
    vectorize.adapt(["ok"])
    _fails(lambda: vectorize.adapt(iter([["new"], text])), f"TextVectorization {message}")
    assert vectorize.get_vocabulary() == ["", "[UNK]", "ok"]  # that learned before
    for data in (text, np.array(text)):
        _fails(lambda data=data: vectorize(data), f"TextVectorization {message}")
    lookup = layers.StringLookup(vocabulary=["ok"], name="name")
    _fails(lambda: lookup(text), f"StringLookup {message}")
    _fails(lambda: lookup.adapt(text), f"StringLookup {message}")
    _fails(lambda: layers.StringLookup(vocabulary=text, name="name"), f"StringLookup {message}")
    _fails(lambda: layers.Hashing(8, name="name")(text), f"Hashing {message}")
    _fails(
        lambda: lookup(np.array([[b"ok", b"a\xff"]])),
        "StringLookup 'name': text at position (0, 1) is not valid utf-8: invalid start byte at "
        "byte 1. Received: b'a\\xff'.",
    )
    path = tmp_path / "words.txt"
    path.write_bytes(b"ok\nna\xefve\n")
    _fails(
        lambda: layers.StringLookup(vocabulary=str(path), name="name"),
        f"StringLookup 'name': expected a vocabulary file in UTF-8. Received: {path}, line 2: "
        "b'na\\xefve'.",
    )


def _minimize(loss: Callable[[], Any], variables: list[Any]) -> Any:
    with keras.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, variables)
    return keras.optimizers.SGD(0.1).apply_gradients(zip(gradients, variables))


@pytest.mark.parametrize("run", [lambda f: f, keras.function], ids=["eager", "function"])
def test_loss_without_a_path_to_a_variable(run: Any) -> None:
    a, b = keras.Variable(1.0, name="a"), keras.Variable(1.0, name="b")
    message = "No gradients provided for any variable. The loss does not depend on a, b."
    losses: list[Callable[[], Any]] = [
        lambda: ops.convert_to_tensor(1.0),
        lambda: ops.stop_gradient(a.value) * 2.0,
        lambda: ops.cast(ops.argmax(ops.stack([a.value, b.value])), "float32"),
    ]
    for loss in losses:
        _fails(lambda loss=loss: run(lambda: _minimize(loss, [a, b]))(), message)
    with pytest.warns(UserWarning) as found:
        run(lambda: _minimize(lambda: a * 2.0, [a, b]))()
    assert str(found[0].message) == (
        "Gradients do not exist for variables ['b'] when minimizing the loss. If using "
        "`model.compile()`, did you forget to provide a `loss` argument?"
    )
    assert a.numpy() == np.float32(0.8) and b.numpy() == 1


def test_fit_without_a_path_to_a_variable() -> None:
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(1, name="d"), layers.Lambda(ops.stop_gradient)], name="m"
    )
    model.compile("sgd", "mean_squared_error")
    _fails(
        lambda: model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0),
        "No gradients provided for any variable. The loss does not depend on m/d/kernel, m/d/bias.",
    )


_NO_VALUES = (
    "{what}: this tensor has no values yet: it stands for a value inside a traced function (a "
    "model, `fit`). Received: shape={shape}, dtype={dtype}. {hint}; `compile(run_eagerly=True)` "
    "lets you look at it."
)
_USE_OPS = "Use functions of pronghorn.ops instead, and return what is needed outside"
_BRANCH = "Use ops.where or ops.cond in place of `if`, ops.while_loop in place of `while`"


def _no_values(what: str, shape: Any = (), dtype: str = "float32", hint: str = _USE_OPS) -> str:
    return _NO_VALUES.format(what=what, shape=shape, dtype=dtype, hint=hint)


def _branches(x: Any) -> Any:
    if ops.sum(x) > 0:
        return x
    return -x


def _loops(x: Any) -> Any:
    while ops.sum(x) > 1:
        x = x / 2
    return x


_CODE: list[tuple[str, Callable[[Any], Any], str]] = [
    ("numpy", lambda x: x.numpy(), _no_values("numpy()", (2, 3))),
    ("float", lambda x: float(ops.sum(x)), _no_values("float()")),
    ("int", lambda x: int(ops.sum(x)), _no_values("int()")),
    ("item", lambda x: ops.sum(x).item(), _no_values("item()")),
    ("np.mean", np.mean, _no_values("conversion to NumPy", (2, 3))),
    ("math", lambda x: math.sqrt(ops.sum(x)), _no_values("float()")),
    ("format", lambda x: f"{ops.sum(x):.3f}", _no_values("format '.3f'")),
    ("if", _branches, _no_values("bool()", (), "bool", _BRANCH)),
    ("while", _loops, _no_values("bool()", (), "bool", _BRANCH)),
    ("max", lambda x: max(ops.sum(x), 1.0), _no_values("bool()", (), "bool", _BRANCH)),
    (
        "range",
        lambda x: list(range(ops.cast(ops.sum(x), "int32"))),
        _no_values("int()", (), "int32"),
    ),
]


@pytest.mark.parametrize("name,code,message", _CODE, ids=[c[0] for c in _CODE])
def test_python_on_traced_values(name: str, code: Callable[[Any], Any], message: str) -> None:
    x = np.ones((2, 3), "float32")
    _fails(lambda: keras.function(code)(x), message, TypeError)
    code(ops.convert_to_tensor(x))  # eagerly it is no error


@pytest.mark.parametrize("name,code,message", _CODE, ids=[c[0] for c in _CODE])
def test_python_in_a_train_step(name: str, code: Callable[[Any], Any], message: str) -> None:
    class Own(keras.Model):
        def train_step(self, data: Any) -> Any:
            code(data)
            return {"loss": ops.mean(data)}

    model = Own()
    model.compile("sgd")
    _fails(lambda: model.fit(np.ones((2, 3), "float32"), verbose=0), message, TypeError)
    model.compile("sgd", run_eagerly=True)
    model.fit(np.ones((2, 3), "float32"), verbose=0)


def test_values_that_leave_a_trace() -> None:
    kept: list[Any] = []

    @keras.function
    def keeps(x: Any) -> Any:
        kept.append(ops.sum(x))
        return x

    keeps(np.ones((2, 3), "float32"))
    _fails(lambda: float(kept[0]), _no_values("float()"), TypeError)
    _fails(
        lambda: keras.function(lambda x: x + kept[0])(np.ones(2, "float32")),
        "trace: a symbolic tensor of another trace was used. Received: shape=(). Keep no tensors "
        "from inside a traced function.",
    )
    variable = keras.Variable(1.0, name="v")
    _fails(
        lambda: variable.assign(kept[0]),
        "Variable 'v': a traced value can only be assigned inside the trace. Received: "
        "<Tensor shape=(), dtype=float32, symbolic>.",
    )


def test_numbers_are_formatted() -> None:
    assert f"{ops.convert_to_tensor(1.5):.3f} {keras.Variable(0.25):6.2f}" == "1.500   0.25"
    assert f"{ops.cast(0.5, 'bfloat16'):.1f} {ops.convert_to_tensor([7]):03d}" == "0.5 007"
    assert f"{ops.convert_to_tensor(2)}".startswith("<Tensor shape=()")
    _fails(
        lambda: f"{ops.ones((2,)):.3f}",
        "format '.3f': expected a tensor of one element. Received: shape=(2,).",
        TypeError,
    )


def test_misspelled_argument() -> None:
    message = (
        "Unrecognized keyword arguments passed to LSTM: {'return_sequence': True}. "
        "Did you mean 'return_sequences'?"
    )
    _fails(lambda: layers.LSTM(4, return_sequence=True), message)
