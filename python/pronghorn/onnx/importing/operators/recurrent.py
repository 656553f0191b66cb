"""LSTM, GRU and RNN as layers, batch first; two directions as Bidirectional."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from pronghorn import layers, ops
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.operators.linear import weights_of
from pronghorn.onnx.importing.registry import operator
from pronghorn.onnx.importing.values import Constant, Filled, Symbolic, Value

_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
_LAYERS = {"LSTM": layers.LSTM, "GRU": layers.GRU, "RNN": layers.SimpleRNN}
_DEFAULTS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
_ACTIVATIONS = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Tanh": "tanh",
}
# Options of activations, and what they are where the node does not say.
_ALPHAS = {
    "Affine": 1.0,
    "Elu": 1.0,
    "HardSigmoid": 0.2,
    "LeakyRelu": 0.01,
    "ScaledTanh": 1.0,
    "ThresholdedRelu": 1.0,
}
_BETAS = {"Affine": 0.0, "HardSigmoid": 0.5, "ScaledTanh": 1.0}
# The file has the gates i, o, f, c; the layer i, f, c, o.
_LSTM_ORDER = [0, 2, 3, 1]


@dataclasses.dataclass
class _Cell:
    """What the node says of its cells."""

    directions: int
    units: int
    reset_after: bool
    batch_first: bool
    weights: list[np.ndarray]
    has_bias: bool
    activations: list[str]


@operator("LSTM", "GRU", "RNN")
def recurrent(b: Builder, node: Node) -> list[Value | None]:
    """A recurrent layer; its outputs are the sequence and the last states."""
    attributes.refuse_others(node, input_forget=0)
    if "clip" in node.attributes:
        raise ValueError("with the attribute 'clip' is not taken.")
    if b.value(node, 7) is not None:
        raise ValueError("with peepholes is not taken.")
    cell = _cell(b, node)
    x = b.symbolic(node, 0)
    if len(x.dims) != 3:
        raise ValueError(f"expected rank 3. Received: shape={x.dims}.")
    tensor = b.ordered(x, (0, 1, 2) if cell.batch_first else (1, 0, 2))
    if tensor.shape[2] != cell.weights[0].shape[0]:
        raise ValueError(f"expected {cell.weights[0].shape[0]} features. Received: shape={x.dims}.")
    time, batch = (x.dims[1], x.dims[0]) if cell.batch_first else (x.dims[0], x.dims[1])
    states = [
        _initial(b, node, i, cell, batch) for i in ((5, 6) if node.operator == "LSTM" else (5,))
    ]
    call: dict[str, Any] = {}
    if any(s is not None for s in states):
        call["initial_state"] = _joined(b, states, cell, batch, tensor.dtype)
    mask = _mask(b, node, x, cell)
    if mask is not None:
        call["mask"] = mask
    wanted = [_is_read(b, node, i) for i in range(3)]
    sequences = wanted[0] or not any(wanted)
    return_state = wanted[2] or (wanted[0] and wanted[1])
    layer = _made(b, node, cell, sequences, return_state, mask is not None)
    outputs = b.call(layer, tensor, weights=cell.weights, call=call)
    outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    return _results(b, cell, outputs, sequences, time, batch)


def _is_read(b: Builder, node: Node, index: int) -> bool:
    name = node.outputs[index] if index < len(node.outputs) else ""
    return bool(name) and (name in b.readers or name in b.output_names)


def _made(
    b: Builder, node: Node, cell: _Cell, sequences: bool, return_state: bool, masked: bool
) -> Any:
    """Returns a function that makes the layer."""
    kwargs: dict[str, Any] = {
        "use_bias": cell.has_bias,
        "return_sequences": sequences,
        "return_state": return_state,
        "activation": cell.activations[-1],
    }
    if node.operator != "RNN":
        kwargs["recurrent_activation"] = cell.activations[0]
    if node.operator == "GRU":
        kwargs["reset_after"] = cell.reset_after
    cls = _LAYERS[node.operator]
    if cell.directions == 2:
        return lambda **given: layers.Bidirectional(
            cls(cell.units, **kwargs, **{k: v for k, v in given.items() if k == "dtype"}), **given
        )
    if masked and sequences:
        kwargs["zero_output_for_mask"] = True
    backwards = attributes.text(node, "direction", "forward") == "reverse"
    return lambda **given: cls(cell.units, go_backwards=backwards, **kwargs, **given)


def _cell(b: Builder, node: Node) -> _Cell:
    direction = attributes.text(node, "direction", "forward")
    if direction not in ("forward", "reverse", "bidirectional"):
        raise ValueError(f"expected a direction. Received: {direction!r:.100}.")
    directions = 2 if direction == "bidirectional" else 1
    gates = _GATES[node.operator]
    kernel, recurrent_kernel = weights_of(b.required(node, 1)), weights_of(b.required(node, 2))
    if kernel is None or recurrent_kernel is None:
        raise ValueError("expected constant weights. Received: a tensor of the inputs.")
    units = attributes.integer(node, "hidden_size", recurrent_kernel.shape[-1])
    if (
        kernel.ndim != 3
        or units < 1
        or kernel.shape[:2] != (directions, gates * units)
        or recurrent_kernel.shape != (directions, gates * units, units)
    ):
        raise ValueError(
            f"expected weights of {units} units. Received: {kernel.shape}, "
            f"{recurrent_kernel.shape}."
        )
    given = b.value(node, 3)
    bias = weights_of(given)
    if given is not None and (bias is None or bias.shape != (directions, 2 * gates * units)):
        raise ValueError(f"expected a constant bias of {units} units.")
    cell = _Cell(
        directions=directions,
        units=units,
        reset_after=node.operator == "GRU" and attributes.flag(node, "linear_before_reset"),
        batch_first=attributes.flag(node, "layout"),
        weights=[],
        has_bias=bias is not None,
        activations=_activations(node, directions),
    )
    for d in range(directions):
        cell.weights += [
            _ordered(node, kernel[d], units).T,
            _ordered(node, recurrent_kernel[d], units).T,
        ]
        if bias is not None:
            halves = [_ordered(node, half, units) for half in np.split(bias[d], 2)]
            cell.weights.append(np.stack(halves) if cell.reset_after else halves[0] + halves[1])
    return cell


def _ordered(node: Node, array: np.ndarray, units: int) -> np.ndarray:
    if node.operator != "LSTM":
        return array
    gates = array.reshape(4, units, *array.shape[1:])[_LSTM_ORDER]
    return gates.reshape(array.shape)


def _activations(node: Node, directions: int) -> list[str]:
    default = _DEFAULTS[node.operator]
    names = node.attributes.get("activations", default * directions)
    count = len(default)
    if not isinstance(names, list) or len(names) != count * directions:
        raise ValueError(f"expected {count * directions} activations. Received: {names!r:.100}.")
    numbers = [iter(attributes.numbers(node, f"activation_{x}")) for x in ("alpha", "beta")]
    found = []
    for name in names:
        options = []
        for given, defaults in zip(numbers, (_ALPHAS, _BETAS)):
            if name in defaults:
                options.append(next(given, defaults[name]))
        found.append(_activation(str(name), options))
    same = found[:count] == found[-count:]
    if None in found or not same or (node.operator == "LSTM" and found[1] != found[2]):
        raise ValueError(
            f"with the activations {names} is not taken; the layer has one for its gates, one for "
            f"its states, the same in both directions, of {', '.join(_ACTIVATIONS)}, HardSigmoid "
            "with alpha 1/6, Elu with alpha 1, Affine that changes nothing."
        )
    return [str(n) for n in found[:count]]


def _activation(name: str, options: list[float]) -> str | None:
    if name == "Affine":
        return "linear" if options == [1.0, 0.0] else None
    if name == "Elu":
        return "elu" if options == [1.0] else None
    if name == "LeakyRelu":
        return "leaky_relu" if abs(options[0] - 0.2) < 1e-6 else None
    if name == "HardSigmoid":
        return "hard_sigmoid" if abs(options[0] - 1 / 6) < 1e-6 and options[1] == 0.5 else None
    return _ACTIVATIONS.get(name)


def _initial(b: Builder, node: Node, index: int, cell: _Cell, batch: Any) -> Symbolic | None:
    value = b.value(node, index)
    if value is None or (isinstance(value, Filled) and not value.value):
        return None
    if isinstance(value, Constant) and value.array.dtype != object and not value.array.any():
        return None
    if len(value.dims) != 3:
        raise ValueError(f"expected initial states of rank 3. Received: shape={value.dims}.")
    return b.as_symbolic(value)


def _joined(
    b: Builder, states: list[Symbolic | None], cell: _Cell, batch: Any, dtype: str
) -> list[Any]:
    """Returns the initial states of all directions, each `(batch, units)`."""
    order = (1, 0, 2) if cell.batch_first else (0, 1, 2)  # directions first
    found = []
    for d in range(cell.directions):
        for state in states:
            if state is None:
                found.append(b.plain(b.zeros_of((batch, cell.units), dtype)))
            elif cell.directions == 1 and state.axes[order[0]] is None:
                rest = Symbolic(
                    state.tensor,
                    tuple(state.dims[j] for j in order[1:]),
                    tuple(state.axes[j] for j in order[1:]),
                )
                found.append(b.plain(rest))
            else:
                tensor = b.ordered(state, order)
                found.append(b.operation(ops.get_item, tensor, (d,), suffix="state"))
    return found


def _mask(b: Builder, node: Node, x: Symbolic, cell: _Cell) -> Any:
    """Returns `(batch, time)`, true for the steps of each sequence, or None if it is all."""
    value = b.value(node, 4)
    if value is None:
        return None
    time = x.dims[1] if cell.batch_first else x.dims[0]
    if isinstance(value, Constant) and value.array.dtype != object:
        if isinstance(time, int) and (value.array == time).all():
            return None
    elif isinstance(value, Filled) and isinstance(time, int) and value.value == time:
        return None
    lengths = b.operation(ops.expand_dims, b.plain(value), 1, suffix="lengths")
    steps: Any
    if isinstance(time, int):
        steps = np.arange(time, dtype=np.int32).reshape(1, time)
    else:
        zeros = b.zeros_of((1, time), "int32").tensor
        ones = b.operation(ops.add, zeros, 1, suffix="ones")
        count = b.operation(ops.cumsum, ones, axis=1, suffix="count")
        steps = b.operation(ops.subtract, count, 1, suffix="steps")
    return b.operation(ops.greater, lengths, steps, suffix="mask")


def _results(
    b: Builder, cell: _Cell, outputs: list[Any], sequences: bool, time: Any, batch: Any
) -> list[Value | None]:
    found: list[Value | None] = [None, None, None]
    first, states = outputs[0], outputs[1:]
    # Where the axes of the file's states lie: (directions, batch, units), or batch first.
    one = [0, None, 1] if cell.batch_first else [None, 0, 1]
    two = [0, 1, 2] if cell.batch_first else [1, 0, 2]
    if sequences:
        if cell.directions == 2:
            size = -1 if not isinstance(time, int) else time
            parts = b.call(layers.Reshape, first, (size, 2, cell.units), suffix="directions")
            b.remember_tensor(parts, first, (batch, time, 2 * cell.units))
            first, axes = parts, [0, 1, 2, 3]
        else:
            if _runs_backwards(first):
                first = b.operation(ops.flip, first, 1, suffix="flip")
            axes = [0, 1, None, 2]  # type: ignore[list-item]
        if cell.batch_first:
            found[0] = b.result(first, [batch, time, None, None], axes)
        else:
            order = [axes[1], axes[2], axes[0], axes[3]]
            found[0] = b.result(first, [time, None, batch, None], order)
    elif not states:
        states = [first]
        if cell.directions == 2:
            parts = b.call(layers.Reshape, first, (2, cell.units), suffix="directions")
            b.remember_tensor(parts, first, (batch, 2 * cell.units))
            found[1] = b.result(parts, None, two)
            return found
    count = len(states) // cell.directions
    for i in range(count):
        if cell.directions == 1:
            found[1 + i] = b.result(states[i], None, one)
        else:
            both = b.operation(ops.stack, [states[i], states[count + i]], axis=1, suffix="states")
            found[1 + i] = b.result(both, None, two)
    return found


def _runs_backwards(tensor: Any) -> bool:
    return bool(tensor._keras_history.operation.go_backwards)
