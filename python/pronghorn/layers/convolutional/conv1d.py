"""Conv1D: convolution over time (or another axis)."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.convolutional.base_conv import BaseConv


class Conv1D(BaseConv):
    """Convolution over time (or another axis), with bias and activation.

    `y[n, t, f] = bias[f] + sum_{i, c} x[n, t * stride + i * dilation, c] * kernel[i, c, f]`,
    then the activation. (A cross-correlation, as in all neural network libraries.)

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernel, int or tuple of one int.
        strides: Steps of the kernel. Strides above 1 cannot be used with dilation above 1.
        padding: `"valid"` (no padding), `"same"` (zeros around, so that stride 1 keeps the size) or
            `"causal"` (zeros before, so that output t sees inputs up to t only).
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        dilation_rate: Spacing of the kernel's elements; 1 is a dense kernel.
        groups: Number of groups of channels that are convolved separately; divides the channels of
            the input and `filters`.
        activation: Activation function, by name or callable. `None`: none.
        use_bias: Whether to add a bias per output channel.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the kernel, applied after each update.
        bias_constraint: Constraint of the bias.
        **kwargs: `name`, `dtype`, `trainable`, `lora_rank`, `lora_alpha`.

    Input shape:
        `(batch, steps, channels)` with `"channels_last"`,
        `(batch, channels, steps)` with `"channels_first"`.

    Output shape:
        `(batch, new_steps, filters)` with `"channels_last"`,
        `(batch, filters, new_steps)` with `"channels_first"`.

    Raises:
        ValueError: If an argument is out of range, the kernel is larger than the
            input, or the number of channels is not the one that the layer was built with.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Conv1D(32, 3, activation="relu")(np.ones((4, 10, 128))).shape
    (4, 8, 32)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            rank=1,
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            groups=groups,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Returns the convolution; `"causal"` pads before the first step."""
        if self.padding != "causal":
            return super().convolution_op(inputs, kernel)
        before = (self.dilation_rate[0] * (self.kernel_size[0] - 1), 0)
        pads = [(0, 0), before, (0, 0)]
        if self.data_format == "channels_first":
            pads = [(0, 0), (0, 0), before]
        return ops.conv(
            ops.pad(inputs, pads),
            kernel,
            strides=self.strides,
            padding="valid",
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
