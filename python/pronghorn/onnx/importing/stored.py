"""The values of a graph by name; initializers are read when they are needed."""

from __future__ import annotations

from typing import Any

from pronghorn.onnx.importing.file import Node, OnnxGraph
from pronghorn.onnx.importing.values import Constant, Value


class Values(dict[str, Value]):
    """Values by name. Initializers are taken from the file when they are read, one at a time.

    Args:
        graph: The graph of the file.
    """

    def __init__(self, graph: OnnxGraph) -> None:
        super().__init__()
        self._graph = graph
        self._left: dict[str, int] = {}
        for node in graph.nodes:
            for name in node.inputs:
                self._left[name] = self._left.get(name, 0) + 1

    def __missing__(self, name: str) -> Value:
        if name not in self._graph.stored:
            raise KeyError(name)
        value = self[name] = Constant(self._graph.array(name), name, stored=True)
        return value

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self._graph.stored

    def get(self, name: str, default: Any = None) -> Any:
        """Returns a value, or `default` if there is none of that name."""
        try:
            return self[name]
        except KeyError:
            return default

    def forget(self, node: Node) -> None:
        """Drops the initializers that no node behind `node` reads."""
        for name in node.inputs:
            self._left[name] -= 1
            if not self._left[name] and name in self._graph.stored:
                self.pop(name, None)
