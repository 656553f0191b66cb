"""Conv3D: convolution over volumes."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.convolutional.base_conv import BaseConv


class Conv3D(BaseConv):
    """Convolution over volumes, with bias and activation.

    `y[n, i, j, k, f] = bias[f] + sum x[n, i * s + a * d, j * s + b * d, k * s + e * d, c] * K[a, b,
    e, c, f]`, then the activation. (A cross-correlation, as in all neural network libraries.)

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernel, int or tuple of 3 ints (depth, height, width).
        strides: Steps of the kernel. Strides above 1 cannot be used with dilation above 1.
        padding: `"valid"` (no padding) or `"same"` (zeros around, so that stride 1 keeps the size).
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
        `(batch, depth, height, width, channels)` with `"channels_last"`,
        `(batch, channels, depth, height, width)` with `"channels_first"`.

    Output shape:
        `(batch, new_depth, new_height, new_width, filters)` with `"channels_last"`,
        `(batch, filters, new_depth, new_height, new_width)` with `"channels_first"`.

    Raises:
        ValueError: If an argument is out of range, the kernel is larger than the
            input, or the number of channels is not the one that the layer was built with.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Conv3D(8, 3)(np.ones((2, 6, 6, 6, 1))).shape
    (2, 4, 4, 4, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1, 1),
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
            rank=3,
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
