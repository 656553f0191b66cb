"""The graph between the inputs and outputs of a functional model, in an order to compute it in.

`map_graph` finds the nodes and gives each a depth (steps to the outputs); `clone_graph` records the
same calls again from new inputs.
"""

from __future__ import annotations

import collections
from typing import Any

from pronghorn import tree
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.ops.node import Node


class Graph:
    """Nodes and operations between inputs and outputs.

    Args:
        nodes_by_depth: Nodes by depth, deepest (inputs) first.
        operations: Operations, those of the deepest node first.
        operations_by_depth: Operations by depth.
    """

    def __init__(
        self,
        nodes_by_depth: dict[int, list[Node]],
        operations: list[Any],
        operations_by_depth: dict[int, list[Any]],
    ) -> None:
        self.nodes_by_depth = nodes_by_depth
        self.operations = operations
        self.operations_by_depth = operations_by_depth
        self.node_ids = {id(n) for nodes in nodes_by_depth.values() for n in nodes}


def node_of(tensor: KerasTensor) -> Node:
    """Returns the node that `tensor` is an output of."""
    history = tensor._keras_history
    node: Node = history.operation._inbound_nodes[history.node_index]
    return node


def _nodes_after_inputs(
    inputs: list[KerasTensor], outputs: list[KerasTensor]
) -> tuple[list[Node], dict[int, int]]:
    """Returns the nodes in an order to compute them in, and the order that operations were met in.

    Depth first from the outputs, with a stack of its own: graphs may be deeper than Python's.
    """
    input_ids = {id(x) for x in inputs}
    order: list[Node] = []
    finished: set[int] = set()
    in_progress: set[int] = set()
    met: dict[int, int] = {}
    for output in outputs:
        stack: list[tuple[KerasTensor, bool]] = [(output, False)]
        while stack:
            tensor, inputs_done = stack.pop()
            if not hasattr(tensor, "_keras_history"):
                continue
            node = node_of(tensor)
            if inputs_done:
                in_progress.discard(id(node))
                if id(node) not in finished:
                    finished.add(id(node))
                    order.append(node)
                continue
            if id(node) in finished:
                continue
            if id(node) in in_progress:
                raise ValueError(
                    f"Tensor {tensor} from operation '{node.operation.name}' is part of a cycle."
                )
            in_progress.add(id(node))
            met.setdefault(id(node.operation), len(met))
            stack.append((tensor, True))
            if not node.is_input and id(tensor) not in input_ids:
                # The stack is last in, first out: the first input is visited first.
                for x in reversed(node.input_tensors):
                    if hasattr(x, "_keras_history") and id(node_of(x)) not in finished:
                        if id(node_of(x)) in in_progress:
                            continue
                        stack.append((x, False))
    return order, met


def get_source_inputs(tensor: KerasTensor) -> list[KerasTensor]:
    """Returns the inputs that a KerasTensor is computed from.

    Args:
        tensor: KerasTensor made by layers or functions of `pronghorn.ops`.

    Returns:
        The KerasTensors that `Input` made, in the order in which they are met.

    Example:

    >>> import pronghorn as keras
    >>> x = keras.Input((2,))
    >>> keras.utils.get_source_inputs(x * 2.0)[0] is x
    True
    """
    if not hasattr(tensor, "_keras_history"):
        return [tensor]
    order, _ = _nodes_after_inputs([], [tensor])
    return [x for node in order if node.is_input for x in node.outputs]


def map_graph(
    inputs: list[KerasTensor], outputs: list[KerasTensor], outputs_struct: Any = None
) -> Graph:
    """Returns the graph that computes `outputs` from `inputs`.

    Args:
        inputs: KerasTensors where the graph begins.
        outputs: KerasTensors that depend on nothing but them.
        outputs_struct: The structure that the outputs are in, for errors.

    Raises:
        ValueError: An output depends on something else, or names are used twice.
    """
    order, met = _nodes_after_inputs(inputs, outputs)
    node_depth: dict[int, int] = {}
    operation_depth: dict[int, int] = {}
    nodes: dict[int, Node] = {}
    operations_by_id: dict[int, Any] = {}
    # What makes an intermediate tensor that is an input is not of the graph.
    beyond = {
        id(node_of(x)) for x in inputs if hasattr(x, "_keras_history") and not node_of(x).is_input
    }
    order = [node for node in order if id(node) not in beyond]
    for node in reversed(order):
        depth = max(node_depth.get(id(node), 0), operation_depth.get(id(node.operation), 0))
        nodes.setdefault(id(node), node)
        node_depth[id(node)] = depth
        operation_depth[id(node.operation)] = depth
        operations_by_id.setdefault(id(node.operation), node.operation)
        for parent in node.parent_nodes:
            nodes.setdefault(id(parent), parent)
            node_depth[id(parent)] = max(depth + 1, node_depth.get(id(parent), 0))
    kept = {id(node) for node in order}
    for x in inputs:
        if not hasattr(x, "_keras_history"):
            continue
        node = node_of(x)
        if id(node.operation) not in operation_depth and id(node) not in beyond:
            operation_depth[id(node.operation)] = 0
            operations_by_id[id(node.operation)] = node.operation
            met[id(node.operation)] = -1
            node_depth[id(node)] = 0
            nodes[id(node)] = node
            kept.add(id(node))
    nodes_by_depth: dict[int, list[Node]] = collections.defaultdict(list)
    for key, node in nodes.items():
        if key in kept:
            nodes_by_depth[node_depth[key]].append(node)
    operations_by_depth: dict[int, list[Any]] = collections.defaultdict(list)
    for key, depth in operation_depth.items():
        operations_by_depth[depth].append(operations_by_id[key])
    operations: list[Any] = []
    for depth in sorted(operations_by_depth, reverse=True):
        operations_by_depth[depth].sort(key=lambda operation: met[id(operation)])
        operations.extend(operations_by_depth[depth])
    ordered = {depth: nodes_by_depth[depth] for depth in sorted(nodes_by_depth, reverse=True)}
    _check_connected(inputs, outputs if outputs_struct is None else outputs_struct, ordered)
    _check_names(operations)
    return Graph(ordered, operations, dict(operations_by_depth))


def _check_connected(
    inputs: list[KerasTensor], outputs: Any, nodes_by_depth: dict[int, list[Node]]
) -> None:
    computable = {id(x) for x in inputs}
    connected = set(computable)
    ordered = [node for nodes in nodes_by_depth.values() for node in nodes]
    for node in ordered:
        if any(id(x) in connected for x in node.input_tensors):
            connected.update(id(x) for x in node.outputs)
    for path, x in tree.flatten_with_path(outputs):
        if id(x) not in connected:
            where = ".".join(str(p) for p in path)
            raise ValueError(f"Output with path `{where}` is not connected to `inputs`")
    done: list[str] = []
    for node in ordered:
        if all(id(x) in computable for x in node.outputs):
            continue  # where the graph begins
        missing = [x for x in node.input_tensors if id(x) not in computable]
        if node.is_input:
            missing = node.outputs
        if missing:
            raise ValueError(
                f"Graph disconnected: cannot find parent for tensor {missing[0]} at operation "
                f"{node.operation}. The following previous operations were accessed without "
                f"issue: {done}"
            )
        computable.update(id(x) for x in node.outputs)
        done.append(node.operation.name)


def _check_names(operations: list[Any]) -> None:
    counts = collections.Counter(operation.name for operation in operations)
    for name, count in counts.items():
        if count != 1:
            raise ValueError(
                f'The name "{name}" is used {count} times in the model. All operation names '
                "should be unique."
            )


def clone_graph(
    inputs: list[KerasTensor], outputs: list[KerasTensor]
) -> tuple[dict[int, KerasTensor], dict[int, KerasTensor]]:
    """Records the graph's calls again, from new inputs where `inputs` are no `Input`s.

    Args:
        inputs: KerasTensors where the graph begins.
        outputs: KerasTensors where it ends.

    Returns:
        The new input by `id` of the old one, and the new tensor by `id` of every old one.
    """
    from pronghorn.layers.core.input_layer import InputLayer

    order, _ = _nodes_after_inputs(inputs, outputs)
    cloned: dict[int, KerasTensor] = {}
    for x in inputs:
        if hasattr(x, "_keras_history") and isinstance(x._keras_history.operation, InputLayer):
            cloned[id(x)] = x
            continue
        new = KerasTensor(x.shape, x.dtype, name=f"{x.name}CLONE")
        InputLayer(batch_shape=x.shape, dtype=x.dtype, input_tensor=new, name=new.name)
        cloned[id(x)] = new
    new_inputs = dict(cloned)
    for node in order:
        if node.is_input or all(id(x) in cloned for x in node.outputs):
            for x in node.outputs:
                cloned.setdefault(id(x), x)
            continue
        values = {id(x): cloned.get(id(x), x) for x in node.input_tensors}
        args, kwargs = node.arguments.fill_in(values)
        new_outputs = [KerasTensor(x.shape, x.dtype) for x in node.outputs]
        Node(node.operation, call_args=args, call_kwargs=kwargs, outputs=new_outputs)
        for old, new in zip(node.outputs, new_outputs):
            mask = getattr(old, "_keras_mask", None)
            if mask is not None:
                new._keras_mask = cloned.get(id(mask), mask)
            cloned.setdefault(id(old), new)
    return new_inputs, cloned


class _Place:
    """Stands for output `tensor` of node number `node` in a packed graph."""

    def __init__(self, node: int, tensor: int) -> None:
        self.node = node
        self.tensor = tensor


def pack_graph(graph: Graph, inputs: Any, outputs: Any) -> dict[str, Any]:
    """Returns the graph as flat lists, for copying: nodes refer to each other by number."""
    places: dict[int, _Place] = {}
    nodes = []
    for number, node in enumerate(n for nodes in graph.nodes_by_depth.values() for n in nodes):
        args, kwargs = node.arguments.args, node.arguments.kwargs
        packed = _map_tensors(lambda x: places[id(x)], (args, kwargs))
        specs = [(x.shape, x.dtype, x.name) for x in node.outputs]
        nodes.append((node.operation, packed, specs))
        for i, x in enumerate(node.outputs):
            places[id(x)] = _Place(number, i)
    return {
        "nodes": nodes,
        "inputs": _map_tensors(lambda x: places[id(x)], inputs),
        "outputs": _map_tensors(lambda x: places[id(x)], outputs),
    }


def unpack_graph(packed: dict[str, Any]) -> tuple[Any, Any]:
    """Records the nodes of a packed graph. Returns its inputs and outputs."""
    made: list[Node] = []

    def tensor_at(place: _Place) -> KerasTensor:
        found: KerasTensor = made[place.node].outputs[place.tensor]
        return found

    for operation, arguments, specs in packed["nodes"]:
        args, kwargs = _map_places(tensor_at, arguments)
        outputs = [KerasTensor(shape, dtype, name=name) for shape, dtype, name in specs]
        made.append(Node(operation, call_args=args, call_kwargs=kwargs, outputs=outputs))
    return _map_places(tensor_at, packed["inputs"]), _map_places(tensor_at, packed["outputs"])


def _map_tensors(fn: Any, structure: Any) -> Any:
    return tree.map_structure(lambda x: fn(x) if isinstance(x, KerasTensor) else x, structure)


def _map_places(fn: Any, structure: Any) -> Any:
    return tree.map_structure(lambda x: fn(x) if isinstance(x, _Place) else x, structure)
