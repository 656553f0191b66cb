"""Emitter: makes layers and operations, and names them like the nodes of the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pronghorn import layers
from pronghorn.onnx.importing.file import Node, OnnxGraph
from pronghorn.onnx.importing.values import Size
from pronghorn.ops.keras_tensor import KerasTensor

# Layers with weights that do not turn images to channels last.
_KEEP_ORDER = (layers.Dense, layers.Embedding, layers.LayerNormalization, layers.RMSNormalization)


class Emitter:
    """Makes the operations of a model.

    Args:
        graph: The graph of the file.
    """

    def __init__(self, graph: OnnxGraph) -> None:
        self.graph = graph
        self.output_names = {port.name for port in graph.outputs}
        #: The node that is computed.
        self.current: Node | None = None
        self._names: set[str] = set()
        self._counts: dict[str, int] = {}
        self._operations: list[Any] = []
        self._reshaped: dict[int, tuple[KerasTensor, KerasTensor, tuple[Size, ...]]] = {}

    # Names.

    def unique_name(self, name: str) -> str:
        """Returns a name for an operation like `name` that no other one has."""
        base = name.replace("/", ".").strip(".") or "operation"
        found, count = base, self._counts.get(base, 0)
        while found in self._names:
            count += 1
            found = f"{base}_{count}"
        self._counts[base] = count
        self._names.add(found)
        return found

    def rename(self, operation: Any, name: str) -> None:
        """Gives an operation a name, which another one without weights gives up for it."""
        name = name.replace("/", ".").strip(".") or "output"
        self._names.discard(operation.name)
        for other in self._operations:
            if other.name == name and not getattr(other, "variables", None):
                other.name = self.unique_name(f"{name}_before")
                self._names.discard(name)
        operation.name = self.unique_name(name)

    def _node_name(self, suffix: str, is_plain: bool = True) -> str:
        node = self.current
        assert node is not None
        base = node.name or next(x for x in node.outputs if x)
        if len(node.outputs) == 1 and node.outputs[0] in self.output_names and not suffix:
            if is_plain:
                return node.outputs[0]
            # The Permute behind it gets the name of the output.
            suffix = "" if node.name else node.operator.lower()
        return f"{base}_{suffix}" if suffix else base

    # Layers and operations.

    def call(
        self,
        cls: Any,
        inputs: Any,
        *args: Any,
        weights: Sequence[np.ndarray] | None = None,
        suffix: str = "",
        base: str = "",
        call: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Makes a layer, calls it, and sets its weights.

        Args:
            cls: Class of the layer.
            inputs: What it is called on.
            *args: Arguments of its constructor.
            weights: Its weights in order.
            suffix: What the name has behind the node's.
            base: Name in place of the node's.
            call: Keyword arguments of the call.
            **kwargs: Keyword arguments of its constructor.

        Returns:
            What the call returns.
        """
        first = inputs[0] if isinstance(inputs, (list, tuple)) else inputs
        if first.dtype in ("float16", "bfloat16"):
            kwargs["dtype"] = first.dtype
        is_plain = len(first.shape) < 3 or cls in _KEEP_ORDER
        name = self.unique_name(base or self._node_name(suffix, is_plain))
        layer = cls(*args, name=name, **kwargs)
        outputs = layer(inputs, **(call or {}))
        self._operations.append(layer)
        if weights is not None:
            layer.set_weights([model_array(np.asarray(w)) for w in weights])
        return outputs

    def operation(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Calls a function of `ops` on tensors of the model, and names the operation.

        Args:
            function: The function.
            *args: Its arguments.
            **kwargs: Its keyword arguments, and `suffix`, which the name has behind the node's.
        """
        suffix = kwargs.pop("suffix", "")
        outputs = function(*args, **kwargs)
        first = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
        made = first._keras_history.operation
        made.name = self.unique_name(self._node_name(suffix))
        self._operations.append(made)
        return outputs

    # Reshaping, which is undone where it can be.

    def remember_tensor(
        self, tensor: KerasTensor, source: KerasTensor, dims: Sequence[Size]
    ) -> None:
        """Notes that `tensor` is `source`, of the shape `dims`, with other sizes."""
        first = self._reshaped.get(id(source))
        self._reshaped[id(tensor)] = (tensor, *(first[1:] if first else (source, tuple(dims))))

    def source_of(self, tensor: KerasTensor) -> tuple[KerasTensor, tuple[Size, ...] | None]:
        """Returns the tensor that `tensor` was reshaped from and its shape, or itself and None."""
        found = self._reshaped.get(id(tensor))
        return (tensor, None) if found is None else found[1:]


def model_dtype(name: str) -> str:
    """Returns the dtype in which the model computes what the file has in dtype `name`."""
    return "float32" if name == "float64" else name


def model_array(array: np.ndarray) -> np.ndarray:
    """Returns an array in a dtype that tensors have."""
    return array.astype(np.float32) if array.dtype == np.float64 else array
