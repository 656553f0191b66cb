"""Configs of functional models, in the form that Keras gives them: layers with their nodes."""

from __future__ import annotations

from typing import Any

from pronghorn import tree
from pronghorn.models.operation_config import (
    call_arguments,
    is_operation_config,
    operation_config,
    operation_from_config,
    split_arguments,
)
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.ops.operation import FunctionOperation


def functional_config(model: Any) -> dict[str, Any]:
    """Returns the config of a functional model: what `functional_from_config` reads."""
    from pronghorn.saving import serialize_keras_object

    graph = model._graph
    # Nodes of other models on the same layer are left out; those left are numbered anew.
    places: dict[tuple[int, int], int] = {}
    for operation in graph.operations:
        kept = 0
        for index, node in enumerate(operation._inbound_nodes):
            if id(node) in graph.node_ids:
                places[id(operation), index] = kept
                kept += 1

    def place_of(x: KerasTensor) -> list[Any]:
        operation, node_index, tensor_index = x._keras_history
        return [operation.name, places[id(operation), node_index], tensor_index]

    def serialize_argument(x: Any) -> Any:
        if not isinstance(x, KerasTensor):
            return serialize_keras_object(x)
        return {
            "class_name": "__keras_tensor__",
            "config": {"shape": list(x.shape), "dtype": x.dtype, "keras_history": place_of(x)},
        }

    def describe_call(args: Any, kwargs: Any) -> dict[str, Any]:
        return {
            "args": [_map_argument(serialize_argument, x) for x in args],
            "kwargs": {k: _map_argument(serialize_argument, v) for k, v in kwargs.items()},
        }

    layers = []
    for operation in graph.operations:
        nodes = [
            node
            for node in operation._inbound_nodes
            if id(node) in graph.node_ids and not node.is_input
        ]
        calls = [(node.arguments.args, node.arguments.kwargs) for node in nodes]
        if isinstance(operation, FunctionOperation):
            # Each call of a function is an operation of its own.
            options, args, kwargs = split_arguments(operation, *calls[0])
            calls = [(args, kwargs)]
            config = operation_config(operation, options)
        else:
            config = dict(serialize_keras_object(operation))
        config["name"] = operation.name
        config["inbound_nodes"] = [describe_call(args, kwargs) for args, kwargs in calls]
        layers.append(config)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": tree.map_structure(place_of, model._inputs_struct),
        "output_layers": tree.map_structure(place_of, model._outputs_struct),
    }


def _map_argument(fn: Any, x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        items = [_map_argument(fn, e) for e in x]
        return tuple(items) if isinstance(x, tuple) else items
    if isinstance(x, dict):
        return {k: _map_argument(fn, v) for k, v in x.items()}
    return fn(x)


def functional_from_config(cls: Any, config: dict[str, Any], custom_objects: Any = None) -> Any:
    """Returns the functional model that `functional_config` described.

    Args:
        cls: Class of the model.
        config: The config.
        custom_objects: Classes and functions by name.
    """
    from pronghorn.saving import deserialize_keras_object

    operations: dict[str, Any] = {}
    todo: dict[str, list[Any]] = {}
    for data in config["layers"]:
        name = data.get("name") or data["config"]["name"]
        if is_operation_config(data):
            operation: Any = operation_from_config(data, custom_objects)
        elif "module" not in data:
            operation = _layer_of_old_config(data, custom_objects)
        else:
            operation = deserialize_keras_object(data, custom_objects=custom_objects)
        if not hasattr(operation, "_inbound_nodes"):
            raise TypeError(
                "Unexpected object from deserialization, expected a layer or operation, got a "
                f"{type(operation)}"
            )
        operations[name] = operation
        todo[name] = list(data.get("inbound_nodes", []))

    # Where a layer was an input, or was called on its own before, its nodes come first.
    offsets = {
        name: 0 if not nodes else len(operations[name]._inbound_nodes)
        for name, nodes in todo.items()
    }

    def find(place: Any) -> KerasTensor | None:
        name, node_index, tensor_index = place
        if name not in operations:
            raise ValueError(f"Functional.from_config: Missing node: {name}.")
        nodes = operations[name]._inbound_nodes
        index = node_index + offsets[name]
        return nodes[index].outputs[tensor_index] if index < len(nodes) else None

    while any(todo.values()):
        progressed = False
        for name, nodes in todo.items():
            while nodes:
                found = _read_node(nodes[0], find, custom_objects)
                if found is None:
                    break
                args, kwargs = found
                if isinstance(operations[name], FunctionOperation):
                    args, kwargs = call_arguments(operations[name], args, kwargs)
                operations[name](*args, **kwargs)
                nodes.pop(0)
                progressed = True
        if not progressed:
            left = [name for name, nodes in todo.items() if nodes]
            raise ValueError(
                "Functional.from_config: these layers depend on each other in a loop, or on nodes "
                f"that are missing: {left}."
            )

    def tensors(places: Any) -> Any:
        if _is_place(places):
            return find(places)
        if isinstance(places, dict):
            return {k: tensors(v) for k, v in places.items()}
        items = [tensors(p) for p in places]
        return tuple(items) if isinstance(places, tuple) else items

    inputs, outputs = tensors(config["input_layers"]), tensors(config["output_layers"])
    known = ("name", "trainable", "layers", "input_layers", "output_layers")
    extra = {k: v for k, v in config.items() if k not in known}
    if config.get("trainable") is False:  # True would thaw layers that are frozen one by one
        extra["trainable"] = False
    return cls(inputs=inputs, outputs=outputs, name=config.get("name"), **extra)


def _is_place(x: Any) -> bool:
    return (
        isinstance(x, (list, tuple))
        and len(x) == 3
        and isinstance(x[0], str)
        and isinstance(x[1], int)
        and isinstance(x[2], int)
    )


def _layer_of_old_config(data: dict[str, Any], custom_objects: Any) -> Any:
    """Reads a layer as files of Keras 2 describe it, without its module."""
    from pronghorn.saving import deserialize_keras_object

    return deserialize_keras_object(
        {**data, "module": "keras.layers", "registered_name": None}, custom_objects=custom_objects
    )


class _NotMade(Exception):
    """A node reads a tensor that is not made yet."""


def _read_node(node: Any, find: Any, custom_objects: Any) -> Any:
    """Returns `(args, kwargs)` of a call, or None while a tensor of it is not made yet."""
    try:
        if isinstance(node, dict):
            args = [_read_argument(x, find, custom_objects) for x in node["args"]]
            kwargs = {k: _read_argument(v, find, custom_objects) for k, v in node["kwargs"].items()}
            return args, kwargs
        return _read_old_node(node, find, custom_objects)
    except _NotMade:
        return None


def _read_argument(x: Any, find: Any, custom_objects: Any) -> Any:
    from pronghorn.saving import deserialize_keras_object

    if isinstance(x, (list, tuple)):
        return type(x)([_read_argument(e, find, custom_objects) for e in x])
    if not isinstance(x, dict):
        return x
    kind = x.get("class_name")
    if kind == "__keras_tensor__":
        found = find(x["config"]["keras_history"])
        if found is None:
            raise _NotMade
        return found
    if kind == "__tuple__":
        return tuple(_read_argument(e, find, custom_objects) for e in x["items"])
    if kind is not None and "config" in x:
        return deserialize_keras_object(x, custom_objects=custom_objects)
    return {k: _read_argument(v, find, custom_objects) for k, v in x.items()}


def _read_old_node(node: Any, find: Any, custom_objects: Any) -> Any:
    """Reads a node as Keras 2 wrote it: a list of `[layer, node, tensor, kwargs]`."""

    def read(value: Any) -> Any:
        if not _is_place(value):
            return _read_argument(value, find, custom_objects)
        if value[0] == "_CONSTANT_VALUE":
            return value[2]
        found = find(value)
        if found is None:
            raise _NotMade
        return found

    kwargs: dict[str, Any] = {}
    tensors = []
    if _is_place(node[:3]):
        node = [node]
    for entry in node:
        if len(entry) == 4:
            kwargs.update(entry[3])
        found = find(entry[:3])
        if found is None:
            raise _NotMade
        tensors.append(found)
    first = tensors[0] if len(tensors) == 1 else tensors
    return [first], {k: read(v) for k, v in kwargs.items()}
