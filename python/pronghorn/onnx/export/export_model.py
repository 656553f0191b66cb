"""export_model: writes a model's inference as an ONNX file."""

from __future__ import annotations

import os
from typing import Any

from pronghorn.onnx.export.cleanup import drop_unused, merge_biases, merge_pairs, share_transposed
from pronghorn.onnx.export.convert import convert
from pronghorn.onnx.export.graph import trace_graph
from pronghorn.onnx.export.guards import guard_padding
from pronghorn.onnx.export.proto import IR_VERSIONS, File, write
from pronghorn.onnx.export.signature import signature_of
from pronghorn.onnx.export.transposes import move_transposes
from pronghorn.utils.output import print_msg

DEFAULT_OPSET = 18


def export_model(
    model: Any,
    filepath: Any,
    verbose: Any = None,
    input_signature: Any = None,
    opset_version: int | None = None,
) -> None:
    """Writes a model's inference as an ONNX file, for ONNX Runtime and other programs.

    The model is traced as in `predict` (`training=False`), so layers of one's own are exported like
    any other. Dimensions that are `None` stay unknown in the file; that of the batch is named
    "batch", dimensions that the model needs to be equal have one name. What Python decides by an
    unknown size is exported as for sizes of about a hundred; a model that does not take sizes of
    all remainders is exported for multiples of 32. Masked recurrent layers are exact for
    masks of any pattern. Values of float16 and bfloat16 are kept as float32 and rounded where the
    model rounds, so that the file runs anywhere; inputs and outputs of bfloat16 are float32.

    Refused, with an error that names the layer: models that change variables or draw random numbers
    at inference (stateful recurrent layers), strings, `ops.while_loop`, CTC, steps of a custom cell
    over an unknown length, values that follow from unknown sizes otherwise than by sums, products
    and quotients (resizing, adaptive pooling). An index outside of an `Embedding` is an error of
    the program that runs the file.

    Args:
        model: A built `Model` or layer.
        filepath: Path of the file, usually `*.onnx`.
        verbose: Whether to print where the file is; by default it is.
        input_signature: Structure of `InputSpec`, KerasTensor or arrays like the inputs, or a list
            of such for the arguments of the call. By default the model's own inputs.
        opset_version: Version of the ONNX operators, 18 to 23; by default 18.

    Raises:
        ImportError: The package onnx is missing.
        TypeError: `model` is no layer.
        ValueError: The model cannot be exported, or would have 2 GB or more.

    Example:

    >>> import pronghorn as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    >>> keras.onnx.export_model(model, "classifier.onnx")
    Saved artifact at 'classifier.onnx'.
    """
    from pronghorn.layers.layer import Layer

    if not isinstance(model, Layer):
        raise TypeError(f"export: expected a model or layer. Received: {type(model).__name__}.")
    owner = f"export of {type(model).__name__} '{model.name}'"
    onnx = _import_onnx(owner)
    opset = _checked_opset(onnx, opset_version, owner)
    path = os.fspath(filepath)
    if not model.built:
        raise ValueError(
            f"{owner}: the model is not built. Call it on data, or give it an `Input`, first."
        )
    signature = signature_of(model, input_signature, owner)
    graph = trace_graph(model, signature, owner)
    writer = convert(graph, [x.name for x in signature.inputs], opset)
    outputs = [writer.values[r] for r in graph.outputs]
    drop_unused(writer, outputs)
    outputs = move_transposes(writer, outputs)
    drop_unused(writer, outputs)
    merge_biases(writer, outputs)
    merge_pairs(writer, outputs)
    guard_padding(writer)
    drop_unused(writer, outputs)
    share_transposed(writer)
    write(onnx, File(writer, graph, signature, outputs, model.name), path)
    if verbose is None or verbose:
        print_msg(f"Saved artifact at '{path}'.")


def _import_onnx(owner: str) -> Any:
    try:
        import onnx
        import onnx.checker
        import onnx.helper
    except ImportError as e:
        raise ImportError(f"{owner}: needs onnx. `pip install pronghorn[onnx]`.") from e
    return onnx


def _checked_opset(onnx: Any, version: int | None, owner: str) -> int:
    if version is None:
        return DEFAULT_OPSET
    newest = min(max(IR_VERSIONS), onnx.defs.onnx_opset_version())
    if isinstance(version, bool) or not isinstance(version, int):
        raise ValueError(f"{owner}: opset_version must be an int. Received: {version!r}.")
    if not min(IR_VERSIONS) <= version <= newest:
        raise ValueError(
            f"{owner}: expected opset_version from {min(IR_VERSIONS)} to {newest}. "
            f"Received: opset_version={version}."
        )
    return version
