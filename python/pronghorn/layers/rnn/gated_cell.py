"""GatedCell: what the cells of SimpleRNN, LSTM and GRU share: weights, dropout, configuration."""

from __future__ import annotations

from typing import Any

from pronghorn import activations, constraints, initializers, ops, random, regularizers
from pronghorn.layers.arguments import positive_integer
from pronghorn.layers.layer import Layer
from pronghorn.layers.rnn.dropout_masks import DropoutMasks

#: The constructor arguments that are found by name, in the order of their configuration.
_PARTS = {
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


class GatedCell(Layer, DropoutMasks):
    """A cell with `gates * units` sums of its inputs and its state.

    Args:
        units: Positive integer, the size of the state.
        arguments: The other constructor arguments of the cell, by name.
        **kwargs: `name`, `dtype`, `trainable`.
    """

    gates = 1
    recurrent_activation: Any = None
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any

    def __init__(self, units: int, arguments: dict[str, Any], **kwargs: Any) -> None:
        units = positive_integer(type(self).__name__, "units", units)
        implementation = kwargs.pop("implementation", 2)
        super().__init__(**kwargs)
        self.implementation = implementation
        self.units = units
        self.activation = activations.get(arguments["activation"])
        if "recurrent_activation" in arguments:
            self.recurrent_activation = activations.get(arguments["recurrent_activation"])
        self.use_bias = arguments["use_bias"]
        for name, module in _PARTS.items():
            setattr(self, name, module.get(arguments[name]))
        self.dropout = min(1.0, max(0.0, arguments["dropout"]))
        self.recurrent_dropout = min(1.0, max(0.0, arguments["recurrent_dropout"]))
        self.seed = arguments["seed"]
        self.seed_generator = random.SeedGenerator(seed=self.seed)
        if self.gates > 1:
            if self.recurrent_dropout != 0.0:
                self.implementation = 1
            if self.implementation == 1:
                self.dropout_mask_count = self.gates
        self.state_size: Any = units
        self.output_size = units

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Creates `kernel`, `recurrent_kernel` and `bias`."""
        columns = self.gates * self.units
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], columns),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, columns),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=self._bias_shape(),
                initializer=self._bias_start(),
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _bias_start(self) -> Any:
        return self.bias_initializer

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Returns states of zeros."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [ops.zeros((batch_size, n), dtype=self.compute_dtype) for n in sizes]

    # Each gate with a mask of its own, or one for all.

    def _input_sums(self, inputs: Any, bias: Any, training: bool) -> Any:
        """Returns the products of the inputs, dropped out if training, plus a bias."""
        kernel = self.kernel
        mask = self.get_dropout_mask(inputs) if training and 0 < self.dropout < 1 else None
        sums = masked_products(inputs, kernel, mask)
        return sums if bias is None else ops.add(sums, bias)

    def _state_sums(self, state: Any, kernel: Any, training: bool) -> Any:
        """Returns the products of the state with all columns of the recurrent kernel."""
        return masked_products(state, kernel, self._state_masks(state, training))

    def _state_masks(self, state: Any, training: bool) -> Any:
        if training and 0 < self.recurrent_dropout < 1:
            return self.get_recurrent_dropout_mask(state)
        return None

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        config = {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
        }
        if self.gates > 1:
            config["recurrent_activation"] = activations.serialize(self.recurrent_activation)
        for name, module in _PARTS.items():
            config[name] = module.serialize(getattr(self, name))
        return {
            **config,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }


def masked_products(x: Any, kernel: Any, masks: Any) -> Any:
    """Returns `x @ kernel` with `x` times a mask; with several, each for its share of columns."""
    if masks is None:
        return ops.matmul(x, kernel)
    if not isinstance(masks, tuple):
        return ops.matmul(ops.multiply(x, masks), kernel)
    parts = ops.split(kernel, len(masks), axis=1)
    products = [ops.matmul(ops.multiply(x, m), part) for m, part in zip(masks, parts)]
    return ops.concatenate(products, axis=-1)


def arguments_of(given: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments of a constructor among its local variables."""
    return {k: v for k, v in given.items() if k not in ("self", "units", "kwargs", "__class__")}
