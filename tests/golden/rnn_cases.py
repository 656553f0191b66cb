"""Recurrent models that `make_rnn.py` runs in Keras and `test_golden_rnn.py` here.

A case is a function of the library (`keras` or `pronghorn`) that makes a layer, with the shape of
its input. `states` are the sizes of the initial states that are given to it as further inputs,
`masked` puts a Masking layer before it, `scale` is the deviation of the weights.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

STEPS = 10


@dataclasses.dataclass(frozen=True)
class RnnCase:
    name: str
    layer: Callable[[Any], Any]
    shape: tuple[int, ...] = (3, 5, 4)
    states: tuple[tuple[int, ...], ...] = ()
    masked: bool = False
    stateful: bool = False
    scale: float = 0.5

    def random(self, *key: int) -> np.random.Generator:
        return np.random.default_rng([*key, *(ord(c) for c in self.name)])

    def inputs(self) -> list[np.ndarray]:
        rng = self.random(0)
        x = rng.standard_normal(self.shape).astype("float32")
        if self.masked:
            keep = rng.random(self.shape[:2]) < 0.6
            keep[0] = True
            keep[1] = False
            x = x * keep.reshape(*keep.shape, *(1 for _ in self.shape[2:])).astype("float32")
        batch = self.shape[0]
        states = [rng.standard_normal((batch, *s)).astype("float32") for s in self.states]
        return [x, *states]

    def model(self, keras: Any) -> Any:
        """Returns a compiled model of the layer with weights drawn from the case's seed."""
        batch = {"batch_size": self.shape[0]} if self.stateful else {}
        x = keras.Input(self.shape[1:], **batch)
        states = [keras.Input(s, **batch) for s in self.states]
        y = keras.layers.Masking()(x) if self.masked else x
        layer = self.layer(keras)
        outputs = layer(y, initial_state=states) if states else layer(y)
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        model = keras.Model([x, *states], outputs)
        for i, w in enumerate(layer.trainable_weights):
            values = self.random(1, i).standard_normal(tuple(w.shape)) * self.scale
            w.assign(values.astype("float32"))
        model.compile(keras.optimizers.SGD(0.1), loss=["mse"] * len(outputs))
        return model

    def run(self, keras: Any) -> dict[str, np.ndarray]:
        """Returns outputs, the losses of STEPS training steps, and the weights after them."""
        model = self.model(keras)
        inputs = self.inputs()
        outputs = model.predict(inputs, batch_size=self.shape[0], verbose=0)
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        result = {f"y{i}": np.asarray(y) for i, y in enumerate(outputs)}
        rng = self.random(2)
        targets = [rng.standard_normal(y.shape).astype("float32") for y in outputs]
        losses = []
        for _ in range(STEPS):
            loss = model.train_on_batch(inputs, targets if len(targets) > 1 else targets[0])
            losses.append(float(np.ravel(loss)[0]))
        result["losses"] = np.asarray(losses)
        for i, w in enumerate(model.trainable_weights):
            result[f"w{i}"] = np.asarray(w)
        return result


def _nested_cell(keras: Any) -> Any:
    """A cell whose states are a matrix and a vector, and whose output is neither."""
    ops = keras.ops

    class Nested(keras.layers.Layer):
        state_size = (4, 3)
        output_size = 3

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], 4), name="kernel")
            self.out = self.add_weight(shape=(4, 3), name="out")
            self.built = True

        def call(self, inputs: Any, states: Any) -> Any:
            a = ops.tanh(ops.matmul(inputs, self.kernel) + states[0])
            b = ops.matmul(a, self.out) + 0.5 * states[1]
            return ops.sin(b), [a, b]

    return Nested()


def _cases() -> list[RnnCase]:
    cases = []
    for kind, states in (("SimpleRNN", 1), ("LSTM", 2), ("GRU", 1)):

        def make(kind: str = kind, **args: Any) -> Callable[[Any], Any]:
            return lambda keras: getattr(keras.layers, kind)(6, **args)

        both = {"return_sequences": True, "return_state": True}
        initial = ((6,),) * states
        # Keras's SimpleRNN ignores the regularizer of its output.
        activity = {} if kind == "SimpleRNN" else {"activity_regularizer": "l2"}
        recurrent = {} if kind == "SimpleRNN" else {"recurrent_activation": "hard_sigmoid"}
        n = kind.lower()
        cases += [
            RnnCase(n, make()),
            RnnCase(f"{n}_sequences", make(return_sequences=True), (2, 7, 3)),
            RnnCase(f"{n}_all", make(**both)),
            RnnCase(f"{n}_backwards", make(go_backwards=True, **both)),
            RnnCase(f"{n}_initial", make(**both), states=initial),
            RnnCase(f"{n}_mask", make(**both), (4, 6, 3), masked=True),
            RnnCase(f"{n}_mask_last", make(), (4, 6, 3), masked=True),
            RnnCase(
                f"{n}_mask_backwards_initial",
                make(go_backwards=True, **both),
                (4, 6, 3),
                states=initial,
                masked=True,
            ),
            RnnCase(f"{n}_mask_zero", make(zero_output_for_mask=True, **both), masked=True),
            RnnCase(f"{n}_stateful", make(stateful=True), stateful=True),
            RnnCase(
                f"{n}_stateful_mask",
                make(stateful=True, **both),
                (4, 6, 3),
                masked=True,
                stateful=True,
            ),
            RnnCase(f"{n}_no_bias", make(use_bias=False)),
            RnnCase(f"{n}_unroll", make(unroll=True)),
            RnnCase(f"{n}_relu", make(activation="relu", **recurrent)),
            RnnCase(f"{n}_linear", make(activation=None), scale=0.2),
            RnnCase(f"{n}_gelu", make(activation="gelu", return_sequences=True)),
            RnnCase(f"{n}_one_step", make(**both), (1, 1, 2)),
            RnnCase(
                f"{n}_regularized",
                make(
                    kernel_regularizer="l2",
                    recurrent_regularizer="l1",
                    bias_regularizer="l2",
                    kernel_constraint="max_norm",
                    recurrent_constraint="unit_norm",
                    **activity,
                ),
            ),
        ]
        for mode in ("concat", "sum", "ave", "mul", None):
            cases.append(
                RnnCase(
                    f"{n}_bidirectional_{mode}",
                    lambda keras, make=make, mode=mode: keras.layers.Bidirectional(
                        make(return_sequences=True)(keras), merge_mode=mode
                    ),
                    (4, 6, 3),
                    masked=mode in ("concat", None),
                )
            )
        cases.append(
            RnnCase(
                f"{n}_bidirectional_state",
                lambda keras, make=make: keras.layers.Bidirectional(make(return_state=True)(keras)),
                states=initial * 2,
            )
        )
    cases += [
        RnnCase(
            "bidirectional_backward_layer",
            lambda k: k.layers.Bidirectional(
                k.layers.LSTM(5, return_sequences=True),
                backward_layer=k.layers.GRU(5, return_sequences=True, go_backwards=True),
            ),
        ),
        RnnCase("lstm_forget_zero", lambda k: k.layers.LSTM(6, unit_forget_bias=False)),
        RnnCase("lstm_wide", lambda k: k.layers.LSTM(17, return_sequences=True), (9, 3, 7)),
        RnnCase("gru_wide", lambda k: k.layers.GRU(17, return_sequences=True), (9, 3, 7)),
        RnnCase("gru_before", lambda k: k.layers.GRU(6, reset_after=False)),
        RnnCase(
            "gru_before_mask",
            lambda k: k.layers.GRU(
                6, reset_after=False, return_sequences=True, return_state=True, use_bias=False
            ),
            (4, 6, 3),
            masked=True,
        ),
        RnnCase(
            "rnn_cells",
            lambda k: k.layers.RNN(
                [k.layers.LSTMCell(5), k.layers.GRUCell(4), k.layers.SimpleRNNCell(3)],
                return_sequences=True,
            ),
        ),
        RnnCase(
            "rnn_cells_mask",
            lambda k: k.layers.RNN([k.layers.LSTMCell(5), k.layers.LSTMCell(3)]),
            (4, 6, 3),
            masked=True,
        ),
        RnnCase(
            "rnn_cell_before",
            lambda k: k.layers.RNN(k.layers.GRUCell(4, reset_after=False), return_state=True),
        ),
        RnnCase("rnn_nested", lambda k: k.layers.RNN(_nested_cell(k), return_sequences=True)),
        RnnCase(
            "time_distributed",
            lambda k: k.layers.TimeDistributed(k.layers.Conv2D(2, 2, activation="relu")),
            (2, 3, 4, 4, 2),
        ),
        RnnCase(
            "time_distributed_norm",
            lambda k: k.layers.TimeDistributed(k.layers.BatchNormalization()),
            (4, 3, 2),
        ),
    ]
    for rank, shape in ((1, (2, 3, 7, 2)), (2, (2, 3, 5, 6, 2)), (3, (1, 2, 3, 4, 3, 2))):
        for name, args in (
            ("", {"return_sequences": True, "return_state": True}),
            ("_same", {"padding": "same", "strides": 2, "recurrent_activation": "hard_sigmoid"}),
            ("_backwards", {"go_backwards": True, "padding": "same"}),
        ):
            cases.append(
                RnnCase(
                    f"conv_lstm{rank}d{name}",
                    lambda k, rank=rank, args=args: getattr(k.layers, f"ConvLSTM{rank}D")(
                        3, 2, **args
                    ),
                    shape,
                )
            )
    return cases


CASES = _cases()
