"""Function: a graph of operations, from KerasTensors to KerasTensors, as one operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pronghorn import tree
from pronghorn.models.graph import Graph, map_graph
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.ops.node import CallArguments
from pronghorn.ops.operation import Operation


class GraphRunner:
    """Computes a graph's outputs for values of its inputs.

    Args:
        graph: The graph.
        inputs: Its input KerasTensors.
        outputs_struct: Structure of its output KerasTensors.
    """

    def __init__(self, graph: Graph, inputs: list[KerasTensor], outputs_struct: Any) -> None:
        self.inputs = inputs
        self.outputs_struct = outputs_struct
        input_ids = {id(x) for x in inputs}
        self.steps: list[tuple[Any, CallArguments, list[int], bool]] = []
        for nodes in graph.nodes_by_depth.values():
            for node in nodes:
                if node.is_input or all(id(x) in input_ids for x in node.outputs):
                    continue
                takes_training = getattr(node.operation, "_call_has_training_arg", False)
                output_ids = [id(x) for x in node.outputs]
                self.steps.append((node.operation, node.arguments, output_ids, takes_training))

    def run(
        self,
        values: list[Any],
        training: Any = None,
        call: Callable[..., Any] | None = None,
    ) -> Any:
        """Returns the outputs for the given values of the inputs.

        Args:
            values: One for each input; None for an optional input that is missing.
            training: In place of the value that the graph was made with, unless None.
            call: Called with the operation and its arguments in place of the operation.
        """
        known: dict[int, Any] = {id(x): v for x, v in zip(self.inputs, values)}
        for operation, arguments, output_ids, takes_training in self.steps:
            args, kwargs = arguments.fill_in(known)
            if takes_training and training is not None:
                kwargs["training"] = training
            result = (
                operation(*args, **kwargs) if call is None else call(operation, *args, **kwargs)
            )
            if len(output_ids) == 1:
                known[output_ids[0]] = _only(result)
            else:
                known.update(zip(output_ids, tree.flatten(result)))
        if isinstance(self.outputs_struct, KerasTensor):
            return known[id(self.outputs_struct)]
        return tree.map_structure(lambda x: known[id(x)], self.outputs_struct)


def _only(result: Any) -> Any:
    if isinstance(result, (list, tuple, dict)):
        return tree.flatten(result)[0]
    return result


class Function(Operation):
    """A graph of operations as one operation, without weights.

    Args:
        inputs: KerasTensor or structure of KerasTensors where the graph begins.
        outputs: KerasTensor or structure of KerasTensors that it computes.
        name: Name.

    Example:

    >>> import pronghorn as keras
    >>> x = keras.KerasTensor((2,))
    >>> f = keras.Function(x, x * 2.0 + 1.0)
    >>> f(keras.ops.convert_to_tensor([1.0, 2.0])).numpy()
    array([3., 5.], dtype=float32)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        self._inputs_struct = inputs
        self._outputs_struct = outputs
        self._inputs: list[KerasTensor] = tree.flatten(inputs)
        self._outputs: list[KerasTensor] = tree.flatten(outputs)
        if not self._inputs:
            raise ValueError(f"`inputs` argument cannot be empty. Received:\ninputs={inputs}")
        if not self._outputs:
            raise ValueError(f"`outputs` argument cannot be empty. Received:\noutputs={outputs}")
        self._graph = map_graph(self._inputs, self._outputs, outputs)
        self._runner = GraphRunner(self._graph, self._inputs, outputs)

    @property
    def operations(self) -> list[Any]:
        """The operations of the graph, inputs first."""
        return self._graph.operations[:]

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input KerasTensors as a list."""
        return self._inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output KerasTensors as a list."""
        return self._outputs

    def compute_output_spec(self, inputs: Any) -> Any:
        self._check_structure(inputs)
        flat = tree.flatten(inputs)
        if all(a.shape == b.shape for a, b in zip(flat, self._inputs)):
            return tree.map_structure(lambda x: KerasTensor(x.shape, x.dtype), self._outputs_struct)
        return self._runner.run(flat, call=output_spec_of)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shapes of the outputs for the shapes of the inputs."""
        shapes = flatten_shapes(input_shape)
        specs = [KerasTensor(s, x.dtype) for s, x in zip(shapes, self._inputs)]
        outputs = self._runner.run(specs, call=output_spec_of)
        return tree.map_structure(lambda x: x.shape, outputs)

    def call(self, inputs: Any) -> Any:
        """Computes the outputs."""
        self._check_structure(inputs)
        return self._runner.run(tree.flatten(inputs))

    def _check_structure(self, inputs: Any) -> None:
        try:
            tree.assert_same_structure(inputs, self._inputs_struct)
        except ValueError as e:
            raise ValueError(
                "Function was called with an invalid input structure. Expected input structure: "
                f"{self._inputs_struct}\nReceived input structure: {inputs}"
            ) from e
        for x, reference in zip(tree.flatten(inputs), self._inputs):
            shape, expected = tuple(x.shape), reference.shape
            if len(shape) != len(expected) or any(
                a is not None and b is not None and a != b for a, b in zip(shape, expected)
            ):
                raise ValueError(
                    f"{type(self).__name__} was passed incompatible inputs. For input "
                    f"'{reference.name}', expected shape {expected}, but received instead a "
                    f"tensor with shape {shape}."
                )


def output_spec_of(operation: Any, *args: Any, **kwargs: Any) -> Any:
    """Returns the operation's outputs as KerasTensors, nothing being recorded."""
    return operation.compute_output_spec(*args, **kwargs)


def flatten_shapes(shapes: Any) -> list[Any]:
    """Returns the shapes in a structure of shapes as a list of tuples."""
    found: list[Any] = []

    def visit(x: Any) -> None:
        if isinstance(x, dict):
            for key in sorted(x):
                visit(x[key])
        elif isinstance(x, (list, tuple)) and any(isinstance(e, (list, tuple, dict)) for e in x):
            for e in x:
                visit(e)
        else:
            found.append(tuple(x))

    visit(shapes)
    return found
