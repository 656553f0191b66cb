"""Configs of functional models, in the form that Keras gives them: layers with their nodes."""

from __future__ import annotations

import functools
from typing import Any

from pronghorn import tree
from pronghorn.naming import to_snake_case
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.ops.operation import FunctionOperation, function_operation

# Where Keras keeps the classes behind functions of `ops`; all others are in `keras.src.ops.numpy`.
_KERAS_MODULES = {
    "nn": (
        "relu relu6 sigmoid sparse_sigmoid softplus softsign soft_shrink sparse_plus silu "
        "squareplus log_sigmoid leaky_relu hard_sigmoid hard_silu hard_tanh hard_shrink "
        "tanh_shrink elu selu celu gelu glu softmax log_softmax sparsemax threshold max_pool average_pool conv "
        "depthwise_conv separable_conv conv_transpose one_hot multi_hot binary_crossentropy "
        "categorical_crossentropy sparse_categorical_crossentropy moments batch_normalization "
        "layer_normalization rms_normalization normalize psnr dot_product_attention"
    ),
    "core": (
        "cast stop_gradient scatter scatter_update slice slice_update unstack while_loop fori_loop "
        "map scan associative_scan switch cond convert_to_tensor convert_to_numpy shape"
    ),
    "math": (
        "segment_sum segment_max top_k in_top_k logsumexp qr extract_sequences fft fft2 ifft2 rfft "
        "irfft stft istft rsqrt erf erfinv logdet"
    ),
    "linalg": "cholesky det eig eigh inv lu_factor norm solve solve_triangular svd lstsq",
}


@functools.cache
def _keras_module(function_name: str) -> str:
    for module, names in _KERAS_MODULES.items():
        if function_name in names.split():
            return f"keras.src.ops.{module}"
    return "keras.src.ops.numpy"


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

    layers = []
    for operation in graph.operations:
        if isinstance(operation, FunctionOperation):
            config = operation_config(operation)
        else:
            config = dict(serialize_keras_object(operation))
        config["name"] = operation.name
        config["inbound_nodes"] = [
            {
                "args": [_map_argument(serialize_argument, x) for x in node.arguments.args],
                "kwargs": {
                    k: _map_argument(serialize_argument, v)
                    for k, v in node.arguments.kwargs.items()
                },
            }
            for node in operation._inbound_nodes
            if id(node) in graph.node_ids and not node.is_input
        ]
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
        if isinstance(x, tuple):
            return {"class_name": "__tuple__", "items": items}
        return items
    if isinstance(x, dict):
        return {k: _map_argument(fn, v) for k, v in x.items()}
    return fn(x)


def operation_config(operation: FunctionOperation) -> dict[str, Any]:
    """Returns the config of a function of `ops` in a graph."""
    from pronghorn.saving import serialize_keras_object

    name = type(operation).function.__name__
    return {
        "module": _keras_module(name),
        "class_name": type(operation).__name__,
        "config": {k: serialize_keras_object(v) for k, v in operation.get_config().items()},
        "registered_name": type(operation).__name__,
    }


def is_operation_config(config: dict[str, Any]) -> bool:
    """Returns whether `config` describes a function of `ops` rather than a layer."""
    module = config.get("module") or ""
    return module.startswith(("keras.src.ops", "keras.ops", "pronghorn.ops"))


def operation_from_config(config: dict[str, Any], custom_objects: Any = None) -> FunctionOperation:
    """Returns the operation that `operation_config`, or Keras, described.

    Raises:
        ValueError: There is no such function in `pronghorn.ops`.
    """
    from pronghorn import ops
    from pronghorn.ops import symbolic
    from pronghorn.saving import deserialize_keras_object

    class_name = config["class_name"]
    name = to_snake_case(class_name)
    if name == "get_item":
        function: Any = symbolic._get_item
    else:
        function = getattr(ops, name, None) or _by_spelling(ops, class_name)
    if function is None:
        raise ValueError(f"pronghorn.ops: no function for the operation. Received: {class_name}.")
    function = getattr(function, "_op_function", function)
    arguments = {
        k: deserialize_keras_object(v, custom_objects=custom_objects)
        for k, v in config["config"].items()
        if v is not None or k == "name"
    }
    return function_operation(function)(**arguments)


def _by_spelling(ops: Any, class_name: str) -> Any:
    """Finds a function whose name differs from the class's only in underscores."""
    wanted = class_name.lower()
    for name in dir(ops):
        if name.replace("_", "") == wanted:
            return getattr(ops, name)
    return None


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
        if is_operation_config(data) and "call" not in (custom_objects or {}):
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
    trainable = config.get("trainable")
    known = ("name", "trainable", "layers", "input_layers", "output_layers")
    extra = {k: v for k, v in config.items() if k not in known}
    if trainable is not None:
        extra["trainable"] = trainable
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
    kwargs: dict[str, Any] = {}
    tensors = []
    for entry in node:
        if len(entry) == 4:
            kwargs.update(entry[3])
        found = find(entry[:3])
        if found is None:
            raise _NotMade
        tensors.append(found)
    first = tensors[0] if len(tensors) == 1 else tensors
    return [first], {k: _read_argument(v, find, custom_objects) for k, v in kwargs.items()}
