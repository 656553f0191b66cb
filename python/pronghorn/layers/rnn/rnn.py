"""RNN: runs a cell over the steps of a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import ops, tree
from pronghorn.layers.arguments import owner_name, truth
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer.tracking import no_tracking
from pronghorn.layers.rnn.dropout_masks import DropoutMasks
from pronghorn.layers.rnn.gated_cell import GatedCell
from pronghorn.layers.rnn.stacked_rnn_cells import StackedRNNCells
from pronghorn.variable import Variable


class RNN(Layer):
    """Recurrent layer of any cell: the steps of a sequence are unrolled in the compiled program.

    Args:
        cell: A cell, or a list of cells, which are stacked. A cell has `state_size` (an int, or a
            list of ints or of lists) and `call(inputs, states) -> (output, states)`, and may have
            `output_size` and `get_initial_state(batch_size)`.
        return_sequences: Whether to return the outputs of all steps, not the last one's.
        return_state: Whether to return the last state too.
        go_backwards: Whether to process the sequence from its end; the outputs are in the order of
            processing.
        stateful: Whether a batch starts from the last state of the batch before it.
        unroll: Accepted for Keras's sake: the program is the same.
        zero_output_for_mask: Whether the output of a masked step is 0, not that of the step before.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        sequences: `(batch, time, ...)`.
        initial_state: List of the states to start from; zeros by default.
        mask: `(batch, time)`, true for the steps that count: others leave the state as it is.
        training: Passed to the cell.

    Output shape:
        `(batch, units)`; with `return_sequences` `(batch, time, units)`; with `return_state` a
        list of that and of the states.

    Raises:
        ValueError: If the cell lacks `call` or `state_size`, or an input does not fit.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> class Sum(keras.layers.Layer):
    ...     state_size = 3
    ...     def call(self, inputs, states):
    ...         output = inputs + states[0]
    ...         return output, [output]
    >>> keras.layers.RNN(Sum())(np.ones((1, 4, 3))).numpy().tolist()
    [[4.0, 4.0, 4.0]]
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        if "call" not in dir(cell):
            raise ValueError(
                f"RNN: Argument `cell` should have a `call` method. Received: cell={cell}."
            )
        if "state_size" not in dir(cell):
            raise ValueError(
                "RNN: The RNN cell should have a `state_size` attribute (single integer or list of "
                f"integers, one integer per RNN state). Received: cell={cell}."
            )
        super().__init__(**kwargs)
        self.zero_output_for_mask = truth(self, "zero_output_for_mask", zero_output_for_mask)
        self.cell = cell
        self.return_sequences = truth(self, "return_sequences", return_sequences)
        self.return_state = truth(self, "return_state", return_state)
        self.go_backwards = truth(self, "go_backwards", go_backwards)
        self.stateful = truth(self, "stateful", stateful)
        self.unroll = truth(self, "unroll", unroll)
        self.supports_masking = True
        self.input_spec = None
        self.states: Any = None
        self._expected_batch_size: int | None = None
        state_size = cell.state_size
        if state_size is None:
            raise ValueError("RNN: state_size must be specified as property on the RNN cell.")
        if not isinstance(state_size, (list, tuple, int)):
            raise ValueError(
                "RNN: state_size must be an integer, or a list/tuple of integers (one for each "
                f"state tensor). Received: state_size={state_size!r}."
            )
        self.single_state = isinstance(state_size, int)
        self.state_size = [state_size] if isinstance(state_size, int) else list(state_size)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """Returns the shape of the output, and of the states with `return_state`."""
        batch, length = sequences_shape[:2]
        size = getattr(self.cell, "output_size", None)
        size = self.state_size[0] if size is None else size
        if not isinstance(size, int):
            raise ValueError(
                f"{owner_name(self)}: output_size must be an integer. Received: {size!r}."
            )
        output = (batch, length, size) if self.return_sequences else (batch, size)
        if not self.return_state:
            return output
        states = [
            (batch, n) if isinstance(n, int) else [(batch, s) for s in n] for n in self.state_size
        ]
        return (output, *states)

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        """Returns the mask for a sequence of outputs, None for one output and for states."""
        mask = tree.flatten(mask)[0]
        output_mask = mask if self.return_sequences else None
        if self.return_state:
            return [output_mask, *(None for _ in self.state_size)]
        return output_mask

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:  # type: ignore[override]
        """Builds the cell, and the variables of the state if the layer keeps it."""
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((sequences_shape[0], *sequences_shape[2:]))
            self.cell.built = True
        if not self.stateful:
            return
        if self.states is not None:
            self.reset_state()
            return
        if sequences_shape[0] is None:
            raise ValueError(
                f"{owner_name(self)}: When using `stateful=True` in a RNN, the batch size must be "
                "static. Found dynamic batch size: "
                f"sequence.shape={tuple(sequences_shape)}. Give the model an "
                "`Input(batch_shape=(batch, timesteps, features))`."
            )
        states = tree.map_structure(
            lambda value: Variable(
                value, trainable=False, dtype=self.variable_dtype, name="rnn_state"
            ),
            self.get_initial_state(sequences_shape[0]),
        )
        self._expected_batch_size = sequences_shape[0]
        with no_tracking():  # the state is no weight: neither saved nor in get_weights
            self.states = states

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """Returns the states that a sequence starts from by default: those of the cell, or 0."""
        of_cell = getattr(self.cell, "get_initial_state", None)
        if of_cell is None:
            dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
            return [ops.zeros((batch_size, n), dtype=dtype) for n in self.state_size]
        state = of_cell(batch_size=batch_size)
        return list(state) if tree.is_nested(state) else [state]

    def reset_states(self) -> None:
        """Sets the kept state to 0; another name of `reset_state`."""
        self.reset_state()

    def reset_state(self) -> None:
        """Sets the kept state to 0."""
        for variable in tree.flatten(self.states) if self.states is not None else ():
            variable.assign(ops.zeros_like(variable.value))

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, Any]:
        """Runs all steps; returns the last output, all outputs and the last states."""
        kwargs = {}
        if isinstance(self.cell, Layer) and self.cell._call_has_training_arg:
            kwargs["training"] = training
        return self._steps(self.cell, sequences, initial_state, mask, kwargs)

    def _steps(
        self, cell: Any, sequences: Any, states: Any, mask: Any, kwargs: dict[str, Any]
    ) -> tuple[Any, Any, Any]:
        steps = range(sequences.shape[1])
        outputs: list[Any] = []
        for t in reversed(steps) if self.go_backwards else steps:
            output, new_states = self._checked_step(cell(sequences[:, t], states, **kwargs), states)
            if mask is not None:
                keep = mask[:, t]
                output = _where(keep, output, self._masked_output(output, outputs, states))
                flat = [
                    _where(keep, new, old)
                    for new, old in zip(tree.flatten(new_states), tree.flatten(states))
                ]
                new_states = tree.pack_sequence_as(states, flat)
            states = new_states
            outputs.append(output)
        sequence = ops.stack(outputs, axis=1) if self.return_sequences else outputs[-1]
        return outputs[-1], sequence, states

    def _checked_step(self, returned: Any, states: Any) -> tuple[Any, Any]:
        """Returns the output and the list of states that a cell returned for a step."""
        if not isinstance(returned, (tuple, list)) or len(returned) != 2:
            many = isinstance(returned, (tuple, list))
            got = f"{len(returned)} values" if many else type(returned).__name__
            raise ValueError(
                f"{owner_name(self)}: expected the cell to return (output, states). "
                f"Received: {got} from {owner_name(self.cell)}."
            )
        output, new = returned
        if not tree.is_nested(new):
            new = [new]
        shapes, wanted = ([tuple(s.shape) for s in tree.flatten(x)] for x in (new, states))
        if len(shapes) != len(wanted) or not all(map(_may_follow, shapes, wanted)):
            raise ValueError(
                f"{owner_name(self)}: expected states of shapes {wanted} from the cell, those that "
                f"it was given. Received: shapes={shapes} from {owner_name(self.cell)}."
            )
        return output, new

    def _masked_output(self, output: Any, outputs: list[Any], states: Any) -> Any:
        """Returns the output of a step that does not count: the one before it, or the state."""
        if not self.zero_output_for_mask:
            if outputs:
                return outputs[-1]
            first = states[0] if not tree.is_nested(states[0]) else states[-1][0]
            if tuple(first.shape) == tuple(output.shape):
                return first
        return ops.zeros_like(output)

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool = False,
    ) -> Any:
        """Returns the output, and the states with `return_state`."""
        mask = self._checked_mask(sequences, mask)
        is_given = initial_state is not None
        if initial_state is None:
            if self.stateful:
                initial_state = self.states
            else:
                initial_state = self.get_initial_state(sequences.shape[0])
        elif not tree.is_nested(initial_state):
            initial_state = [initial_state]
        given, wanted = (len(tree.flatten(s)) for s in (initial_state, self.state_size))
        if self._has_vectors() and given != wanted:
            raise ValueError(
                f"{owner_name(self)}: expected {wanted} initial states, of sizes "
                f"{self.state_size}. Received: {given}."
            )
        expected = self._expected_batch_size
        if self.stateful and expected is not None and sequences.shape[0] != expected:
            raise ValueError(
                f"{owner_name(self)}: If an RNN is stateful, the batch size of the input sequences "
                "must be the same as the batch size of the initial state. "
                f"Expected batch size: {expected}. Received batch size: {sequences.shape[0]}."
            )
        dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
        initial_state = tree.map_structure(
            lambda x: ops.cast(ops.convert_to_tensor(x), dtype), list(initial_state)
        )
        if is_given and self._has_vectors():
            self._check_state_shapes(sequences.shape[0], initial_state)
        self._reset_dropout_masks(self.cell)
        try:
            last, outputs, states = self.inner_loop(
                sequences=sequences, initial_state=initial_state, mask=mask, training=training
            )
        finally:
            self._reset_dropout_masks(self.cell)
        output = ops.cast(outputs if self.return_sequences else last, self.compute_dtype)
        states = tree.map_structure(lambda x: ops.cast(x, self.compute_dtype), states)
        if self.stateful:
            for variable, state in zip(tree.flatten(self.states), tree.flatten(states)):
                variable.assign(state)
        return (output, *states) if self.return_state else output

    def _check_state_shapes(self, batch: Any, states: Any) -> None:
        shapes = [tuple(s.shape) for s in tree.flatten(states)]
        wanted = [(batch, n) for n in tree.flatten(self.state_size)]
        if not all(map(_may_follow, wanted, shapes)):
            raise ValueError(
                f"{owner_name(self)}: expected initial states of shapes {wanted}. "
                f"Received: shapes={shapes}."
            )

    def _has_vectors(self) -> bool:
        """Returns whether the cells are ours, whose inputs and states are (batch, size)."""
        cells = self.cell.cells if isinstance(self.cell, StackedRNNCells) else [self.cell]
        return all(isinstance(cell, GatedCell) for cell in cells)

    def _assert_input_compatibility(self, x: Any) -> None:
        shape = tuple(getattr(x, "shape", (None, None, None)))
        if self._has_vectors() and len(shape) != 3:
            hint = (
                " Add a Reshape((timesteps, features)), or a TimeDistributed(Flatten()), which "
                "keeps axis 1 as time."
            )
            raise ValueError(
                f"{owner_name(self)}: expected rank 3 (batch, timesteps, features). "
                f"Received: shape={shape}.{hint if len(shape) > 3 else ''}"
            )
        if len(shape) < 2:
            raise ValueError(
                f"{owner_name(self)}: expected rank 2 (batch, timesteps) or more. "
                f"Received: shape={shape}."
            )
        if self._has_vectors():
            self._check_features(shape)
        super()._assert_input_compatibility(x)

    def _check_features(self, shape: tuple[Any, ...]) -> None:
        cell = self.cell.cells[0] if isinstance(self.cell, StackedRNNCells) else self.cell
        kernel = getattr(cell, "kernel", None) if cell.built else None
        if kernel is not None and shape[-1] not in (None, kernel.shape[0]):
            raise ValueError(
                f"{owner_name(self)}: expected {kernel.shape[0]} features, the number that it was "
                f"built for. Received: shape={shape}."
            )

    def _checked_mask(self, sequences: Any, mask: Any) -> Any:
        shape = tuple(sequences.shape)
        if shape[1] == 0:
            raise ValueError(
                f"{owner_name(self)}: expected sequences of one step or more. "
                f"Received: shape={shape}."
            )
        leaves = tree.flatten(mask) if mask is not None else [None]
        mask = np.asarray(mask) if isinstance(leaves[0], (bool, int)) else leaves[0]
        if mask is None:
            return None
        if tuple(mask.shape) != shape[:2]:
            raise ValueError(
                f"{owner_name(self)}: expected a mask of shape (batch, timesteps) = {shape[:2]}. "
                f"Received: mask.shape={tuple(mask.shape)}, sequences.shape={shape}."
            )
        return ops.cast(mask, "bool")

    def _reset_dropout_masks(self, cell: Any) -> None:
        if isinstance(cell, DropoutMasks):
            cell.reset_dropout_mask()
            cell.reset_recurrent_dropout_mask()
        if isinstance(cell, StackedRNNCells):
            for inner in cell.cells:
                self._reset_dropout_masks(inner)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        from pronghorn.saving import serialize_keras_object

        return {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask,
            "cell": serialize_keras_object(self.cell),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Returns a layer with the cell that `config` describes."""
        from pronghorn.saving import deserialize_keras_object

        config = dict(config)
        cell = deserialize_keras_object(config.pop("cell"), custom_objects=custom_objects)
        return cls(cell, **config)


def _may_follow(shape: tuple[Any, ...], before: tuple[Any, ...]) -> bool:
    """Returns whether a state of `shape` may follow one of shape `before`, which may broadcast."""
    return len(shape) == len(before) and all(
        n == m or m in (1, None) or n is None for n, m in zip(shape, before)
    )


def _where(keep: Any, new: Any, old: Any) -> Any:
    """Returns rows of `new` where `keep`, else of `old`."""
    return ops.where(ops.reshape(keep, (-1, *(1 for _ in new.shape[1:]))), new, old)
