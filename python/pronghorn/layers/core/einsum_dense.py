"""EinsumDense: a fully connected layer along axes that an einsum equation names."""

from __future__ import annotations

from typing import Any

from pronghorn import activations, constraints, initializers, ops, regularizers
from pronghorn.layers.arguments import Shape, owner_name, reject_quantization
from pronghorn.layers.core.einsum_equation import EinsumShapes, analyze_equation
from pronghorn.layers.core.lora import LoraLayer


class EinsumDense(LoraLayer):
    """`outputs = activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: Einsum equation of two terms, e.g. `"abc,cd->abd"`. An ellipsis at the start or
            the end of the input and the output stands for axes that pass through.
        output_shape: Sizes of the output axes without the batch axis and without those of the
            ellipsis; an int for one axis, `None` for a size that is taken from the input.
        activation: Activation function, by name or callable. `None`: none.
        bias_axes: Letters of the output axes that the bias has, e.g. `"d"`. `None`: no bias.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint of the kernel, applied after each update.
        bias_constraint: Constraint of the bias.
        lora_rank: If set, the kernel is frozen and a low-rank update of it is trained; see
            `enable_lora`.
        lora_alpha: Scale of the low-rank update; `lora_rank` if `None`.
        gptq_unpacked_column_size: Not supported; must be `None`.
        quantization_config: Not supported; must be `None`.
        **kwargs: `name`, `dtype`, `trainable`, `activity_regularizer`.

    Input shape:
        As the first term of the equation says.

    Output shape:
        As the last term of the equation says.

    Raises:
        ValueError: If the equation, the input and `output_shape` do not fit one another.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.EinsumDense("...x,xy->...y", output_shape=64, bias_axes="y")
    >>> layer(np.ones((4, 32, 128))).shape
    (4, 32, 64)
    """

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        reject_quantization(
            "EinsumDense",
            gptq_unpacked_column_size=gptq_unpacked_column_size,
            quantization_config=quantization_config,
        )
        super().__init__(**kwargs)
        self.equation = equation
        if isinstance(output_shape, int):
            output_shape = (output_shape,)
        self.partial_output_shape = tuple(output_shape)
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.quantization_config = quantization_config
        self._init_lora(lora_rank, lora_alpha)

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Creates the kernel and the bias for inputs of `input_shape`."""
        shapes = self._analyze(input_shape, check_ranks=False)
        if None in shapes.kernel or (shapes.bias is not None and None in shapes.bias):
            raise ValueError(
                f"{owner_name(self)}: the axes of the kernel and of the bias must have known "
                f"sizes. "
                f"Received: equation={self.equation!r}, input_shape={tuple(input_shape)}, "
                f"output_shape={self.partial_output_shape}."
            )
        self.full_output_shape = shapes.output
        self._kernel = self.add_weight(
            name="kernel",
            shape=shapes.kernel,
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if shapes.bias is not None:
            self.bias = self.add_weight(
                name="bias",
                shape=shapes.bias,
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True
        if self.lora_rank:
            self.enable_lora(self.lora_rank, lora_alpha=self.lora_alpha)

    @property
    def kernel(self) -> Any:
        """The kernel, with a low-rank update added if there is one."""
        return self.effective_weight()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns `activation(einsum(equation, inputs, kernel) + bias)`."""
        self.compute_output_shape(inputs.shape)
        x = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            x = ops.add(x, self.bias)
        if self.activation is not None:
            x = self.activation(x)
        return x

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape that the equation gives."""
        return self._analyze(input_shape).output

    def _analyze(self, input_shape: Any, check_ranks: bool = True) -> EinsumShapes:
        output_shape = self.partial_output_shape
        try:
            return analyze_equation(
                self.equation, self.bias_axes, input_shape, output_shape, check_ranks=check_ranks
            )
        except ValueError:
            # A wrong rank explains the error better than what follows from it.
            return analyze_equation(self.equation, self.bias_axes, input_shape, output_shape)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": self.quantization_config,
            **self._lora_config(),
        }
