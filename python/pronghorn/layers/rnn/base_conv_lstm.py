"""BaseConvLSTM: base class of ConvLSTM1D, ConvLSTM2D and ConvLSTM3D."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, regularizers
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.rnn.conv_lstm_cell import ConvLSTMCell
from pronghorn.layers.rnn.fused_rnn import of_cell
from pronghorn.layers.rnn.rnn import RNN

_NOT_CELL = {
    "self", "kwargs", "__class__", "activity_regularizer", "return_sequences", "return_state",
    "go_backwards", "stateful",
}  # fmt: skip


class BaseConvLSTM(RNN):
    """LSTM whose products are convolutions over `rank` axes.

    Args:
        rank: Number of spatial axes.
        given: The local variables of the layer's constructor.
        kwargs: Its keyword arguments.
    """

    filters = of_cell("filters")
    kernel_size = of_cell("kernel_size")
    strides = of_cell("strides")
    padding = of_cell("padding")
    data_format = of_cell("data_format")
    dilation_rate = of_cell("dilation_rate")
    activation = of_cell("activation")
    recurrent_activation = of_cell("recurrent_activation")
    use_bias = of_cell("use_bias")
    unit_forget_bias = of_cell("unit_forget_bias")
    kernel_initializer = of_cell("kernel_initializer")
    recurrent_initializer = of_cell("recurrent_initializer")
    bias_initializer = of_cell("bias_initializer")
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")

    def __init__(self, rank: int, given: dict[str, Any], kwargs: dict[str, Any]) -> None:
        cell = ConvLSTMCell(
            rank,
            {k: v for k, v in given.items() if k not in _NOT_CELL},
            name="conv_lstm_cell",
            dtype=kwargs.get("dtype"),
        )
        names = (
            "activity_regularizer", "return_sequences", "return_state", "go_backwards", "stateful"
        )  # fmt: skip
        super().__init__(cell, **{k: given[k] for k in names}, **kwargs)
        self.input_spec = InputSpec(ndim=rank + 3)

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        """Returns the output, and the states with `return_state`."""
        return super().call(sequences, initial_state, mask, training)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """Returns the shape of the output, and of the states with `return_state`."""
        batch, time = sequences_shape[:2]
        state = self.cell.output_shape_for((batch, *sequences_shape[2:]))
        output = (batch, time, *state[1:]) if self.return_sequences else state
        return (output, state, state) if self.return_state else output

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        """Returns the mask for a sequence of outputs, None for one output and for states."""
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        output_mask = mask if self.return_sequences else None
        return [output_mask, None, None] if self.return_state else output_mask

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, Any]:
        """Convolves the inputs of all steps at once, unless each gate drops others."""
        cell = self.cell
        if training and 0 < cell.dropout < 1:
            return super().inner_loop(sequences, initial_state, mask, training)
        shape = tuple(sequences.shape)
        sums = cell.input_sums(ops.reshape(sequences, (shape[0] * shape[1], *shape[2:])))
        sums = ops.reshape(sums, (*shape[:2], *sums.shape[1:]))
        return self._steps(cell.step, sums, initial_state, mask, {"training": training})

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        config = super().get_config()
        del config["cell"]
        cell = self.cell.get_config()
        own = {k: v for k, v in cell.items() if k not in ("name", "trainable", "dtype")}
        activity = regularizers.serialize(self.activity_regularizer)
        return {**config, **own, "activity_regularizer": activity}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Returns a layer with the arguments in `config`."""
        return cls(**config)
