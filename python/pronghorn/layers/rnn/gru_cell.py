"""GRUCell: one step of a gated recurrent unit."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, tree
from pronghorn.layers.arguments import truth
from pronghorn.layers.rnn.gated_cell import GatedCell, arguments_of, masked_products


class GRUCell(GatedCell):
    """Cell of GRU, with the gates update, reset and candidate, in this order in the weights.

    Args:
        units: Positive integer, the size of the state and of the output.
        activation: Activation function of the candidate.
        recurrent_activation: Activation function of the gates update and reset.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of `kernel`, `(features, 3 * units)`.
        recurrent_initializer: Initializer of `recurrent_kernel`, `(units, 3 * units)`.
        bias_initializer: Initializer of `bias`: `(2, 3 * units)` with `reset_after`, one row for
            the inputs and one for the state, else `(3 * units,)`.
        kernel_regularizer: Regularizer of the kernel.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint of the kernel.
        recurrent_constraint: Constraint of the recurrent kernel.
        bias_constraint: Constraint of the bias.
        dropout: Fraction of the inputs to drop, the same ones in all steps.
        recurrent_dropout: Fraction of the state to drop, likewise.
        reset_after: Whether the reset gate is applied after the product of the state with the
            candidate's weights, or to the state before it.
        seed: Seed of the dropout.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: `(batch, features)`, the input of one step.
        states: The previous state `(batch, units)`, or a list that holds it.
        training: Whether to drop.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.RNN(keras.layers.GRUCell(4), return_sequences=True)
    >>> layer(np.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

    gates = 3

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, arguments_of(locals()), **kwargs)
        self.reset_after = truth(self, "reset_after", reset_after)

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def biases(self) -> tuple[Any, Any]:
        """Returns the bias of the inputs and that of the state, or None."""
        if self.bias is None:
            return None, None
        if not self.reset_after:
            return self.bias, None
        bias = ops.convert_to_tensor(self.bias)
        return bias[0], bias[1]

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """Returns the output and the state after the step."""
        previous = states[0] if tree.is_nested(states) else states
        input_bias, state_bias = self.biases()
        x = ops.split(self._input_sums(inputs, input_bias, training), 3, axis=-1)
        kernel = ops.convert_to_tensor(self.recurrent_kernel)
        masks = self._state_masks(previous, training)
        if self.reset_after:
            sums = self._state_sums(previous, kernel, training)
            m = ops.split(sums if state_bias is None else ops.add(sums, state_bias), 3, axis=-1)
        else:
            n = 2 * self.units
            m = ops.split(masked_products(previous, kernel[:, :n], masks and masks[:2]), 2, axis=-1)
        update = self.recurrent_activation(ops.add(x[0], m[0]))
        reset = self.recurrent_activation(ops.add(x[1], m[1]))
        if self.reset_after:
            inner = ops.multiply(reset, m[2])
        else:
            dropped = previous if masks is None else ops.multiply(previous, masks[2])
            inner = ops.matmul(ops.multiply(reset, dropped), kernel[:, n:])
        candidate = self.activation(ops.add(x[2], inner))
        output = ops.add(
            ops.multiply(update, previous), ops.multiply(ops.subtract(1.0, update), candidate)
        )
        return output, [output] if tree.is_nested(states) else output

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "reset_after": self.reset_after}
