"""LSTM, GRU and RNN operators.

The core's ops take the products of the inputs of all steps; where these are `x kernel + bias` with
constant weights, the operator gets `x`, else the sums themselves and an identity as its weights.

Masks of any pattern are exact: the steps that count are moved to the front in their order, the
operator runs over so many (`sequence_lens`), and each step then takes the state after the last
step that counts up to it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from pronghorn.onnx.export.graph import Ref, value_of
from pronghorn.onnx.export.table import Call, converter
from pronghorn.onnx.export.writer import Writer

_FUNCTIONS: dict[str, tuple[str, float, float]] = {
    "linear": ("Affine", 1.0, 0.0),
    "tanh": ("Tanh", 0.0, 0.0),
    "sigmoid": ("Sigmoid", 0.0, 0.0),
    "relu": ("Relu", 0.0, 0.0),
    "hard_sigmoid": ("HardSigmoid", 1 / 6, 0.5),
    "softsign": ("Softsign", 0.0, 0.0),
    "elu": ("Elu", 1.0, 0.0),
    "softplus": ("Softplus", 0.0, 0.0),
}
_HAS_ALPHA = ("Affine", "HardSigmoid", "Elu")
_HAS_BETA = ("Affine", "HardSigmoid")


@converter("recurrent_pack")
def recurrent_pack(call: Call) -> str:
    return ""  # an operand of the ops below, in a layout of the core


@dataclasses.dataclass
class _Inputs:
    """What an operator reads: `x` (batch, time, features), weights (features, columns), bias."""

    x: str
    weights: Any
    bias: Any
    label: str = "kernel"


def _source(call: Call, columns: int) -> _Inputs:
    w, ref = call.w, call.node.inputs[0]
    none = np.zeros(columns, np.float32)
    candidates = [(ref, none)]
    node = w.node_of(ref)
    if node.op == "add":
        for a, b in (node.inputs, node.inputs[::-1]):
            name = w.values[b]
            if name in w.constants and w.constants[name].size == columns:
                candidates.append((a, w.constants[name].reshape(columns)))
    for product, bias in candidates:
        found = _factors(w, product)
        if found is not None:
            x, kernel, transposed = found
            weights = w.constants[kernel]
            return _Inputs(x, weights.T if transposed else weights, bias, w.labels[kernel])
    return _Inputs(call.x, np.eye(columns, dtype=np.float32), none)


def _factors(w: Writer, ref: Ref) -> tuple[str, str, bool] | None:
    """`x` of rank 3 and the constant matrix of which a value is the product, if it is one."""
    if w.type_of(ref).dtype != "float32":
        return None
    is_flat = w.node_of(ref).op == "reshape"  # a product of the steps of all sequences
    node = w.node_of(w.node_of(ref).inputs[0]) if is_flat else w.node_of(ref)
    if node.op != "matmul" or node.attrs.get("transpose_a", 0):
        return None
    x, kernel = node.inputs
    if w.values[kernel] not in w.constants or w.type_of(kernel).rank != 2:
        return None
    if is_flat:
        if w.node_of(x).op != "reshape":
            return None
        x = w.node_of(x).inputs[0]
    if w.type_of(x).rank != 3 or w.type_of(x).shape[:2] != w.type_of(ref).shape[:2]:
        return None
    return w.values[x], w.values[kernel], bool(node.attrs.get("transpose_b", 0))


def _initial(call: Call, i: int) -> str:
    """Initial state (1, batch, units), or no operand where it is 0."""
    w, node = call.w, call.w.node_of(call.node.inputs[i])
    while node.op in ("broadcast_to", "reshape", "cast"):
        node = w.node_of(node.inputs[0])
    if node.op == "constant" and not any(np.any(value_of(t)) for t in node.tensors):
        return ""
    return call.w.unsqueeze(call.inputs[i], 0)


def _activations(call: Call, names: list[str]) -> dict[str, Any]:
    found = [_FUNCTIONS[name] for name in names]
    attrs: dict[str, Any] = {"activations": [f[0] for f in found]}
    alpha = [f[1] for f in found if f[0] in _HAS_ALPHA]
    beta = [f[2] for f in found if f[0] in _HAS_BETA]
    return (
        attrs
        | ({"activation_alpha": alpha} if alpha else {})
        | ({"activation_beta": beta} if beta else {})
    )


def _reordered(matrix: Any, gates: list[int]) -> Any:
    parts = np.split(matrix, len(gates), axis=-1)
    return np.concatenate([parts[g] for g in gates], axis=-1)


def _weights(call: Call, matrix: Any, label: str) -> str:
    """(1, columns, rows) of (rows, columns)."""
    return call.w.constant(np.ascontiguousarray(matrix.T)[None], label, "float32")


def _label(call: Call, i: int, name: str) -> str:
    """A name beside that of the recurrent weights, or of operand `i` itself."""
    own = call.w.labels.get(call.inputs[1], "constant")
    if own == "constant":
        return name
    return own if i == 1 else f"{own.rpartition('/')[0]}/{name}"


def _kernel(call: Call, i: int) -> Any:
    name = call.inputs[i]
    if name not in call.w.constants:
        raise call.refuse("its recurrent weights must be constant")
    return call.w.constants[name]


@dataclasses.dataclass
class _Mask:
    """A mask of steps: `order` (batch, time) has those that count first, `counts` how many."""

    order: str
    counts: str
    at: str  # (batch, time): place among those that count of the step whose state a step has
    none: str  # (batch, time): whether there is no such step


def _mask(call: Call) -> _Mask | None:
    if not call.attrs.get("has_mask", 0):
        return None
    w = call.w
    time = call.shape()[1]
    mask = w.cast(call.inputs[-1], "int64")
    places = w.range(time)
    # Those that count have keys of at least the length, and earlier ones larger keys.
    length = w.squeeze(w.size(time), 0)
    descending = w.op("Sub", length, places)
    key = w.op("Add", w.op("Mul", mask, length), descending)
    _, order = w.ops("TopK", key, w.size(time), outputs=2, axis=1, largest=1, sorted=1)
    counts = w.op("ReduceSum", mask, w.ints([1]), keepdims=0)
    seen = w.op("CumSum", mask, w.constant(1, dtype="int64"))
    if call.attrs.get("go_backwards", 0):
        # The next step that counts, itself included: seen - mask is its place.
        at = w.op("Sub", seen, mask)
        none = w.op("GreaterOrEqual", at, w.unsqueeze(counts, 1))
        at = w.op("Where", none, w.constant(0, dtype="int64"), at)
    else:
        at = w.op("Sub", seen, w.constant(1, dtype="int64"))
        none = w.op("Less", at, w.constant(0, dtype="int64"))
        at = w.op("Where", none, w.constant(0, dtype="int64"), at)
    return _Mask(order, counts, at, none)


def _steps(w: Writer, x: str, index: str) -> str:
    """Steps of `x` (batch, time, n) by `index` (batch, time)."""
    return w.op("GatherND", x, w.unsqueeze(index, 2), batch_dims=1)


def _run(
    call: Call, op: str, source: _Inputs, operands: list[str], states: list[int], **attrs: Any
) -> list[str]:
    """Adds the operator; returns outputs of all steps and the last states."""
    w = call.w
    units = call.out.shape[2]
    mask = _mask(call)
    initial = [_initial(call, i) for i in states]
    x, lens = source.x, ""
    if mask is not None:
        x = _steps(w, x, mask.order)
        lens = w.cast(mask.counts, "int32")
    inputs = [w.transpose(x, [1, 0, 2]), *operands, lens, *initial]
    while inputs[-1] == "":
        inputs.pop()
    direction = "reverse" if call.attrs.get("go_backwards", 0) else "forward"
    y, *last = w.ops(
        op, *inputs, outputs=1 + len(states), direction=direction,
        hidden_size=call.known(units, "the number of units"), **attrs,
    )  # fmt: skip
    y = w.transpose(w.squeeze(y, 1), [1, 0, 2])
    last = [w.squeeze(v, 0) for v in last]
    if mask is not None:
        y = _steps(w, y, mask.at)
        start = w.unsqueeze(call.inputs[states[0]], 1)
        y = w.op("Where", w.unsqueeze(mask.none, 2), start, y)
        empty = w.unsqueeze(w.op("Equal", mask.counts, w.constant(0, dtype="int64")), 1)
        last = [w.op("Where", empty, call.inputs[i], v) for i, v in zip(states, last)]
    return [y, *last]


@converter("lstm")
def lstm(call: Call) -> list[str]:
    gates = [0, 3, 1, 2]  # ONNX: input, output, forget, cell
    u = _kernel(call, 1)
    source = _source(call, u.shape[1])
    recurrent, cell = call.attrs["recurrent_activation"], call.attrs["activation"]
    zeros = np.zeros(u.shape[1], np.float32)
    bias = np.concatenate([_reordered(source.bias, gates), zeros])[None]
    operands = [
        _weights(call, _reordered(source.weights, gates), source.label),
        _weights(call, _reordered(u, gates), _label(call, 1, "recurrent_kernel")),
        call.w.constant(bias, _label(call, -1, "bias"), "float32"),
    ]
    functions = _activations(call, [recurrent, cell, cell])
    return _run(call, "LSTM", source, operands, [3, 4], **functions)


@converter("gru", "gru_reset_before")
def gru(call: Call) -> list[str]:
    after = call.node.op == "gru"
    u = _kernel(call, 1)
    source = _source(call, u.shape[1])
    state_bias = _kernel(call, 3).reshape(-1) if after else np.zeros(u.shape[1], np.float32)
    bias = np.concatenate([source.bias, state_bias])[None]
    operands = [
        _weights(call, source.weights, source.label),
        _weights(call, u, _label(call, 1, "recurrent_kernel")),
        call.w.constant(bias, _label(call, -1, "bias"), "float32"),
    ]
    names = [call.attrs["recurrent_activation"], call.attrs["activation"]]
    functions = _activations(call, names)
    return _run(call, "GRU", source, operands, [4], linear_before_reset=int(after), **functions)


@converter("simple_rnn")
def simple_rnn(call: Call) -> list[str]:
    u = _kernel(call, 1)
    source = _source(call, u.shape[1])
    bias = np.concatenate([source.bias, np.zeros(u.shape[1], np.float32)])[None]
    operands = [
        _weights(call, source.weights, source.label),
        _weights(call, u, _label(call, 1, "recurrent_kernel")),
        call.w.constant(bias, _label(call, -1, "bias"), "float32"),
    ]
    return _run(
        call, "RNN", source, operands, [3], **_activations(call, [call.attrs["activation"]])
    )
