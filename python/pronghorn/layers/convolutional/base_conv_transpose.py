"""BaseConvTranspose: what Conv1DTranspose, Conv2DTranspose and Conv3DTranspose share."""

from __future__ import annotations

from typing import Any

from pronghorn import activations, constraints, initializers, ops, regularizers
from pronghorn.config import standardize_data_format
from pronghorn.layers.arguments import Shape, integer_tuple, one_of, owner_name, strictly_positive
from pronghorn.layers.convolutional.base_conv import add_channel_bias
from pronghorn.layers.convolutional.geometry import (
    check_rank,
    join_shape,
    spatial_part,
    transposed_length,
)
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.spatial_layer import SpatialLayer


class BaseConvTranspose(SpatialLayer):
    """N-dimensional transposed convolution: the gradient of a convolution, used as a layer.

    Every input position adds `input * kernel` to the output positions under the kernel, whose
    places are `strides` apart, so that the output is about `strides` times as large as the input.

    Args:
        rank: Number of spatial dimensions, 1, 2 or 3.
        filters: Number of output channels.
        kernel_size: Size of the kernel, an int or a tuple of `rank` ints.
        strides: Steps in the output. Strides above 1 cannot be used with dilation above 1.
        padding: `"valid"` or `"same"`.
        output_padding: Amount added to the output size, below the stride; `None`: inferred.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        dilation_rate: Spacing of the kernel's elements.
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
    """

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        name = type(self).__name__
        self.rank = rank
        self.filters = strictly_positive(name, "filters", filters)
        self.kernel_size = integer_tuple(name, "kernel_size", kernel_size, rank)
        self.strides = integer_tuple(name, "strides", strides, rank)
        self.dilation_rate = integer_tuple(name, "dilation_rate", dilation_rate, rank)
        self.padding = one_of(name, "padding", padding, ("valid", "same"))
        self.output_padding: tuple[int, ...] | None = None
        if output_padding is not None:
            self.output_padding = integer_tuple(
                name, "output_padding", output_padding, rank, allow_zero=True
            )
            if any(p >= s for p, s in zip(self.output_padding, self.strides)):
                raise ValueError(
                    f"{name}: `output_padding` must be strictly less than `strides` in every "
                    f"dimension. Received: output_padding={self.output_padding}, "
                    f"strides={self.strides}."
                )
        self.data_format = standardize_data_format(data_format)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{name}: `strides > 1` not supported in conjunction with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and dilation_rate={self.dilation_rate}."
            )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=rank + 2)

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Creates `kernel`, `(*kernel_size, filters, channels)`, and `bias`."""
        check_rank(self, input_shape, self.rank, self.data_format)
        axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"{owner_name(self)}: the channel axis of the input must have a known size. "
                f"Received: input_shape={tuple(input_shape)}, data_format={self.data_format!r}."
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, self.filters, channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: channels})
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns `activation(transposed convolution(inputs, kernel) + bias)`."""
        outputs = ops.conv_transpose(
            inputs,
            self.kernel,
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        outputs = add_channel_bias(outputs, self.bias, self.rank, self.data_format)
        if self.activation is not None:
            outputs = self.activation(outputs)
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape of the output for inputs of `input_shape`."""
        check_rank(self, input_shape, self.rank, self.data_format)
        spatial = tuple(
            transposed_length(
                length,
                self.kernel_size[i],
                self.strides[i],
                self.padding,
                None if self.output_padding is None else self.output_padding[i],
                self.dilation_rate[i],
            )
            for i, length in enumerate(spatial_part(input_shape, self.data_format))
        )
        return join_shape(input_shape[0], spatial, self.filters, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "output_padding": self.output_padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }
