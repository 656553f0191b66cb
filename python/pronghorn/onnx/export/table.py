"""The table of converters: one for each op of the core that inference can have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pronghorn.onnx.export.graph import Node, Type
from pronghorn.onnx.export.sizes import Size, fixed
from pronghorn.onnx.export.writer import Writer, stored

Converter = Callable[["Call"], Any]

CONVERTERS: dict[str, Converter] = {}
"""By op: a function of a `Call` that returns the name of the output, or a list of names."""

EXACT: set[str] = set()
"""Ops whose results are elements of their operands: there is nothing to round."""

_GRADIENT = "it computes a gradient"
_RANDOM = "it draws random numbers"
_COMPILED = "only compiled programs have it"
_CTC = "ONNX has no such operator"

REFUSED: dict[str, str] = {
    **dict.fromkeys(
        (
            "softmax_grad", "sparse_softmax_cross_entropy_grad", "softmax_cross_entropy_grad",
            "batch_norm_grad", "layer_norm_grad", "rms_norm_grad", "conv_dw", "depthwise_conv_dw",
            "max_pool_grad", "max_pool_take", "average_pool_grad", "simple_rnn_grad", "lstm_grad",
            "gru_grad", "gru_reset_before_grad", "attention_grad",
        ),
        _GRADIENT,
    ),
    **dict.fromkeys(
        (
            "random_bits", "random_uniform", "random_normal", "random_truncated_normal", "dropout",
        ),
        _RANDOM,
    ),
    **dict.fromkeys(("matmul_packed", "pack_weights", "conv_packed", "pack_conv"), _COMPILED),
    **dict.fromkeys(("sparse_cross_entropy", "cross_entropy"), "graphs have other ops instead"),
    **dict.fromkeys(("ctc_loss", "ctc_beam_search"), _CTC),
    "while_loop": "the number of its steps depends on data, and its body is compiled",
}  # fmt: skip
"""Ops that are refused, with the reason."""


class Call:
    """A node to convert.

    Args:
        writer: Where operators go.
        node: The node.
    """

    def __init__(self, writer: Writer, node: Node) -> None:
        self.w = writer
        self.node = node
        self.attrs = node.attrs
        self.inputs = [writer.values[r] for r in node.inputs]
        self.types = [writer.type_of(r) for r in node.inputs]

    @property
    def x(self) -> str:
        """The first operand."""
        return self.inputs[0]

    def type(self, i: int = 0) -> Type:
        """Returns the type of an operand."""
        return self.types[i]

    def shape(self, i: int = 0) -> tuple[Size, ...]:
        """Returns the shape of an operand."""
        return self.type(i).shape

    def dtype(self, i: int = 0) -> str:
        """Returns the dtype that an operand has in the file."""
        return stored(self.type(i).dtype)

    def rank(self, i: int = 0) -> int:
        """Returns the rank of an operand."""
        return self.type(i).rank

    @property
    def out(self) -> Type:
        """Type of the first output."""
        return self.node.outputs[0]

    def axis(self, name: str = "axis") -> int:
        """Returns an attribute that is an axis of the first operand, counted from the front."""
        return int(self.attrs[name]) % max(self.rank(), 1)

    def refuse(self, reason: str) -> ValueError:
        """Returns the error for a node that cannot be exported."""
        return ValueError(f"{describe(self.node)} cannot be exported: {reason}.")

    def known(self, size: Size | int, what: str) -> int:
        """Returns a size that must be known; raises an error that names it."""
        value = size if isinstance(size, int) else fixed(size)
        if value is None:
            raise self.refuse(f"{what} must be known; pass an `input_signature` with its size")
        return value

    def within(self, dtypes: Sequence[str], function: Callable[..., str]) -> str:
        """Applies a function to the operands as one of `dtypes`, the result cast back.

        Operands of other dtypes become int32 or, if they may not fit, int64.
        """
        dtype = self.dtype()
        if dtype in dtypes:
            return function(*self.inputs)
        wide = "int64" if dtype in ("uint32", "int64") or "int32" not in dtypes else "int32"
        result = function(*(self.w.cast(x, wide) for x in self.inputs))
        return self.w.cast(result, stored(self.out.dtype))


def describe(node: Node) -> str:
    """Returns what an error calls a node: its op and the layer that made it."""
    return (
        f"Operation '{node.op}' of layer '{node.scope}'" if node.scope else f"Operation '{node.op}'"
    )


def converter(*names: str, exact: bool = False) -> Callable[[Converter], Converter]:
    """Registers the converter of some ops.

    Args:
        *names: Their names.
        exact: Whether results are elements of the operands.
    """

    def register(function: Converter) -> Converter:
        for name in names:
            CONVERTERS[name] = function
        if exact:
            EXACT.update(names)
        return function

    return register
