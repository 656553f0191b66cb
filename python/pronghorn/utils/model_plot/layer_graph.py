"""LayerGraph: the layers of a model as nodes and edges, models inside it as groups of nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class LayerNode:
    """A layer, or a group of the layers inside a model.

    `path`: names of the models around it and its own. `inner`: the graph inside a group.
    """

    layer: Any
    path: tuple[str, ...]
    inner: LayerGraph | None = None


@dataclass
class LayerGraph:
    """Nodes in the order of the model, and edges between them.

    An edge is `(source, target)`: pairs of nodes of this graph, each with the layer that the edge
    begins or ends at: the node itself, or one inside of it. `entries` and `exits`: the layers
    that take the inputs and give the outputs.
    """

    nodes: list[LayerNode] = field(default_factory=list)
    edges: list[tuple[End, End]] = field(default_factory=list)
    entries: list[LayerNode] = field(default_factory=list)
    exits: list[LayerNode] = field(default_factory=list)

    def flat_nodes(self) -> list[LayerNode]:
        """The layers, also those inside of groups."""
        found: list[LayerNode] = []
        for node in self.nodes:
            found += [node] if node.inner is None else node.inner.flat_nodes()
        return found

    def flat_edges(self) -> list[tuple[LayerNode, LayerNode]]:
        """Pairs of layers, also those inside of groups."""
        found = [(source.layer, target.layer) for source, target in self.edges]
        for node in self.nodes:
            if node.inner is not None:
                found += node.inner.flat_edges()
        return found


@dataclass(frozen=True)
class End:
    """One end of an edge: a node of the graph, and the layer in it that is meant."""

    node: LayerNode
    layer: LayerNode


def layer_graph(model: Any, expand_nested: bool = False, path: tuple[str, ...] = ()) -> LayerGraph:
    """Returns the graph of a model.

    A `Sequential` is a chain of its layers; a functional model has its inputs as nodes, too; a
    subclassed model is one node.

    Args:
        model: a built model.
        expand_nested: whether models inside it become groups.
        path: names of the models around it.

    Raises:
        ValueError: the model is not built.
    """
    from pronghorn.models.functional import Functional
    from pronghorn.models.sequential import Sequential

    if not model.built:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or by "
            f"calling the model on a batch of data. Received: {type(model).__name__} "
            f"'{model.name}'."
        )
    graph = LayerGraph()
    if isinstance(model, Functional):
        _add_functional(graph, model, expand_nested, path)
    elif isinstance(model, Sequential):
        for layer in model.layers:
            node = _add(graph, layer, expand_nested, path)
            if len(graph.nodes) > 1:
                _connect(graph, graph.nodes[-2], 0, node, 0)
        graph.entries = [_entry(graph.nodes[0], 0)]
        graph.exits = [_exit(graph.nodes[-1], 0)]
    else:
        node = _add(graph, model, False, path)
        graph.entries = graph.exits = [node]
    return graph


def _add_functional(
    graph: LayerGraph, model: Any, expand_nested: bool, path: tuple[str, ...]
) -> None:
    by_layer = {id(op): _add(graph, op, expand_nested, path) for op in model.operations}
    for calls in model._nodes_by_depth.values():
        for call in calls:
            target = by_layer[id(call.operation)]
            for number, tensor in enumerate(call.input_tensors):
                operation, _, index = tensor._keras_history
                _connect(graph, by_layer[id(operation)], index, target, number)
    graph.entries = [_entry(by_layer[id(x._keras_history.operation)], 0) for x in model.inputs]
    graph.exits = [
        _exit(by_layer[id(x._keras_history.operation)], x._keras_history.tensor_index)
        for x in model.outputs
    ]


def _add(graph: LayerGraph, layer: Any, expand_nested: bool, path: tuple[str, ...]) -> LayerNode:
    from pronghorn.models.functional import Functional
    from pronghorn.models.sequential import Sequential

    node = LayerNode(layer, (*path, layer.name))
    if expand_nested and isinstance(layer, (Functional, Sequential)) and layer.built:
        node.inner = layer_graph(layer, True, node.path)
    graph.nodes.append(node)
    return node


def _entry(node: LayerNode, number: int) -> LayerNode:
    if node.inner is None:
        return node
    return node.inner.entries[min(number, len(node.inner.entries) - 1)]


def _exit(node: LayerNode, number: int) -> LayerNode:
    if node.inner is None:
        return node
    return node.inner.exits[min(number, len(node.inner.exits) - 1)]


def _connect(
    graph: LayerGraph, source: LayerNode, index: int, target: LayerNode, number: int
) -> None:
    edge = (End(source, _exit(source, index)), End(target, _entry(target, number)))
    if edge not in graph.edges:
        graph.edges.append(edge)
