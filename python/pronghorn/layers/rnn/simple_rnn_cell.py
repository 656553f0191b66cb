"""SimpleRNNCell: one step of a fully connected recurrent layer."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, tree
from pronghorn.layers.rnn.gated_cell import GatedCell, arguments_of


class SimpleRNNCell(GatedCell):
    """Cell of SimpleRNN: `h = activation(x @ kernel + h @ recurrent_kernel + bias)`.

    Args:
        units: Positive integer, the size of the state and of the output.
        activation: Activation function, by name or callable. `None`: none.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of `kernel`, `(features, units)`.
        recurrent_initializer: Initializer of `recurrent_kernel`, `(units, units)`.
        bias_initializer: Initializer of `bias`, `(units,)`.
        kernel_regularizer: Regularizer of the kernel.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the recurrent kernel.
        bias_constraint: Constraint of the bias.
        dropout: Fraction of the inputs to drop, the same ones in all steps.
        recurrent_dropout: Fraction of the state to drop, likewise.
        seed: Seed of the dropout.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        sequence: `(batch, features)`, the input of one step.
        states: The previous state `(batch, units)`, or a list that holds it.
        training: Whether to drop.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.RNN(keras.layers.SimpleRNNCell(4))
    >>> layer(np.ones((2, 5, 3))).shape
    (2, 4)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, arguments_of(locals()), **kwargs)

    def call(self, sequence: Any, states: Any, training: bool = False) -> Any:
        """Returns the output and the state after the step."""
        previous = states[0] if tree.is_nested(states) else states
        sums = self._input_sums(sequence, self.bias, training)
        output = ops.add(sums, self._state_sums(previous, self.recurrent_kernel, training))
        if self.activation is not None:
            output = self.activation(output)
        return output, [output] if tree.is_nested(states) else output
