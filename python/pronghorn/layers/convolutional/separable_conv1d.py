"""SeparableConv1D: separable convolution over time (or another axis)."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.convolutional.base_separable_conv import BaseSeparableConv


class SeparableConv1D(BaseSeparableConv):
    """Separable convolution over time: a depthwise convolution, then one with a kernel of size 1.

    The depthwise step convolves each channel with its own `depth_multiplier` kernels; the pointwise
    step mixes the channels. Bias and activation come after both. Source: Chollet, "Xception: Deep
    Learning with Depthwise Separable Convolutions", 2017.

    Args:
        filters: Number of output channels.
        kernel_size: Size of the depthwise kernel, int or tuple of one int.
        strides: Steps of the kernel. Strides above 1 cannot be used with dilation above 1.
        padding: `"valid"` (no padding) or `"same"` (zeros around, so that stride 1 keeps the size).
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        dilation_rate: Spacing of the kernel's elements; 1 is a dense kernel.
        depth_multiplier: Number of channels of the depthwise step per input channel.
        activation: Activation function, by name or callable. `None`: none.
        use_bias: Whether to add a bias per output channel.
        depthwise_initializer: Initializer of the depthwise kernel.
        pointwise_initializer: Initializer of the pointwise kernel.
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the depthwise kernel.
        pointwise_regularizer: Regularizer of the pointwise kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        depthwise_constraint: Constraint of the depthwise kernel, applied after each update.
        pointwise_constraint: Constraint of the pointwise kernel.
        bias_constraint: Constraint of the bias.
        **kwargs: `name`, `dtype`, `trainable`.

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
    >>> keras.layers.SeparableConv1D(5, 3)(np.ones((4, 10, 12))).shape
    (4, 8, 5)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
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
            depth_multiplier=depth_multiplier,
            activation=activation,
            use_bias=use_bias,
            depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
