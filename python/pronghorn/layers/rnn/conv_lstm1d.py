"""ConvLSTM1D: convolutional LSTM over 1 spatial axis."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.rnn.base_conv_lstm import BaseConvLSTM


class ConvLSTM1D(BaseConvLSTM):
    """LSTM whose products are convolutions over 1 spatial axis.

    Args:
        filters: Positive integer, the number of channels of the output.
        kernel_size: The window, an int or one for each spatial axis.
        strides: The distance of windows over the inputs.
        padding: `"valid"` or `"same"`, of the inputs; the state's convolution is `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.
        dilation_rate: The spacing of the window's elements, over the inputs.
        activation: Activation function of the cell gate and of the output.
        recurrent_activation: Activation function of the other gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the weights of the inputs.
        recurrent_initializer: Initializer of the weights of the state.
        bias_initializer: Initializer of the bias.
        unit_forget_bias: Whether the bias of the forget gate starts at 1.
        kernel_regularizer: Regularizer of the weights of the inputs.
        recurrent_regularizer: Regularizer of the weights of the state.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the weights of the inputs.
        recurrent_constraint: Constraint of the weights of the state.
        bias_constraint: Constraint of the bias.
        dropout: Fraction of the inputs to drop while training, the same ones in all steps.
        recurrent_dropout: Fraction of the state to drop, likewise.
        seed: Seed of the dropout.
        return_sequences: Whether to return the outputs of all steps, not the last one's.
        return_state: Whether to return the last state too.
        go_backwards: Whether to process the sequence from its end.
        stateful: Whether a batch starts from the last state of the batch before it.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        sequences: `(batch, time, columns, channels)`.
        initial_state: List of the state and the carry to start from; zeros by default.
        mask: `(batch, time)`, true for the steps that count.
        training: Whether to drop.

    Input shape:
        `(batch, time, columns, channels)`, or `(batch, time, channels, columns)` for
        `"channels_first"`.

    Output shape:
        The input's without time, and with `filters` channels; with `return_sequences` with time;
        with `return_state` a list of that, state and carry.

    Raises:
        ValueError: If an argument, or the shape of an input, is not valid.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.ConvLSTM1D(8, 3)(np.ones((2, 5, 9, 3))).shape
    (2, 7, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs: Any,
    ) -> None:
        super().__init__(1, locals(), kwargs)
