"""Node: one call of an operation in a functional graph, between KerasTensors."""

from __future__ import annotations

from typing import Any

from pronghorn import tree
from pronghorn.ops.keras_tensor import KerasHistory, KerasTensor


class CallArguments:
    """The arguments of one call, and where the KerasTensors are among them.

    Args:
        args: Positional arguments, nested structures of anything.
        kwargs: Keyword arguments.
    """

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args = _copy_containers(args)
        self.kwargs = _copy_containers(kwargs)
        self.keras_tensors: list[KerasTensor] = [
            x for x in tree.flatten((args, kwargs)) if isinstance(x, KerasTensor)
        ]
        # Most layers are called on one tensor: no structure has to be rebuilt to call them again.
        self.single = (
            self.keras_tensors[0]
            if len(self.keras_tensors) == 1 and len(args) == 1 and args[0] is self.keras_tensors[0]
            else None
        )

    def fill_in(self, values: dict[int, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Returns args and kwargs with every KerasTensor `t` replaced by `values[id(t)]`."""
        if self.single is not None:
            return (values[id(self.single)],), dict(self.kwargs)

        def value_of(x: Any) -> Any:
            return values[id(x)] if isinstance(x, KerasTensor) else x

        args, kwargs = _map_leaves(value_of, (self.args, self.kwargs))
        return args, kwargs


def _copy_containers(structure: Any) -> Any:
    return _map_leaves(lambda x: x, structure)


def _map_leaves(fn: Any, x: Any) -> Any:
    cls = type(x)
    if cls is tuple:
        return tuple([_map_leaves(fn, e) for e in x])
    if cls is list:
        return [_map_leaves(fn, e) for e in x]
    if cls is dict:
        return {k: _map_leaves(fn, v) for k, v in x.items()}
    if isinstance(x, (list, tuple, dict)):
        return tree.map_structure(fn, x)
    return fn(x)


class Node:
    """Connects the KerasTensors that an operation was called on with those it returned.

    The operation gets the node appended to `_inbound_nodes`; the operations that made the inputs,
    to `_outbound_nodes`; each output gets its `_keras_history`.

    Args:
        operation: The operation that was called.
        call_args: Positional arguments of the call.
        call_kwargs: Keyword arguments of the call.
        outputs: Structure of KerasTensors that the call returned.
    """

    def __init__(
        self,
        operation: Any,
        call_args: tuple[Any, ...] = (),
        call_kwargs: dict[str, Any] | None = None,
        outputs: Any = None,
    ) -> None:
        self.operation = operation
        self.arguments = CallArguments(call_args, call_kwargs or {})
        self.outputs = [] if outputs is None else tree.flatten(outputs)
        for x in self.outputs:
            if not isinstance(x, KerasTensor):
                raise ValueError(
                    f"All operation outputs must be tensors. Operation {operation} returned a "
                    f"non-tensor. Non-tensor received: {x}"
                )
        self.parent_nodes: list[Node] = []
        index = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for tensor in self.input_tensors:
            history = getattr(tensor, "_keras_history", None)
            if history is not None:  # else the graph begins here
                self.parent_nodes.append(history.operation._inbound_nodes[history.node_index])
                history.operation._outbound_nodes.append(self)
        if all(x.record_history for x in self.input_tensors):
            for i, tensor in enumerate(self.outputs):
                tensor._keras_history = KerasHistory(operation, index, i)

    def __repr__(self) -> str:
        return f"<Node operation={self.operation.name}, id={id(self)}>"

    @property
    def input_tensors(self) -> list[KerasTensor]:
        """The KerasTensors among the arguments, in order."""
        return self.arguments.keras_tensors

    @property
    def output_tensors(self) -> list[KerasTensor]:
        """The KerasTensors that the call returned, in order."""
        return self.outputs

    @property
    def is_input(self) -> bool:
        """Whether the node stands for an input of the graph."""
        return not self.arguments.keras_tensors
