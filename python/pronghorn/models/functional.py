"""Functional: a model made of the graph between KerasTensors."""

from __future__ import annotations

import warnings
from typing import Any

from pronghorn import tree
from pronghorn.layers.core.input_layer import InputLayer
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.models.compiled_calls import CompiledCallsMixin
from pronghorn.models.function import GraphRunner, flatten_shapes, output_spec_of
from pronghorn.models.graph import Graph, clone_graph, map_graph, pack_graph, unpack_graph
from pronghorn.models.model import Model
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.tensor import Tensor, convert_to_tensor

_SEQUENCES = (list, tuple)


class Functional(CompiledCallsMixin, Model):
    """The model that `Model(inputs, outputs)` returns.

    Args:
        inputs: KerasTensor or structure of KerasTensors.
        outputs: KerasTensor or structure of KerasTensors computed from `inputs`.
        name: Name.
    """

    _graph: Graph
    _inputs: list[KerasTensor]
    _inputs_struct: Any
    _outputs: list[KerasTensor]
    _outputs_struct: Any
    _runner: GraphRunner

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        trainable = kwargs.pop("trainable", None)
        Layer.__init__(self, name=name, **kwargs)
        flat_inputs = _checked_inputs(inputs)
        flat_outputs = _checked_outputs(outputs)
        if not all(_is_input(x) for x in flat_inputs):
            new_inputs, cloned = clone_graph(flat_inputs, flat_outputs)
            inputs = tree.map_structure(lambda x: new_inputs[id(x)], inputs)
            outputs = tree.map_structure(lambda x: cloned[id(x)], outputs)
            flat_inputs, flat_outputs = tree.flatten(inputs), tree.flatten(outputs)
        graph = map_graph(flat_inputs, flat_outputs, outputs)
        self._set_graph(graph, inputs, outputs)
        self._allow_non_tensor_positional_args = True
        self._convert_input_args = False
        layers = [operation for operation in graph.operations if isinstance(operation, Layer)]
        self._tracker.replace_in_store("layers", layers)
        self.built = True
        self.supports_masking = True
        if trainable is not None:
            self.trainable = trainable
        self._post_build()

    def _set_graph(self, graph: Graph, inputs: Any, outputs: Any) -> None:
        # Past `__setattr__`: the containers must stay as given, and the graph is no state.
        flat_inputs, flat_outputs = tree.flatten(inputs), tree.flatten(outputs)
        self.__dict__.update(
            _inputs_struct=inputs,
            _outputs_struct=outputs,
            _inputs=flat_inputs,
            _outputs=flat_outputs,
            _graph=graph,
            _runner=GraphRunner(graph, flat_inputs, outputs),
        )

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        for key in _GRAPH_ATTRIBUTES:
            state.pop(key, None)
        return {"state": state, "graph": pack_graph(self._graph, self.input, self.output)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state["state"])
        inputs, outputs = unpack_graph(state["graph"])
        self._set_graph(map_graph(tree.flatten(inputs), tree.flatten(outputs)), inputs, outputs)

    def build(self, input_shape: Any = None) -> None:
        self.built = True

    def _lock_state(self) -> None:
        """Sublayers may be assigned to attributes of the model: nothing is locked."""

    @property
    def operations(self) -> list[Any]:
        """The operations of the graph, inputs first."""
        return self._graph.operations[:]

    @property
    def _operations(self) -> list[Any]:
        return self._graph.operations

    @property
    def _nodes_by_depth(self) -> dict[int, list[Any]]:
        return self._graph.nodes_by_depth

    @property
    def layers(self) -> list[Layer]:
        """The layers of the graph, inputs first."""
        return [x for x in self._graph.operations if isinstance(x, Layer)]

    @layers.setter
    def layers(self, value: Any) -> None:
        raise AttributeError(
            "`Model.layers` attribute is reserved and should not be used. Please use another name."
        )

    # Inputs and outputs.

    @property
    def input(self) -> Any:
        """The input KerasTensors in the structure that was given."""
        return self._inputs_struct

    @property
    def output(self) -> Any:
        """The output KerasTensors in the structure that was given."""
        return self._outputs_struct

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input KerasTensors as a list."""
        return self._inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output KerasTensors as a list."""
        return self._outputs

    @property
    def input_shape(self) -> Any:
        """Shape of the input, or the list of the inputs' shapes."""
        shapes = [x.shape for x in self._inputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self) -> Any:
        """Shape of the output, or the list of the outputs' shapes."""
        shapes = [x.shape for x in self._outputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def input_dtype(self) -> Any:
        """Dtype of the input, or the structure of the inputs' dtypes."""
        return tree.map_structure(lambda x: x.dtype, self._inputs_struct)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs in order."""
        return [x._keras_history.operation.name for x in self._inputs]

    @property
    def output_names(self) -> list[str]:
        """Names of the operations that make the outputs, in order."""
        return [x._keras_history.operation.name for x in self._outputs]

    @property
    def input_spec(self) -> Any:
        """What the inputs must be."""
        if "_manual_input_spec" in self.__dict__:
            return self.__dict__["_manual_input_spec"]
        struct = self._inputs_struct
        if isinstance(struct, dict) and not any(tree.is_nested(v) for v in struct.values()):
            return [_spec_of(struct[name], name) for name in sorted(struct)]
        return [_spec_of(x, name) for x, name in zip(self._inputs, self.input_names)]

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        if value is not None:
            self.__dict__["_manual_input_spec"] = value

    # Calls.

    def _assert_input_compatibility(self, x: Any) -> None:
        # `call` names the inputs and adds or removes a last dimension of 1 before it complains.
        if "_manual_input_spec" in self.__dict__:
            super()._assert_input_compatibility(x)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Computes the outputs.

        Args:
            inputs: Tensors in the structure of the model's inputs, or as a list in its order.
            training: Whether layers behave as in training.
            mask: Masks, in the structure of the inputs.
        """
        values = self._standardize_inputs(inputs)
        if mask is not None:
            for x, m in zip(values, tree.flatten(mask)):
                if m is not None:
                    x._keras_mask = m
        outputs = self._runner.run(values, training=training)
        if isinstance(outputs, (list, tuple)) and len(outputs) == 1:
            return outputs[0]  # as Keras: a list of one output gives that output
        return outputs

    def compute_output_spec(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        values = self._standardize_inputs(inputs)
        if all(a is None or a.shape == b.shape for a, b in zip(values, self._inputs)):
            return tree.map_structure(lambda x: KerasTensor(x.shape, x.dtype), self._outputs_struct)
        return self._runner.run(values, call=output_spec_of)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shapes of the outputs for the shapes of the inputs."""
        shapes = flatten_shapes(input_shape)
        specs = [KerasTensor(s, x.dtype) for s, x in zip(shapes, self._inputs)]
        outputs = self._runner.run(specs, call=output_spec_of)
        return tree.map_structure(lambda x: tuple(x.shape), outputs)

    def _standardize_inputs(self, inputs: Any) -> list[Any]:
        flat = self._flatten_inputs(inputs)
        return [self._standardize(i, x) for i, x in enumerate(flat)]

    def _flatten_inputs(self, inputs: Any) -> list[Any]:
        struct = self._inputs_struct
        if isinstance(inputs, Tensor) and isinstance(struct, KerasTensor):
            return [inputs]
        if isinstance(struct, dict) and not isinstance(inputs, dict):
            flat = tree.flatten(inputs)
            if not isinstance(inputs, (list, tuple)):
                names = list(struct)
                example = ", ".join(f"{name!r}: ..." for name in names)
                raise ValueError(
                    f'Layer "{self.name}" expects {len(names)} named input(s) with keys {names}, '
                    f"but it received {len(flat)} input tensors. Pass inputs as a dict, e.g. "
                    f"`layer({{{example}}})`."
                )
            if list(struct) != sorted(struct):
                # Whose order a list would be in is anybody's guess.
                raise ValueError(self._structure_message(inputs))
            self._warn_structure(inputs)
            return flat
        if isinstance(inputs, dict):
            if isinstance(struct, dict):
                keys = list(struct)
                if len(inputs) > len(keys):
                    self._warn_structure(inputs)
                found: Any = {}
                for key in keys:
                    if key not in inputs:
                        if _is_optional(struct[key]):
                            found[key] = None
                            continue
                        raise _missing(key, inputs, keys)
                    found[key] = inputs[key]
                return tree.flatten(found)
            # A dict by the names of the inputs, for a list of inputs.
            names = self.input_names
            flat = []
            for name in names:
                if name not in inputs:
                    raise _missing(name, inputs, names)
                flat.append(inputs[name])
            return flat
        flat = [inputs] if inputs is None else tree.flatten(inputs)
        if len(flat) != len(self._inputs):
            if len(self._inputs) == 1 and _is_numbers(inputs):
                return [inputs]  # a nested list of numbers is an array
            raise ValueError(
                f'Layer "{self.name}" expects {len(self._inputs)} input(s), but it received '
                f"{len(flat)} input tensors. Inputs received: {_shapes(inputs)}"
            )
        if tree.is_nested(inputs) != tree.is_nested(struct) and not (
            len(flat) == 1 and isinstance(inputs if tree.is_nested(inputs) else struct, _SEQUENCES)
        ):
            self._warn_structure(inputs)
        return flat

    def _warn_structure(self, inputs: Any) -> None:
        if not any(isinstance(x, KerasTensor) for x in tree.flatten(inputs)):
            warnings.warn(self._structure_message(inputs), stacklevel=6)

    def _structure_message(self, inputs: Any) -> str:
        return (
            "The structure of `inputs` doesn't match the expected structure.\n"
            f"Expected: {tree.map_structure(lambda x: x.name, self._inputs_struct)}\n"
            f"Received: inputs={tree.map_structure(_describe, inputs)}"
        )

    def _standardize(self, index: int, x: Any) -> Any:
        reference = self._inputs[index]
        if x is None:
            if not _is_optional(reference):
                raise ValueError(
                    f"Functional '{self.name}': input {index} with name "
                    f"'{self.input_names[index]}' is not optional. Received: None."
                )
            return None
        if isinstance(x, KerasTensor):
            if x.dtype != reference.dtype:
                x = _cast(x, reference.dtype)
        elif not isinstance(x, Tensor) or x.dtype != reference.dtype:
            mask = getattr(x, "_keras_mask", None)
            x = convert_to_tensor(x, reference.dtype)
            if mask is not None:
                x._keras_mask = mask
        shape, expected = tuple(x.shape), reference.shape
        if len(shape) != len(expected):
            return self._adjust_rank(index, x, expected)
        for found, wanted in zip(shape[1:], expected[1:]):
            if wanted is not None and found is not None and found != wanted:
                raise self._incompatible(index, shape)
        return x

    def _adjust_rank(self, index: int, x: Any, expected: tuple[int | None, ...]) -> Any:
        from pronghorn import ops

        shape = tuple(x.shape)
        if len(shape) == len(expected) + 1 and shape[-1] == 1:
            adjusted = ops.squeeze(x, axis=-1)
        elif len(shape) == len(expected) - 1 and expected[-1] == 1:
            adjusted = ops.expand_dims(x, axis=-1)
        else:
            raise self._incompatible(index, shape)
        mask = getattr(x, "_keras_mask", None)
        if mask is not None:
            adjusted._keras_mask = mask
        return self._standardize(index, adjusted)

    def _incompatible(self, index: int, shape: tuple[int | None, ...]) -> ValueError:
        expected = (None, *self._inputs[index].shape[1:])
        hint = ""
        if shape == expected[1:]:
            hint = " Add the axis of the batch: x[None]."
        elif len(shape) != len(expected):
            hint = f" Rank {len(expected)} is expected: add a Reshape."
        return ValueError(
            f"Model '{self.name}': input '{self.input_names[index]}' is incompatible with the "
            f"layer: expected shape {expected}. Received: shape={shape}.{hint}"
        )

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The masks of the outputs are set when they are computed."""
        return

    # Configs.

    def get_config(self) -> dict[str, Any]:
        from pronghorn.models.functional_config import functional_config
        from pronghorn.models.model import _takes_graph

        if not _takes_graph(type(self)):
            return Model.get_config(self)
        return functional_config(self)

    def get_build_config(self) -> dict[str, Any] | None:
        return None

    def build_from_config(self, config: dict[str, Any]) -> None:
        self.built = True


_GRAPH_ATTRIBUTES = (
    "_inputs_struct",
    "_outputs_struct",
    "_inputs",
    "_outputs",
    "_graph",
    "_runner",
)


def _checked_inputs(inputs: Any) -> list[KerasTensor]:
    flat = tree.flatten(inputs)
    if not flat:
        raise ValueError(f"`inputs` argument cannot be empty. Received:\ninputs={inputs}")
    for x in flat:
        if not isinstance(x, KerasTensor):
            raise ValueError(
                f"All `inputs` values must be KerasTensors. Received: inputs={inputs} including "
                f"invalid value {x} of type {type(x)}"
            )
    return flat


def _checked_outputs(outputs: Any) -> list[KerasTensor]:
    flat = tree.flatten(outputs)
    if not flat:
        raise ValueError(f"`outputs` argument cannot be empty. Received:\noutputs={outputs}")
    for x in flat:
        if not isinstance(x, KerasTensor):
            raise ValueError(
                f"All `outputs` values must be KerasTensors. Received: outputs={outputs} including "
                f"invalid value {x} of type {type(x)}"
            )
    return flat


def _is_input(x: KerasTensor) -> bool:
    history = getattr(x, "_keras_history", None)
    return history is not None and isinstance(history.operation, InputLayer)


def _is_optional(x: Any) -> bool:
    return isinstance(x, KerasTensor) and _is_input(x) and x._keras_history.operation.optional


def _spec_of(x: KerasTensor, name: str | None) -> InputSpec:
    return InputSpec(
        shape=(None, *x.shape[1:]),
        allow_last_axis_squeeze=True,
        name=name,
        optional=_is_optional(x),
    )


def _missing(name: str, inputs: dict[str, Any], expected: list[str]) -> ValueError:
    return ValueError(
        f'Missing data for input "{name}". You passed a data dictionary with keys '
        f"{list(inputs.keys())}. Expected the following keys: {expected}"
    )


def _is_numbers(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and all(
        isinstance(leaf, (int, float)) for leaf in tree.flatten(x)
    )


def _shapes(x: Any) -> Any:
    return tree.map_structure(lambda t: tuple(t.shape) if hasattr(t, "shape") else t, x)


def _describe(x: Any) -> str:
    return f"Tensor(shape={tuple(x.shape)})" if hasattr(x, "shape") else repr(x)


def _cast(x: KerasTensor, dtype: str) -> Any:
    from pronghorn import ops

    return ops.cast(x, dtype)
