"""Dense: the fully connected layer."""

from __future__ import annotations

from typing import Any

from pronghorn import activations, constraints, initializers, ops, regularizers
from pronghorn.layers.arguments import Shape, owner_name, positive_integer, reject_quantization
from pronghorn.layers.core.lora import LoraLayer
from pronghorn.layers.input_spec import InputSpec


class Dense(LoraLayer):
    """Fully connected layer: `outputs = activation(inputs @ kernel + bias)`.

    The product is over the last axis; all other axes are treated as batch axes, so an input of
    `(batch, steps, features)` gives `(batch, steps, units)` with one kernel for all steps.

    Args:
        units: Positive integer, size of the last axis of the output.
        activation: Activation function, by name or callable. `None`: none.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of `kernel`, `(features, units)`.
        bias_initializer: Initializer of `bias`, `(units,)`.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the kernel, applied after each update.
        bias_constraint: Constraint of the bias.
        lora_rank: If set, the kernel is frozen and a low-rank update of it is trained; see
            `enable_lora`.
        lora_alpha: Scale of the low-rank update; `lora_rank` if `None`.
        quantization_config: Not supported; must be `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, ..., features)`, at least two axes; `features` must be known.

    Output shape:
        `(batch, ..., units)`.

    Raises:
        ValueError: If `units` is not a positive integer, or the input has another size of the last
            axis than the one the layer was built with.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.Dense(3, activation="relu")
    >>> layer(np.ones((32, 16))).shape
    (32, 3)
    """

    def __init__(
        self,
        units: int,
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
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        units = positive_integer("Dense", "units", units)
        reject_quantization("Dense", quantization_config=quantization_config)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.quantization_config = quantization_config
        self._init_lora(lora_rank, lora_alpha)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Creates `kernel` and `bias` for inputs of `input_shape`."""
        features = input_shape[-1]
        if features is None:
            raise ValueError(
                f"{owner_name(self)}: the last axis of the input must have a known size. "
                f"Received: input_shape={tuple(input_shape)}."
            )
        self._kernel = self.add_weight(
            name="kernel",
            shape=(features, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})
        self.built = True
        if self.lora_rank:
            self.enable_lora(self.lora_rank, lora_alpha=self.lora_alpha)

    @property
    def kernel(self) -> Any:
        """The kernel, `(features, units)`, with a low-rank update added if there is one."""
        return self.effective_weight()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns `activation(inputs @ kernel + bias)`."""
        x = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            x = ops.add(x, self.bias)
        if self.activation is not None:
            x = self.activation(x)
        return x

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns `(batch, ..., units)`."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": self.quantization_config,
            **self._lora_config(),
        }
