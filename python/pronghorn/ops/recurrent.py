"""Recurrent layers as fused ops of the core: all time steps of a sequence in one call.

They take the sums of the inputs of all steps, which one matrix product made, and return the state
after each step (in the order of the input) and after the last one. Layers use them; Keras has no
public function of the kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn.ops.arguments import apply, apply_many, as_tensor
from pronghorn.ops.arithmetic import add
from pronghorn.ops.products import matmul
from pronghorn.tensor import Tensor

#: Activation functions that the fused ops know.
ACTIVATIONS = frozenset(
    {"linear", "tanh", "sigmoid", "relu", "hard_sigmoid", "softsign", "elu", "softplus"}
)


def _pack(kernel: Tensor, begin: int = 0, end: int | None = None) -> Tensor:
    end = kernel.shape[1] if end is None else end
    return apply("recurrent_pack", kernel, transpose=False, begin=begin, end=end)


def _run(
    name: str,
    sums: Tensor,
    operands: Sequence[Tensor],
    mask: Tensor | None,
    go_backwards: bool,
    bfloat16: bool,
    **functions: str,
) -> tuple[Tensor, ...]:
    inputs = [as_tensor(x, "float32") for x in (sums, *operands)]
    if mask is not None:
        inputs.append(as_tensor(mask, "bool"))
    return apply_many(
        name,
        *inputs,
        go_backwards=go_backwards,
        has_mask=mask is not None,
        bfloat16=bfloat16,
        **functions,
    )


def input_sums(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    """Returns `x kernel + bias` in float32, for the inputs of all steps.

    Args:
        x: `(batch, time, features)`; products of bfloat16 are not rounded.
        kernel: `(features, gates * units)`.
        bias: `(gates * units,)`, or None.
    """
    x, kernel = as_tensor(x), as_tensor(kernel)
    if x.dtype == kernel.dtype == "bfloat16":
        flags = {"transpose_a": False, "transpose_b": False, "float32_result": True}
        product = apply("matmul", x, kernel, **flags)
    else:
        product = as_tensor(matmul(x, kernel), "float32")
    return product if bias is None else add(product, as_tensor(bias, "float32"))


def simple_rnn(
    sums: Tensor,
    recurrent_kernel: Tensor,
    h: Tensor,
    mask: Tensor | None = None,
    *,
    activation: str = "tanh",
    go_backwards: bool = False,
    bfloat16: bool = False,
) -> tuple[Tensor, Tensor]:
    """Runs a simple recurrent layer.

    Args:
        sums: `(batch, time, units)`, the products of the inputs, with bias.
        recurrent_kernel: `(units, units)`.
        h: `(batch, units)`, the initial state.
        mask: `(batch, time)` bools; a step that is false leaves the state as it is.
        activation: one of `ACTIVATIONS`.
        go_backwards: whether to take the last step first.
        bfloat16: whether the operands of the products with the recurrent weights may be rounded to
            bfloat16; the state is float32 in any case.

    Returns:
        The states after each step, `(batch, time, units)`, and the last one.
    """
    u = as_tensor(recurrent_kernel, "float32")
    y, last, *_ = _run(
        "simple_rnn", sums, [u, _pack(u), h], mask, go_backwards, bfloat16, activation=activation
    )
    return y, last


def lstm(
    sums: Tensor,
    recurrent_kernel: Tensor,
    h: Tensor,
    c: Tensor,
    mask: Tensor | None = None,
    *,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    go_backwards: bool = False,
    bfloat16: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Runs a long short-term memory. Gates: input, forget, cell, output.

    Source: Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997.

    Args:
        sums: `(batch, time, 4 * units)`, the products of the inputs, with bias.
        recurrent_kernel: `(units, 4 * units)`.
        h: `(batch, units)`, the initial state.
        c: `(batch, units)`, the initial carry.
        mask: `(batch, time)` bools; a step that is false leaves the state as it is.
        activation: one of `ACTIVATIONS`.
        recurrent_activation: one of `ACTIVATIONS`.
        go_backwards: whether to take the last step first.
        bfloat16: whether the operands of the products with the recurrent weights may be rounded to
            bfloat16; the state is float32 in any case.

    Returns:
        The states after each step, `(batch, time, units)`, the last state and the last carry.
    """
    u = as_tensor(recurrent_kernel, "float32")
    y, last, carry, *_ = _run(
        "lstm",
        sums,
        [u, _pack(u), h, c],
        mask,
        go_backwards,
        bfloat16,
        activation=activation,
        recurrent_activation=recurrent_activation,
    )
    return y, last, carry


def gru(
    sums: Tensor,
    recurrent_kernel: Tensor,
    recurrent_bias: Tensor | None,
    h: Tensor,
    mask: Tensor | None = None,
    *,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    go_backwards: bool = False,
    bfloat16: bool = False,
    reset_after: bool = True,
) -> tuple[Tensor, Tensor]:
    """Runs a gated recurrent unit. Gates: update, reset, candidate.

    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical
    Machine Translation", 2014.

    Args:
        sums: `(batch, time, 3 * units)`, the products of the inputs, with bias.
        recurrent_kernel: `(units, 3 * units)`.
        recurrent_bias: `(3 * units,)`, of the state's product; only with `reset_after`.
        h: `(batch, units)`, the initial state.
        mask: `(batch, time)` bools; a step that is false leaves the state as it is.
        activation: one of `ACTIVATIONS`.
        recurrent_activation: one of `ACTIVATIONS`.
        go_backwards: whether to take the last step first.
        bfloat16: whether the operands of the products with the recurrent weights may be rounded to
            bfloat16; the state is float32 in any case.
        reset_after: whether the reset gate is applied after the product with the candidate's
            weights, or to the state before it.

    Returns:
        The states after each step, `(batch, time, units)`, and the last one.
    """
    u = as_tensor(recurrent_kernel, "float32")
    functions: dict[str, Any] = {
        "activation": activation,
        "recurrent_activation": recurrent_activation,
    }
    if reset_after:
        if recurrent_bias is None:
            zero = as_tensor(0.0, "float32")
            recurrent_bias = apply("broadcast_to", zero, shape=[u.shape[1]])
        operands = [u, _pack(u), recurrent_bias, h]
        y, last, *_ = _run("gru", sums, operands, mask, go_backwards, bfloat16, **functions)
        return y, last
    units = u.shape[0]
    operands = [u, _pack(u, 0, 2 * units), _pack(u, 2 * units, 3 * units), h]
    y, last, *_ = _run(
        "gru_reset_before", sums, operands, mask, go_backwards, bfloat16, **functions
    )
    return y, last
