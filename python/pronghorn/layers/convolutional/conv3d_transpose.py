"""Conv3DTranspose: transposed convolution over volumes."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.convolutional.base_conv_transpose import BaseConvTranspose


class Conv3DTranspose(BaseConvTranspose):
    """Transposed convolution over volumes (the gradient of a convolution, used as a layer).

    Every input position adds `input * kernel` to the output under the kernel, `strides` apart.
    Along one dimension with kernel size k, stride s and n inputs the output has `n * s` elements
    with `padding="same"` and `n * s + max(k - s, 0)` with `"valid"`; with `output_padding` p,
    `(n - 1) * s + k - 2 * (k // 2) + p` and `(n - 1) * s + k + p`. Source: Zeiler et al.,
    "Deconvolutional Networks", 2010.

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernel, int or tuple of 3 ints (depth, height, width).
        strides: Steps in the output. Strides above 1 cannot be used with dilation above 1.
        padding: `"valid"` or `"same"`.
        output_padding: Amount added to the output size, below the stride. `None`: inferred.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        dilation_rate: Spacing of the kernel's elements; 1 is a dense kernel.
        activation: Activation function, by name or callable. `None`: none.
        use_bias: Whether to add a bias per output channel.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the kernel, applied after each update.
        bias_constraint: Constraint of the bias.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, depth, height, width, channels)` with `"channels_last"`,
        `(batch, channels, depth, height, width)` with `"channels_first"`.

    Output shape:
        `(batch, new_depth, new_height, new_width, filters)` with `"channels_last"`,
        `(batch, filters, new_depth, new_height, new_width)` with `"channels_first"`.

    Raises:
        ValueError: If an argument is out of range, or the number of channels is not the one
            that the layer was built with.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Conv3DTranspose(8, 3)(np.ones((2, 4, 4, 4, 1))).shape
    (2, 6, 6, 6, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = (1, 1, 1),
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
            output_padding=output_padding,
            dilation_rate=dilation_rate,
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
