"""`describe` and `problems`: what an ONNX file holds, and why it would be refused."""

from __future__ import annotations

import os
from typing import Any

from pronghorn.onnx.importing.file import read_graph
from pronghorn.onnx.importing.tensors import dtype_name


def describe(path: str) -> dict[str, Any]:
    """Returns what is in a file: version, inputs, outputs, operators, arrays. Nothing is built.

    Args:
        path: Path of the file.

    Raises:
        ImportError: If the package onnx is missing.
        ValueError: If the file is refused.
    """
    graph = read_graph(path)
    counts: dict[str, int] = {}
    for node in graph.nodes:
        counts[node.operator] = counts.get(node.operator, 0) + 1

    def ports(items: Any) -> list[dict[str, Any]]:
        return [{"name": p.name, "shape": _shape(p.shape), "dtype": p.dtype} for p in items]

    return {
        "format": f"ONNX model, opset {graph.opset}",
        "producer": graph.producer,
        "name": graph.name,
        "inputs": ports(graph.inputs),
        "outputs": ports(graph.outputs),
        "operators": [{"operator": k, "count": counts[k]} for k in sorted(counts)],
        "arrays": [
            {
                "name": name,
                "shape": list(tensor.dims),
                "dtype": dtype_name(tensor.data_type, name),
            }
            for name, tensor in graph.stored.items()
        ],
    }


def _shape(shape: Any) -> list[int | str | None] | None:
    return None if shape is None else list(shape)


def problems(path: str) -> list[str]:
    """Returns why a file would not be imported; nothing is built of it.

    Whether an operator that is taken has options that are not, and whether shapes fit, is only
    known when the model is built.

    Args:
        path: Path of the file.

    Raises:
        ImportError: If the package onnx is missing.
        FileNotFoundError: If there is no such file.
    """
    from pronghorn.onnx.importing.model import refused_operators

    if not os.path.isfile(path):
        raise FileNotFoundError(f"expected an existing file. Received: {path}.")
    try:
        return refused_operators(read_graph(path))
    except ValueError as error:
        return [str(error)]
