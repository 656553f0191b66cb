"""DepthwiseConv1D: depthwise convolution over time (or another axis)."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.convolutional.base_depthwise_conv import BaseDepthwiseConv


class DepthwiseConv1D(BaseDepthwiseConv):
    """Depthwise convolution over time (or another axis): every channel has its own kernels.

    Output channel `c * depth_multiplier + m` is input channel c convolved with `kernel[..., c, m]`;
    channels are not mixed.

    Args:
        kernel_size: Size of the kernel, int or tuple of one int.
        strides: Steps of the kernel. Strides above 1 cannot be used with dilation above 1.
        padding: `"valid"` (no padding) or `"same"` (zeros around, so that stride 1 keeps the size).
        depth_multiplier: Number of output channels per input channel.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        dilation_rate: Spacing of the kernel's elements; 1 is a dense kernel.
        activation: Activation function, by name or callable. `None`: none.
        use_bias: Whether to add a bias per output channel.
        depthwise_initializer: Initializer of the depthwise kernel.
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the depthwise kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        depthwise_constraint: Constraint of the depthwise kernel, applied after each update.
        bias_constraint: Constraint of the bias.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, steps, channels)` with `"channels_last"`,
        `(batch, channels, steps)` with `"channels_first"`.

    Output shape:
        `(batch, new_steps, channels * depth_multiplier)` with `"channels_last"`,
        `(batch, channels * depth_multiplier, new_steps)` with `"channels_first"`.

    Raises:
        ValueError: If an argument is out of range, the kernel is larger than the
            input, or the number of channels is not the one that the layer was built with.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.DepthwiseConv1D(3, depth_multiplier=2)(np.ones((4, 10, 12))).shape
    (4, 8, 24)
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            rank=1,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            depth_multiplier=depth_multiplier,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            depthwise_initializer=depthwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            depthwise_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
