"""LSTMCell: one step of a long short-term memory."""

from __future__ import annotations

from typing import Any

from pronghorn import initializers, ops
from pronghorn.layers.rnn.gated_cell import GatedCell, arguments_of


class LSTMCell(GatedCell):
    """Cell of LSTM, with the gates input, forget, cell and output, in this order in the weights.

    Args:
        units: Positive integer, the size of the state and of the output.
        activation: Activation function of the cell gate and of the output.
        recurrent_activation: Activation function of the other gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of `kernel`, `(features, 4 * units)`.
        recurrent_initializer: Initializer of `recurrent_kernel`, `(units, 4 * units)`.
        bias_initializer: Initializer of `bias`, `(4 * units,)`.
        unit_forget_bias: Whether the bias of the forget gate starts at 1 (Jozefowicz et al., "An
            Empirical Exploration of Recurrent Network Architectures", 2015).
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
        inputs: `(batch, features)`, the input of one step.
        states: The previous state and carry, `(batch, units)` each.
        training: Whether to drop.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.RNN([keras.layers.LSTMCell(4), keras.layers.LSTMCell(3)])
    >>> layer(np.ones((2, 5, 3))).shape
    (2, 3)
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
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
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.units, self.units]

    def _bias_start(self) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer
        units, given = self.units, self.bias_initializer

        def start(shape: Any, *args: Any, **kwargs: Any) -> Any:
            ones = initializers.get("ones")
            parts = ((given, units), (ones, units), (given, 2 * units))
            return ops.concatenate([f((n,), *args, **kwargs) for f, n in parts])

        return start

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """Returns the output and the state after the step."""
        previous, carry = states
        sums = self._input_sums(inputs, self.bias, training)
        sums = ops.add(sums, self._state_sums(previous, self.recurrent_kernel, training))
        i, f, g, o = ops.split(sums, 4, axis=-1)
        carry = ops.add(
            ops.multiply(self.recurrent_activation(f), carry),
            ops.multiply(self.recurrent_activation(i), self.activation(g)),
        )
        output = ops.multiply(self.recurrent_activation(o), self.activation(carry))
        return output, [output, carry]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}
