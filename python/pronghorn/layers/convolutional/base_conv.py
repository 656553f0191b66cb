"""BaseConv: what Conv1D, Conv2D and Conv3D share."""

from __future__ import annotations

from typing import Any

from pronghorn import activations, constraints, initializers, ops, regularizers
from pronghorn.config import standardize_data_format
from pronghorn.layers.arguments import Shape, integer_tuple, one_of, owner_name, strictly_positive
from pronghorn.layers.convolutional.geometry import check_rank, join_shape, window_output
from pronghorn.layers.core.lora import LoraLayer
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.spatial_layer import SpatialLayer


class BaseConv(SpatialLayer, LoraLayer):
    """N-dimensional convolution (cross-correlation) layer.

    `y[n, o, f] = activation(bias[f] + sum_{k, c} x[n, o * stride + k * dilation - pad, c] *
    kernel[k, c, f])`, where o and k run over the spatial dimensions.

    Args:
        rank: Number of spatial dimensions, 1, 2 or 3.
        filters: Number of output channels.
        kernel_size: Size of the kernel, an int or a tuple of `rank` ints.
        strides: Steps of the kernel. Strides above 1 cannot be used with dilation above 1.
        padding: `"valid"`, `"same"` or, in 1D, `"causal"`.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        dilation_rate: Spacing of the kernel's elements.
        groups: Number of groups of channels that are convolved separately.
        activation: Activation function, by name or callable. `None`: none.
        use_bias: Whether to add a bias per output channel.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the kernel, applied after each update.
        bias_constraint: Constraint of the bias.
        lora_rank: If set, the kernel is frozen and a low-rank update of it is trained.
        lora_alpha: Scale of the low-rank update; `lora_rank` if `None`.
        **kwargs: `name`, `dtype`, `trainable`.
    """

    def __init__(
        self,
        rank: int,
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
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        name = type(self).__name__
        self.rank = rank
        self.filters = strictly_positive(name, "filters", filters)
        if not isinstance(groups, int) or isinstance(groups, bool) or groups < 1:
            raise ValueError(
                f"{name}: The number of groups must be a positive integer. "
                f"Received: groups={groups!r}."
            )
        if self.filters % groups:
            raise ValueError(
                f"{name}: The number of filters must be evenly divisible by the number of groups. "
                f"Received: groups={groups}, filters={filters}."
            )
        self.groups = groups
        self.kernel_size = integer_tuple(name, "kernel_size", kernel_size, rank)
        self.strides = integer_tuple(name, "strides", strides, rank)
        self.dilation_rate = integer_tuple(name, "dilation_rate", dilation_rate, rank)
        allowed = ("valid", "same", "causal") if rank == 1 else ("valid", "same")
        self.padding = one_of(name, "padding", padding, allowed)
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
        self._init_lora(lora_rank, lora_alpha)
        self.input_spec = InputSpec(min_ndim=rank + 2)

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Creates `kernel`, `(*kernel_size, channels / groups, filters)`, and `bias`."""
        check_rank(self, input_shape, self.rank, self.data_format)
        axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"{owner_name(self)}: the channel axis of the input must have a known size. "
                f"Received: input_shape={tuple(input_shape)}, data_format={self.data_format!r}."
            )
        if channels % self.groups:
            raise ValueError(
                f"{owner_name(self)}: The number of input channels must be evenly divisible by the "
                f"number of groups. Received groups={self.groups}, but the input has {channels} "
                f"channels (full input shape is {tuple(input_shape)})."
            )
        self.compute_output_shape(input_shape)
        self._kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels // self.groups, self.filters),
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
        if self.lora_rank:
            self.enable_lora(self.lora_rank, lora_alpha=self.lora_alpha)

    @property
    def kernel(self) -> Any:
        """The kernel, with a low-rank update added if there is one."""
        return self.effective_weight()

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Returns the convolution of `inputs` and `kernel`; a subclass may replace it."""
        return ops.conv(
            inputs,
            kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )

    def call(self, inputs: Any) -> Any:
        """Returns `activation(convolution(inputs, kernel) + bias)`."""
        self.compute_output_shape(inputs.shape)
        outputs = self.convolution_op(inputs, self.kernel)
        outputs = add_channel_bias(outputs, self.bias, self.rank, self.data_format)
        if self.activation is not None:
            outputs = self.activation(outputs)
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape of the output for inputs of `input_shape`."""
        spatial = window_output(
            self,
            "kernel_size",
            input_shape,
            self.kernel_size,
            self.strides,
            self.padding,
            self.dilation_rate,
            self.data_format,
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
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            **self._lora_config(),
        }


def add_channel_bias(outputs: Any, bias: Any, rank: int, data_format: str) -> Any:
    """Returns `outputs` with `bias`, one number per channel, added; `outputs` if it is `None`."""
    if bias is None:
        return outputs
    if data_format == "channels_first":
        bias = ops.reshape(bias, (1, bias.shape[0], *(1,) * rank))
    return ops.add(outputs, bias)
