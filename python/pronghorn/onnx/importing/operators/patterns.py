"""Layers that older operator sets spell out: layer and group normalization, GELU, SiLU.

The last node of each is recognized by the nodes before it; what they made is left unused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import layers
from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.builder import Builder
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.operators.linear import next_reader, weights_of
from pronghorn.onnx.importing.values import Constant, Symbolic, Value


def producer(b: Builder, name: str, *operators: str) -> Node | None:
    """Returns the node that makes a value, if it is such an operator."""
    node = b.producers.get(name)
    return node if node is not None and node.operator in operators else None


def number_of(b: Builder, name: str) -> float | None:
    """Returns a constant of one number, else None."""
    value = b.values.get(name)
    if isinstance(value, Constant) and value.array.size == 1 and value.array.dtype.kind == "f":
        return float(value.array.reshape(-1)[0])
    return None


def _last_axis_mean(b: Builder, name: str) -> str | None:
    """Returns what is averaged along its last axis, which is kept, to make `name`."""
    node = producer(b, name, "ReduceMean")
    if node is None or not attributes.flag(node, "keepdims", 1):
        return None
    source = b.values.get(node.inputs[0])
    axes = node.attributes.get("axes")
    if len(node.inputs) > 1 and isinstance(given := b.values.get(node.inputs[1]), Constant):
        axes = given.array.tolist()
    if not isinstance(source, Symbolic) or axes not in ([-1], [len(source.dims) - 1]):
        return None
    return node.inputs[0]


def layer_normalization(b: Builder, node: Node) -> Value | None:
    """Returns `(x - mean) / sqrt(mean((x - mean)^2) + epsilon)` as a layer.

    Args:
        b: The builder.
        node: A Div.
    """
    centered = producer(b, node.inputs[0], "Sub")
    root = producer(b, node.inputs[1], "Sqrt")
    if centered is None or root is None:
        return None
    x = centered.inputs[0]
    total = producer(b, root.inputs[0], "Add")
    if total is None or _last_axis_mean(b, centered.inputs[1]) != x:
        return None
    epsilons = [number_of(b, name) for name in total.inputs]
    if epsilons.count(None) != 1:
        return None
    variance = total.inputs[epsilons.index(None)]
    epsilon = next(e for e in epsilons if e is not None)
    power = producer(b, _last_axis_mean(b, variance) or "", "Pow", "Mul")
    if power is None or not _is_square(b, power, x, centered):
        return None
    source = b.values[x]
    if not isinstance(source, Symbolic) or len(source.dims) < 2 or epsilon < 0:
        return None
    size = source.dims[-1]
    if not isinstance(size, int):
        return None
    weights, behind = _scale_and_shift(b, node, (size,))
    found = b.call(
        layers.LayerNormalization,
        b.plain(source),
        epsilon=epsilon,
        scale=weights[0] is not None,
        center=weights[1] is not None,
        weights=[w for w in weights if w is not None],
    )
    value = b.result(found, source.dims)
    if behind is not None:
        b.done[behind] = [value]
    return value


def _is_square(b: Builder, power: Node, x: str, centered: Node) -> bool:
    """Returns whether a node squares what `centered` computes, there or computed once more."""
    if power.operator == "Pow" and number_of(b, power.inputs[1]) != 2:
        return False
    if power.operator == "Mul" and power.inputs[0] != power.inputs[1]:
        return False
    other = producer(b, power.inputs[0], "Sub", "Cast")
    if other is not None and other.operator == "Cast":
        other = producer(b, other.inputs[0], "Sub")
    if other is None:
        return False
    return other is centered or (other.inputs[0] == x and _last_axis_mean(b, other.inputs[1]) == x)


def _scale_and_shift(
    b: Builder, node: Node, shape: tuple[int, ...]
) -> tuple[list[np.ndarray | None], Node | None]:
    """Returns the constants of the Mul and Add behind `node`, and the last node that is taken.

    The outputs of nodes in between are not computed.
    """
    found: list[np.ndarray | None] = [None, None]
    last: Node | None = None
    current = node
    for i, name in enumerate(("Mul", "Add")):
        after = next_reader(b, current, name)
        if after is None or len(after.inputs) != 2:
            continue
        other = [x for x in after.inputs if x != current.outputs[0]]
        array = weights_of(b.values.get(other[0])) if len(other) == 1 else None
        if array is None or array.size != shape[0]:
            continue
        while array.ndim > len(shape) and array.shape[0] == 1:
            array = array[0]
        if array.shape != shape:
            continue
        found[i] = array.reshape(-1)
        if last is not None:
            b.done[last] = [None]
        last = current = after
    return found, last


def group_normalization(b: Builder, node: Node, x: Symbolic, dims: tuple[Any, ...]) -> Value | None:
    """Returns Reshape, InstanceNormalization and Reshape back as GroupNormalization.

    Args:
        b: The builder.
        node: The last Reshape.
        x: Its input.
        dims: The shape that it gives.
    """
    inner = producer(b, node.inputs[0], "InstanceNormalization")
    before = producer(b, inner.inputs[0], "Reshape") if inner is not None else None
    if inner is None or before is None:
        return None
    source = b.values.get(before.inputs[0])
    channels = dims[1] if len(dims) > 2 else None
    if not isinstance(source, Symbolic) or source.dims != dims or not isinstance(channels, int):
        return None
    grouped = b.values[before.outputs[0]]
    groups = grouped.dims[1]
    if len(grouped.dims) != 3 or grouped.dims[0] != dims[0] or not isinstance(groups, int):
        return None
    arrays = [weights_of(b.values[name]) for name in inner.inputs[1:3]]
    if any(a is None for a in arrays) or channels % groups:
        return None
    # The layer has one scale and shift; those of the groups are the same but for its place.
    scale, shift = (np.repeat(a, channels // groups) for a in arrays)  # type: ignore[arg-type]
    (scale_after, shift_after), behind = _scale_and_shift(
        b, node, (channels, *(1,) * (len(dims) - 2))
    )
    if scale_after is not None:
        scale, shift = scale * scale_after, shift * scale_after
    if shift_after is not None:
        shift = shift + shift_after
    from pronghorn.onnx.importing.operators.normalization import group_layer

    epsilon = attributes.number(inner, "epsilon", float(np.float32(1e-5)))
    value = group_layer(b, source, groups, epsilon, [scale, shift])
    if behind is not None:
        b.done[behind] = [value]
    return value


def gated(b: Builder, node: Node) -> Value | None:
    """Returns `x sigmoid(x)`, `x hard_sigmoid(x)` or GELU as an activation.

    Args:
        b: The builder.
        node: A Mul.
    """
    for gate, x in (node.inputs, node.inputs[::-1]):
        made = producer(b, gate, "Sigmoid", "HardSigmoid")
        if made is None or made.inputs[0] != x or not isinstance(b.values[x], Symbolic):
            continue
        if made.operator == "Sigmoid":
            return _activation(b, x, "silu")
        if abs(attributes.number(made, "alpha", 0.2) - 1 / 6) < 1e-6:
            return _activation(b, x, "hard_silu")
    return _gelu(b, node)


def _gelu(b: Builder, node: Node) -> Value | None:
    """Returns `x / 2 (1 + erf(x / sqrt(2)))` as an activation; the factors in any order."""
    factors: list[str] = []
    constant = 1.0
    todo = list(node.inputs)
    while todo:
        name = todo.pop()
        inner = producer(b, name, "Mul")
        value = number_of(b, name)
        if value is not None:
            constant *= value
        elif inner is not None and len(factors) + len(todo) < 3:
            todo += inner.inputs
        else:
            factors.append(name)
    if len(factors) != 2 or abs(constant - 0.5) > 1e-6:
        return None
    for x, other in (factors, factors[::-1]):
        total = producer(b, other, "Add")
        if total is None or 1.0 not in [number_of(b, name) for name in total.inputs]:
            continue
        erf = next(
            (n for n in (producer(b, i, "Erf") for i in total.inputs) if n is not None), None
        )
        inside = producer(b, erf.inputs[0], "Div", "Mul") if erf is not None else None
        if inside is None or x not in inside.inputs:
            continue
        by = [number_of(b, name) for name in inside.inputs if name != x]
        wanted = 2**0.5 if inside.operator == "Div" else 0.5**0.5
        in_order = inside.operator == "Mul" or inside.inputs[0] == x
        if len(by) == 1 and by[0] is not None and abs(by[0] - wanted) < 1e-5 and in_order:
            return _activation(b, x, "gelu")
    return None


def _activation(b: Builder, name: str, kind: str) -> Value | None:
    x = b.values[name]
    if not isinstance(x, Symbolic) or not x.tensor.dtype.startswith(("float", "bfloat")):
        return None
    return b.result(b.call(layers.Activation, x.tensor, kind), x.dims, x.axes)
