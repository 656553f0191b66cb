"""FusedRNN: base class of the recurrent layers whose steps are one op of the core."""

from __future__ import annotations

from typing import Any

from pronghorn import activations, ops
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.rnn.rnn import RNN
from pronghorn.ops import recurrent
from pronghorn.variable import AutocastScope

_NAMES = {getattr(activations, name): name for name in sorted(recurrent.ACTIVATIONS)}


def of_cell(name: str) -> Any:
    """Returns a property: the attribute of that name of the layer's cell."""
    return property(lambda self: getattr(self.cell, name), doc=f"`{name}` of the cell.")


class FusedRNN(RNN):
    """A recurrent layer with a `GatedCell`.

    The products of the inputs of all steps are one matrix product; the steps are one op. With
    recurrent dropout while training, or an activation that the op does not know, the cell is
    unrolled instead.
    """

    units = of_cell("units")
    activation = of_cell("activation")
    use_bias = of_cell("use_bias")
    kernel_initializer = of_cell("kernel_initializer")
    recurrent_initializer = of_cell("recurrent_initializer")
    bias_initializer = of_cell("bias_initializer")
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")

    def __init__(self, cell: Any, use_cudnn: Any = None, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self.input_spec = InputSpec(ndim=3)
        if use_cudnn not in (None, "auto", True, False):
            raise ValueError(
                f"{owner_name(self)}: Invalid value received for argument `use_cudnn`. Expected "
                f"one of {{'auto', True, False}}. Received: use_cudnn={use_cudnn!r}."
            )
        if use_cudnn is not None:
            self.use_cudnn = use_cudnn

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, Any]:
        """Runs all steps; returns the last output, all outputs and the last states."""
        cell = self.cell
        if getattr(self, "use_cudnn", None) is True:
            raise ValueError(
                f"{owner_name(self)}: use_cudnn=True was specified, but cuDNN is not supported for "
                "this layer configuration with this backend. Pass use_cudnn='auto' to fallback to "
                "a non-cuDNN implementation."
            )
        names = self._activation_names()
        by_gate = cell.recurrent_dropout > 0 or (cell.dropout > 0 and cell.implementation == 1)
        if names is None or (training and by_gate):
            return super().inner_loop(sequences, initial_state, mask, training)
        if training and 0 < cell.dropout < 1:
            dropped = cell.get_dropout_mask(sequences[:, 0])
            sequences = ops.multiply(sequences, ops.expand_dims(dropped, 1))
        kernel = cell.kernel
        with AutocastScope(None):  # sums and state are float32, whatever the products are
            bias, state_bias = self._biases()
            sums = recurrent.input_sums(sequences, kernel, bias)
            options = {**names, "bfloat16": cell.compute_dtype == "bfloat16"}
            y, *states = self._fused(sums, state_bias, initial_state, mask, options)
        last = states[0]
        if mask is not None and self.zero_output_for_mask:
            final = mask[:, 0 if self.go_backwards else -1]
            last = ops.where(ops.expand_dims(final, 1), last, ops.zeros_like(last))
            y = ops.where(ops.expand_dims(mask, 2), y, ops.zeros_like(y))
        if self.go_backwards and self.return_sequences:
            y = ops.flip(y, axis=1)
        return last, y, states

    def _activation_names(self) -> dict[str, str] | None:
        """Returns the functions as the op knows them; None if it does not know one."""
        cell = self.cell
        functions = {"activation": cell.activation}
        if cell.gates > 1:
            functions["recurrent_activation"] = cell.recurrent_activation
        names = {
            k: "linear" if f is None else _NAMES.get(f, "") if callable(f) else ""
            for k, f in functions.items()
        }
        return names if all(names.values()) else None

    def _biases(self) -> tuple[Any, Any]:
        """Returns the bias of the inputs and that of the state, or None."""
        return self.cell.bias, None

    def _fused(
        self, sums: Any, state_bias: Any, states: list[Any], mask: Any, options: dict[str, Any]
    ) -> Any:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        from pronghorn import regularizers

        config = super().get_config()
        del config["cell"]
        cell = self.cell.get_config()
        own = {k: v for k, v in cell.items() if k not in ("name", "trainable", "dtype")}
        activity = regularizers.serialize(self.activity_regularizer)
        return {**config, **own, "activity_regularizer": activity}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Returns a layer with the arguments in `config`."""
        return cls(**config)


def cell_arguments(given: dict[str, Any], kwargs: dict[str, Any], name: str) -> dict[str, Any]:
    """Returns the arguments of the cell among those of the layer's constructor.

    Args:
        given: The local variables of the constructor.
        kwargs: Its keyword arguments; `implementation` is taken out.
        name: The name of the cell.
    """
    not_cell = {
        "self", "kwargs", "__class__", "activity_regularizer", "return_sequences", "return_state",
        "go_backwards", "stateful", "unroll", "use_cudnn",
    }  # fmt: skip
    return {
        **{k: v for k, v in given.items() if k not in not_cell},
        "dtype": kwargs.get("dtype"),
        "trainable": kwargs.get("trainable", True),
        "name": name,
        "implementation": kwargs.pop("implementation", 2),
    }
