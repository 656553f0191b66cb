"""Cases of the recurrent ops; the references are loops over time in float64."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from op_cases.case import Arg, ErrorCase, OpCase

PANEL = 64
ROUND = 16

FUNCTIONS = {
    "linear": lambda x: x,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "softplus": lambda x: np.logaddexp(x, 0),
}


def _pack(
    u: np.ndarray, transpose: bool = False, begin: int = 0, end: int | None = None
) -> np.ndarray:
    b = u[:, begin:end].T if transpose else u[:, begin:end]
    panels = []
    for j in range(0, b.shape[1], PANEL):
        panel = b[:, j : j + PANEL]
        missing = -panel.shape[1] % ROUND
        panels.append(np.pad(panel, ((0, 0), (0, missing))).ravel())
    return np.concatenate(panels)


def _run(
    step: Any, x: np.ndarray, states: list[np.ndarray], mask: Any, go_backwards: bool
) -> tuple[np.ndarray, ...]:
    y = np.zeros((*x.shape[:2], states[0].shape[1]))
    order = range(x.shape[1])
    for t in reversed(order) if go_backwards else order:
        stepped = step(x[:, t], *states)
        if mask is not None:
            keep = mask[:, t, None]
            stepped = [np.where(keep, n, o) for n, o in zip(stepped, states)]
        states = list(stepped)
        y[:, t] = states[0]
    return (y, *states)


def _rnn(
    x: Any, u: Any, packed: Any, h: Any, mask: Any = None, *, activation: str,
    go_backwards: bool = False, has_mask: bool = False,
) -> Any:  # fmt: skip
    f = FUNCTIONS[activation]
    return _run(lambda x, h: [f(x + h @ u)], x, [h], mask, go_backwards)


def _lstm(
    x: Any, u: Any, packed: Any, h: Any, c: Any, mask: Any = None, *, activation: str,
    recurrent_activation: str, go_backwards: bool = False, has_mask: bool = False,
) -> Any:  # fmt: skip
    f, s = FUNCTIONS[activation], FUNCTIONS[recurrent_activation]

    def step(x: np.ndarray, h: np.ndarray, c: np.ndarray) -> list[np.ndarray]:
        i, forget, g, o = np.split(x + h @ u, 4, axis=1)
        c = s(forget) * c + s(i) * f(g)
        return [s(o) * f(c), c]

    return _run(step, x, [h, c], mask, go_backwards)


def _gru(
    x: Any, u: Any, packed: Any, bias: Any, h: Any, mask: Any = None, *, activation: str,
    recurrent_activation: str, go_backwards: bool = False, has_mask: bool = False,
) -> Any:  # fmt: skip
    f, s = FUNCTIONS[activation], FUNCTIONS[recurrent_activation]

    def step(x: np.ndarray, h: np.ndarray) -> list[np.ndarray]:
        xz, xr, xh = np.split(x, 3, axis=1)
        mz, mr, mh = np.split(h @ u + bias, 3, axis=1)
        z = s(xz + mz)
        return [z * h + (1 - z) * f(xh + s(xr + mr) * mh)]

    return _run(step, x, [h], mask, go_backwards)


def _gru_before(
    x: Any, u: Any, packed: Any, packed_candidate: Any, h: Any, mask: Any = None, *,
    activation: str, recurrent_activation: str, go_backwards: bool = False,
    has_mask: bool = False,
) -> Any:  # fmt: skip
    f, s = FUNCTIONS[activation], FUNCTIONS[recurrent_activation]
    n = h.shape[1]

    def step(x: np.ndarray, h: np.ndarray) -> list[np.ndarray]:
        z = s(x[:, :n] + h @ u[:, :n])
        r = s(x[:, n : 2 * n] + h @ u[:, n : 2 * n])
        return [z * h + (1 - z) * f(x[:, 2 * n :] + (r * h) @ u[:, 2 * n :])]

    return _run(step, x, [h], mask, go_backwards)


class _Weights(Arg):
    """Recurrent weights, the same ones in every form."""

    def make(self, rng: np.random.Generator, dtype: str) -> np.ndarray:
        values = np.random.default_rng(self.shape[-1]).uniform(-1, 1, self.shape)
        return (values / np.sqrt(self.shape[0])).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class _Packed(Arg):
    """What recurrent_pack makes of weights of shape `shape`."""

    columns: tuple[int, int] | None = None
    transpose: bool = False

    def make(self, rng: np.random.Generator, dtype: str) -> np.ndarray:
        u = _Weights(self.shape).make(rng, dtype)
        begin, end = self.columns or (0, self.shape[1])
        return _pack(u, self.transpose, begin, end).astype(np.float32)


class _Lengths(Arg):
    """A mask: steps at the end of rows do not count; one row has none at all, one a hole."""

    def make(self, rng: np.random.Generator, dtype: str) -> np.ndarray:
        batch, time = self.shape
        mask = np.arange(time) < rng.integers(0, time + 1, (batch, 1))
        mask[0] = True
        if batch > 1:
            mask[1] = False
        if time > 1:
            mask[0, time // 2] = False
        return mask


GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3, "gru_reset_before": 3}
REFERENCES = {"simple_rnn": _rnn, "lstm": _lstm, "gru": _gru, "gru_reset_before": _gru_before}


def _forward(
    op: str, batch: int, time: int, units: int, *, activation: str = "tanh",
    recurrent: str = "sigmoid", backwards: bool = False, mask: bool = False,
    errors: tuple[ErrorCase, ...] = (),
) -> OpCase:  # fmt: skip
    gates = GATES[op]
    weights = (units, gates * units)
    inputs: list[Arg] = [Arg((batch, time, gates * units)), _Weights(weights)]
    if op == "gru_reset_before":
        inputs += [_Packed(weights, columns=(0, 2 * units))]
        inputs += [_Packed(weights, columns=(2 * units, 3 * units))]
    else:
        inputs += [_Packed(weights)]
    inputs += [Arg((3 * units,))] if op == "gru" else []
    states = [Arg((batch, units), low=-1, high=1)] * (2 if op == "lstm" else 1)
    inputs += states
    inputs += [_Lengths((batch, time), "bool")] if mask else []
    attrs: dict[str, Any] = {"activation": activation}
    if op != "simple_rnn":
        attrs["recurrent_activation"] = recurrent
    attrs |= {"go_backwards": backwards, "has_mask": mask}
    name = f"{batch}x{time}x{units}-{activation}"
    name += f"-{recurrent}" if recurrent != "sigmoid" else ""
    name += ("-backwards" if backwards else "") + ("-mask" if mask else "")
    # The packed weights are not differentiated: the weights are, and reach them through packing.
    packed = {i for i, a in enumerate(inputs) if isinstance(a, _Packed)}
    floats = [i for i, a in enumerate(inputs) if a.dtype == "float32" and i not in packed]
    return OpCase(
        op, REFERENCES[op], tuple(inputs), attrs, gradient=tuple(floats),
        reduction=units * time, scale=2.0, name=name, errors=errors,
    )  # fmt: skip


_ERRORS = (
    ErrorCase(
        (Arg((2, 3)), _Weights((4, 16)), _Packed((4, 16)), Arg((2, 4)), Arg((2, 4))),
        {"activation": "tanh", "recurrent_activation": "sigmoid"},
        ValueError,
        r"lstm: expected x of shape \(batch, time, 4 \* units\)",
    ),
    ErrorCase(
        (
            Arg((2, 3, 16)), _Weights((4, 16)), _Packed((4, 16)), Arg((2, 4)), Arg((2, 4)),
            Arg((2, 4), "bool"),
        ),
        {"activation": "tanh", "recurrent_activation": "sigmoid", "has_mask": True},
        ValueError,
        r"lstm: expected mask of shape \(2, 3\)",
    ),
    ErrorCase(
        (Arg((2, 3, 16)), _Weights((4, 16)), _Packed((4, 16)), Arg((2, 4)), Arg((3, 4))),
        {"activation": "tanh", "recurrent_activation": "sigmoid"},
        ValueError,
        r"lstm: expected initial state c of shape \(2, 4\)",
    ),
    ErrorCase(
        (Arg((2, 3, 16)), _Weights((4, 16)), _Packed((4, 16)), Arg((2, 4)), Arg((2, 4))),
        {"activation": "cosine", "recurrent_activation": "sigmoid"},
        ValueError,
        "lstm: unknown activation",
    ),
)  # fmt: skip


def _cases() -> list[OpCase]:
    cases = []
    for op in GATES:
        cases += [
            _forward(op, 3, 4, 5, errors=_ERRORS if op == "lstm" else ()),
            _forward(op, 1, 1, 1),
            _forward(op, 33, 2, 7, mask=True, backwards=True),
            _forward(op, 3, 3, 130, mask=True),
            _forward(op, 2, 6, 16, backwards=True, activation="softsign", recurrent="hard_sigmoid"),
            _forward(op, 17, 3, 64, activation="elu"),
            _forward(op, 5, 3, 20, activation="softplus", recurrent="softsign"),
            _forward(op, 2, 3, 9, activation="relu"),
            _forward(op, 2, 700, 3),
            _forward(op, 40, 3, 80),
            _forward(op, 1, 2, 420),
            _forward(op, 32, 4, 128),
            _forward(op, 53, 3, 150, mask=True, backwards=True),
            _forward(op, 40, 2, 370),
        ]
    return cases


# The gradients' ops get what the ops saved: their values are checked through the gradients of the
# cases above. Here: results of random operands against the chain rule in float64.
def _slopes(name: str, y: np.ndarray) -> np.ndarray:
    return {"tanh": 1 - y * y, "sigmoid": y * (1 - y)}[name]


def _rnn_grad(
    y: Any, packed: Any, dy: Any, dh: Any, mask: Any = None, *, activation: str, **flags: Any
) -> Any:
    u = _Weights((y.shape[2],) * 2).make(None, "float32").astype(float)  # type: ignore[arg-type]
    dx = np.zeros_like(y)
    for t in reversed(range(y.shape[1])):
        d = dh + dy[:, t]
        dx[:, t] = d * _slopes(activation, y[:, t])
        dh = dx[:, t] @ u.T
    return dx, dh


def _lstm_grad(
    gates: Any, packed: Any, before: Any, dy: Any, dh: Any, dc: Any, *, activation: str,
    recurrent_activation: str, **flags: Any,
) -> Any:  # fmt: skip
    n = before.shape[2]
    u = _Weights((n, 4 * n)).make(None, "float32").astype(float)  # type: ignore[arg-type]
    dx = np.zeros_like(gates)
    for t in reversed(range(gates.shape[1])):
        i, f, g, o = np.split(gates[:, t], 4, axis=1)
        d = dh + dy[:, t]
        out = np.tanh(f * before[:, t] + i * g)
        cell = dc + d * o * (1 - out * out)
        parts = [cell * g * i * (1 - i), cell * before[:, t] * f * (1 - f), cell * i * (1 - g * g)]
        dx[:, t] = np.concatenate([*parts, d * out * o * (1 - o)], axis=1)
        dc = cell * f
        dh = dx[:, t] @ u.T
    return dx, dh, dc


def _gru_grad(
    gates: Any, packed: Any, before: Any, dy: Any, dh: Any, *, activation: str,
    recurrent_activation: str, **flags: Any,
) -> Any:  # fmt: skip
    n = before.shape[2]
    u = _Weights((n, 3 * n)).make(None, "float32").astype(float)  # type: ignore[arg-type]
    dx = np.zeros((*before.shape[:2], 3 * n))
    dm = np.zeros_like(dx)
    for t in reversed(range(gates.shape[1])):
        z, r, candidate, inner = np.split(gates[:, t], 4, axis=1)
        d = dh + dy[:, t]
        dn = d * (1 - z) * (1 - candidate**2)
        dz = d * (before[:, t] - candidate) * z * (1 - z)
        dr = dn * inner * r * (1 - r)
        dx[:, t] = np.concatenate([dz, dr, dn], axis=1)
        dm[:, t] = np.concatenate([dz, dr, dn * r], axis=1)
        dh = d * z + dm[:, t] @ u.T
    return dx, dm, dh


def _gru_before_grad(
    gates: Any, packed: Any, packed_candidate: Any, before: Any, dy: Any, dh: Any, *,
    activation: str, recurrent_activation: str, **flags: Any,
) -> Any:  # fmt: skip
    n = before.shape[2]
    u = _Weights((n, 3 * n)).make(None, "float32").astype(float)  # type: ignore[arg-type]
    dx = np.zeros((*before.shape[:2], 3 * n))
    for t in reversed(range(gates.shape[1])):
        z, r, candidate, _ = np.split(gates[:, t], 4, axis=1)
        d = dh + dy[:, t]
        dn = d * (1 - z) * (1 - candidate**2)
        dz = d * (before[:, t] - candidate) * z * (1 - z)
        dreset = dn @ u[:, 2 * n :].T
        dr = dreset * before[:, t] * r * (1 - r)
        dx[:, t] = np.concatenate([dz, dr, dn], axis=1)
        dh = d * z + dreset * r + dx[:, t, : 2 * n] @ u[:, : 2 * n].T
    return dx, dh


def _gradients(batch: int, time: int, n: int) -> list[OpCase]:
    flags = {"has_dy": True, "has_dh": True}
    both = {"activation": "tanh", "recurrent_activation": "sigmoid"}
    y = Arg((batch, time, n), low=-0.9, high=0.9)
    gates = Arg((batch, time, 4 * n), low=0.05, high=0.95)
    state = Arg((batch, n))
    gru, lstm = (n, 3 * n), (n, 4 * n)
    common: dict[str, Any] = {
        "gradient": (), "reduction": n * time, "scale": 8.0, "name": f"{batch}x{time}x{n}"
    }  # fmt: skip
    return [
        OpCase(
            "simple_rnn_grad", _rnn_grad, (y, _Packed((n, n), transpose=True), y, state),
            {"activation": "tanh", **flags}, **common,
        ),
        OpCase(
            "lstm_grad", _lstm_grad,
            (gates, _Packed(lstm, transpose=True), y, y, state, state),
            {**both, **flags, "has_dc": True}, **common,
        ),
        OpCase(
            "gru_grad", _gru_grad, (gates, _Packed(gru, transpose=True), y, y, state),
            {**both, **flags}, **common,
        ),
        OpCase(
            "gru_reset_before_grad", _gru_before_grad,
            (
                gates, _Packed(gru, transpose=True, columns=(0, 2 * n)),
                _Packed(gru, transpose=True, columns=(2 * n, 3 * n)), y, y, state,
            ),
            {**both, **flags}, **common,
        ),
    ]  # fmt: skip


_PACK = [
    OpCase("recurrent_pack", _pack, (Arg(shape),), attrs, gradient=(), factor=0.0, name=name)
    for name, shape, attrs in (
        ("small", (3, 5), {}),
        ("panels", (7, 150), {}),
        ("transpose", (150, 7), {"transpose": True}),
        ("part", (9, 60), {"begin": 20, "end": 57}),
        ("transposed-part", (70, 60), {"begin": 20, "end": 57, "transpose": True}),
        ("square", (64, 64), {"transpose": True}),
    )
]

CASES = [*_cases(), *_PACK, *_gradients(3, 4, 5), *_gradients(9, 2, 65)]
