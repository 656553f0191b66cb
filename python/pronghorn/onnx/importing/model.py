"""`import_model`: the functional model of an ONNX file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pronghorn import layers
from pronghorn.allocation_limit import AllocationLimit
from pronghorn.deferred_values import DeferredValues
from pronghorn.layers.core.input_layer import InputLayer
from pronghorn.onnx.importing.builder import Builder, model_dtype
from pronghorn.onnx.importing.file import Node, OnnxGraph, Port, read_graph
from pronghorn.onnx.importing.folding import CONSTANT_OPERATORS, fold
from pronghorn.onnx.importing.operators import OPERATORS
from pronghorn.onnx.importing.values import Dim, Size, Value

_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
)


def import_model(
    filepath: Any, input_shapes: Mapping[str, Any] | None = None, name: str | None = None
) -> Any:
    """Returns the network of an ONNX file as a functional model that can be trained on.

    Convolutions, dense and recurrent layers, normalizations, embeddings and activations become
    layers of the library with their weights; other operators become functions of `ops`. The model
    takes and returns what the file says, images as `(batch, channels, height, width)`; inside,
    channels come last. Several outputs are returned as a list, in the file's order; the names of
    inputs and outputs are the file's, with `.` for `/`.

    Nothing in the file is run, and no other file is opened. What it declares is compared with what
    it holds before memory is taken: constants and weights take at most 5 times the bytes of the
    file and 64 MiB. float64 is computed in float32.

    Args:
        filepath: Path of the file.
        input_shapes: Shapes of inputs by name, where the file's open sizes are to be fixed, or its
            fixed ones opened (None).
        name: Name of the model; by default that of the graph.

    Raises:
        ImportError: If the package onnx is missing.
        ValueError: If there is no such file, it is refused, or has an operator that is not taken;
            the message names the operator and the node.
    """
    path = str(os.fspath(filepath))
    if not os.path.isfile(path):
        raise ValueError(f"File not found: filepath={path}. Expected an `.onnx` file.")
    graph = read_graph(path)
    unknown = refused_operators(graph)
    if unknown:
        raise ValueError(f"'{path}': {unknown[0]}")
    try:
        with AllocationLimit(graph.size, f"'{path}'"), DeferredValues():
            return _build(graph, dict(input_shapes or {}), name)
    except ValueError as error:
        text = str(error)
        raise ValueError(text if text.startswith(f"'{path}'") else f"'{path}': {text}") from error


def refused_operators(graph: OnnxGraph) -> list[str]:
    """Returns for each operator of a graph that is not taken, why."""
    found: dict[str, str] = {}
    for node in graph.nodes:
        known = node.operator in OPERATORS or node.operator in CONSTANT_OPERATORS
        if not known and node.operator not in found:
            found[node.operator] = f"{node} is not taken."
    return list(found.values())


def _build(graph: OnnxGraph, shapes: dict[str, Any], name: str | None) -> Any:
    from pronghorn.models import Model

    builder = Builder(graph)
    unknown = set(shapes) - {port.name for port in graph.inputs}
    if unknown:
        raise ValueError(
            f"input_shapes: expected names of inputs, {[p.name for p in graph.inputs]}. "
            f"Received: {sorted(unknown)}."
        )
    inputs = [_input(builder, port, shapes.get(port.name)) for port in graph.inputs]
    if not inputs:
        raise ValueError("expected a graph with an input. Received: constants only.")
    for node in graph.nodes:
        _compute(builder, node)
        builder.values.forget(node)
    outputs = [_output(builder, port) for port in graph.outputs]
    _name_outputs(builder, graph, outputs)
    model_name = (name or graph.name or "model").replace("/", ".")
    return Model(
        inputs=inputs[0] if len(inputs) == 1 else inputs,
        outputs=outputs[0] if len(outputs) == 1 else outputs,
        name=model_name,
    )


def _input(builder: Builder, port: Port, given: Any) -> Any:
    assert port.shape is not None
    declared: list[Any] = list(port.shape)
    if given is not None:
        if len(given) != len(declared) or any(
            d is not None and (not isinstance(d, int) or d < 1) for d in given
        ):
            raise ValueError(
                f"input_shapes: expected {len(declared)} sizes (or None) for '{port.name}'. "
                f"Received: {given!r:.100}."
            )
        fixed: list[Any] = []
        for size, new in zip(declared, given):
            fixed.append(size if new is None and not isinstance(size, int) else new)
        declared = fixed
    dims: list[Size] = [
        size if isinstance(size, int) else Dim((size,)) if size else builder.fresh_dim()
        for size in declared
    ]
    shape = tuple(d if isinstance(d, int) else None for d in dims)
    tensor = layers.Input(
        batch_shape=shape,
        dtype=model_dtype(port.dtype),
        name=builder.unique_name(port.name),
    )
    value = builder.result(tensor, dims)
    builder.values[port.name] = value
    if builder.first_input is None:
        builder.first_input = value
    return tensor


def _compute(builder: Builder, node: Node) -> None:
    done = builder.done.get(node)
    taken = done is not None
    builder.current = node
    try:
        if done is None:
            done = fold(builder, node)
        if done is None and node.operator not in OPERATORS:
            raise ValueError("is not taken where it depends on the inputs.")
        if done is None:
            found = OPERATORS[node.operator](builder, node)
            done = found if isinstance(found, list) else [found]
    except _ERRORS as error:
        text = str(error)
        if text.startswith(f"ONNX operator {node.operator} "):
            raise ValueError(text) from error
        separator = " " if text.startswith(("is ", "with ", "along ", "needs ")) else ": "
        raise ValueError(f"{node}{separator}{text}") from error
    for i, name in enumerate(node.outputs):
        if not name:
            continue
        value: Value | None = done[i] if i < len(done) else None
        if value is None:
            if taken:  # what reads it is computed already
                continue
            if name in builder.readers or name in builder.output_names:
                raise node.refused(f"is not taken with its output {i} ('{name[:100]}').")
            continue
        builder.values[name] = value


def _output(builder: Builder, port: Port) -> Any:
    value = builder.values[port.name]
    builder.current = Node("Identity", "", [], [port.name], {})
    return builder.plain(value)


def _name_outputs(builder: Builder, graph: OnnxGraph, outputs: list[Any]) -> None:
    """Gives the operations that make the outputs the names of the file."""
    makers: set[int] = set()
    for i, port in enumerate(graph.outputs):
        operation = outputs[i]._keras_history.operation
        wanted = port.name.replace("/", ".").strip(".")
        if (
            isinstance(operation, InputLayer)
            or id(operation) in makers
            or len(operation._inbound_nodes[0].outputs) > 1
            or (operation.name != wanted and getattr(operation, "variables", None))
        ):
            identity = layers.Identity()
            outputs[i] = identity(outputs[i])
            operation = identity
        if operation.name != wanted:
            builder.rename(operation, wanted)
        makers.add(id(operation))
