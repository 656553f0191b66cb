"""ConvLSTMCell: one step of a convolutional LSTM."""

from __future__ import annotations

from typing import Any

from pronghorn import activations, config, constraints, initializers, ops, random, regularizers
from pronghorn.layers.arguments import integer_tuple, one_of, positive_integer
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.layers.rnn.dropout_masks import DropoutMasks

#: The constructor arguments that are found by name.
PARTS = {
    "kernel_initializer": initializers,
    "recurrent_initializer": initializers,
    "bias_initializer": initializers,
    "kernel_regularizer": regularizers,
    "recurrent_regularizer": regularizers,
    "bias_regularizer": regularizers,
    "kernel_constraint": constraints,
    "recurrent_constraint": constraints,
    "bias_constraint": constraints,
}


class ConvLSTMCell(Layer, DropoutMasks):
    """An LSTM cell whose products are convolutions.

    Source: Shi et al., "Convolutional LSTM Network: A Machine Learning Approach for Precipitation
    Nowcasting", 2015 (without its peepholes).

    Args:
        rank: Number of spatial axes, 1 to 3.
        arguments: The constructor arguments of `ConvLSTM1D` and its like, by name.
        **kwargs: `name`, `dtype`, `trainable`.
    """

    dropout_mask_count = 4
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any

    def __init__(self, rank: int, arguments: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        owner = f"ConvLSTM{rank}D"
        a = arguments
        self.rank = rank
        self.seed = a["seed"]
        self.seed_generator = random.SeedGenerator(seed=self.seed)
        self.filters = positive_integer(owner, "filters", a["filters"])
        self.kernel_size = integer_tuple(owner, "kernel_size", a["kernel_size"], rank)
        self.strides = integer_tuple(owner, "strides", a["strides"], rank)
        self.padding = one_of(owner, "padding", a["padding"], ("valid", "same"))
        data_format = a["data_format"]
        self.data_format = config.image_data_format() if data_format is None else data_format
        one_of(owner, "data_format", self.data_format, ("channels_last", "channels_first"))
        self.dilation_rate = integer_tuple(owner, "dilation_rate", a["dilation_rate"], rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{owner}: Specifying `strides > 1` is not compatible with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and dilation_rate={self.dilation_rate}"
            )
        self.activation = activations.get(a["activation"])
        self.recurrent_activation = activations.get(a["recurrent_activation"])
        self.use_bias = a["use_bias"]
        self.unit_forget_bias = a["unit_forget_bias"]
        for name, module in PARTS.items():
            setattr(self, name, module.get(a[name]))
        self.dropout = min(1.0, max(0.0, a["dropout"]))
        self.recurrent_dropout = min(1.0, max(0.0, a["recurrent_dropout"]))
        self.input_spec = InputSpec(ndim=rank + 2)
        self.state_size = -1  # see get_initial_state

    def build(self, inputs_shape: Any, states_shape: Any = None) -> None:  # type: ignore[override]
        """Creates `kernel`, `recurrent_kernel` and `bias`."""
        first = self.data_format == "channels_first"
        self._spatial = tuple(inputs_shape[2:] if first else inputs_shape[1:-1])
        channels = inputs_shape[1 if first else -1]
        if None in self._spatial or channels is None:
            raise ValueError(
                f"ConvLSTM{self.rank}D: ConvLSTM layers only support static input shapes for the "
                f"spatial dimension and the channels. Received: input_shape={inputs_shape}."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._channels = channels
        gates = 4 * self.filters
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, gates),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(*self.kernel_size, self.filters, gates),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(gates,),
                initializer=self._bias_start(),
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def _bias_start(self) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer
        filters, given = self.filters, self.bias_initializer

        def start(shape: Any, *args: Any, **kwargs: Any) -> Any:
            ones = initializers.get("ones")
            parts = ((given, filters), (ones, filters), (given, 2 * filters))
            return ops.concatenate([f((n,), *args, **kwargs) for f, n in parts])

        return start

    @property
    def _gate_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else -1

    def _convolve(self, x: Any, kernel: Any, masks: Any, **options: Any) -> Any:
        if masks is None:
            return ops.conv(x, kernel, data_format=self.data_format, **options)
        parts = [
            ops.conv(ops.multiply(x, m), part, data_format=self.data_format, **options)
            for m, part in zip(masks, ops.split(kernel, 4, axis=-1))
        ]
        return ops.concatenate(parts, axis=self._gate_axis)

    def input_sums(self, inputs: Any, training: bool = False) -> Any:
        """Returns the convolution of the inputs, plus the bias."""
        masks = self.get_dropout_mask(inputs) if training and 0 < self.dropout < 1 else None
        sums = self._convolve(
            inputs, self.kernel, masks, strides=self.strides, padding=self.padding,
            dilation_rate=self.dilation_rate,
        )  # fmt: skip
        if self.bias is None:
            return sums
        bias = ops.convert_to_tensor(self.bias)
        if self._gate_axis == 1:
            bias = ops.reshape(bias, (1, -1, *(1 for _ in range(self.rank))))
        return ops.add(sums, bias)

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """Returns the output and the state after the step."""
        return self.step(self.input_sums(inputs, training), states, training)

    def step(self, sums: Any, states: Any, training: bool = False) -> Any:
        """Returns the output and the state for the sums of the inputs."""
        previous, carry = states
        drops = training and 0 < self.recurrent_dropout < 1
        masks = self.get_recurrent_dropout_mask(previous) if drops else None
        ones = (1,) * self.rank
        inner = self._convolve(previous, self.recurrent_kernel, masks, strides=ones, padding="same")
        i, f, g, o = ops.split(ops.add(sums, inner), 4, axis=self._gate_axis)
        carry = ops.add(
            ops.multiply(self.recurrent_activation(f), carry),
            ops.multiply(self.recurrent_activation(i), self.activation(g)),
        )
        output = ops.multiply(self.recurrent_activation(o), self.activation(carry))
        return output, [output, carry]

    def output_shape_for(self, inputs_shape: Any) -> tuple[Any, ...]:
        """Returns the shape of the state for inputs of one step."""
        first = self.data_format == "channels_first"
        spatial = inputs_shape[2:] if first else inputs_shape[1:-1]
        sizes = []
        for n, k, s, d in zip(spatial, self.kernel_size, self.strides, self.dilation_rate):
            window = (k - 1) * d if self.padding == "valid" else 0
            sizes.append(None if n is None else (n - window - 1) // s + 1)
        batch = inputs_shape[0]
        return (batch, self.filters, *sizes) if first else (batch, *sizes, self.filters)

    def compute_output_shape(self, inputs_shape: Any, states_shape: Any = None) -> Any:
        """Returns the shapes of the output and of the states."""
        shape = self.output_shape_for(inputs_shape)
        return shape, [shape, shape]

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Returns states of zeros."""
        if self.data_format == "channels_first":
            inputs = (batch_size, self._channels, *self._spatial)
        else:
            inputs = (batch_size, *self._spatial, self._channels)
        shape = self.output_shape_for(inputs)
        return [ops.zeros(shape, dtype=self.compute_dtype) for _ in range(2)]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        values = {
            name: getattr(self, name)
            for name in (
                "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate",
                "use_bias", "unit_forget_bias", "dropout", "recurrent_dropout", "seed",
            )
        }  # fmt: skip
        for name, module in PARTS.items():
            values[name] = module.serialize(getattr(self, name))
        for name in ("activation", "recurrent_activation"):
            values[name] = activations.serialize(getattr(self, name))
        return {**super().get_config(), **values}
