"""GRU: gated recurrent unit."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.rnn.fused_rnn import FusedRNN, cell_arguments, of_cell
from pronghorn.layers.rnn.gru_cell import GRUCell
from pronghorn.ops import recurrent


class GRU(FusedRNN):
    """Gated recurrent unit: a recurrent layer with the gates update, reset and candidate.

    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical
    Machine Translation", 2014.

    Args:
        units: Positive integer, the size of the output.
        activation: Activation function of the candidate.
        recurrent_activation: Activation function of the gates update and reset.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the weights of the inputs.
        recurrent_initializer: Initializer of the weights of the state.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the weights of the inputs.
        recurrent_regularizer: Regularizer of the weights of the state.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the weights of the inputs.
        recurrent_constraint: Constraint of the weights of the state.
        bias_constraint: Constraint of the bias.
        dropout: Fraction of the inputs to drop while training, the same ones in all steps.
        recurrent_dropout: Fraction of the state to drop, likewise. It makes training slower: the
            steps are then taken one by one.
        seed: Seed of the dropout.
        return_sequences: Whether to return the outputs of all steps, not the last one's.
        return_state: Whether to return the last state too.
        go_backwards: Whether to process the sequence from its end; the outputs are in the order of
            processing.
        stateful: Whether a batch starts from the last state of the batch before it.
        unroll: Accepted for Keras's sake: the program is the same.
        reset_after: Whether the reset gate is applied after the product of the state with the
            candidate's weights (two biases), or to the state before it.
        use_cudnn: `"auto"` or false: there is no cuDNN on a CPU.
        **kwargs: `name`, `dtype`, `trainable`, `zero_output_for_mask`.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: List of the states to start from; zeros by default.
        mask: `(batch, time)`, true for the steps that count: others leave the state as it is.
        training: Whether to drop.

    Input shape:
        `(batch, time, features)`.

    Output shape:
        `(batch, units)`; with `return_sequences` `(batch, time, units)`; with `return_state` a
        list of that and of the states.

    Raises:
        ValueError: If `units` is not positive, or an input, mask or state does not fit.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.GRU(4, return_sequences=True)
    >>> layer(np.ones((32, 10, 8))).shape
    (32, 10, 4)
    """

    recurrent_activation = of_cell("recurrent_activation")
    reset_after = of_cell("reset_after")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = GRUCell(**cell_arguments(locals(), kwargs, "gru_cell"))
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            use_cudnn=use_cudnn,
            **kwargs,
        )

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        """Returns the output, and the states with `return_state`."""
        return super().call(sequences, initial_state, mask, training)

    def _biases(self) -> tuple[Any, Any]:
        biases: tuple[Any, Any] = self.cell.biases()
        return biases

    def _fused(
        self, sums: Any, state_bias: Any, states: list[Any], mask: Any, options: dict[str, Any]
    ) -> Any:
        return recurrent.gru(
            sums,
            self.cell.recurrent_kernel,
            state_bias,
            states[0],
            mask,
            go_backwards=self.go_backwards,
            reset_after=self.cell.reset_after,
            **options,
        )
