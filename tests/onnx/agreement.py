"""Exports models and compares what ONNX Runtime makes of the files with this library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

INSTALL = "pip install pronghorn[onnx] onnxruntime"
onnx = pytest.importorskip("onnx", reason=INSTALL)
onnxruntime = pytest.importorskip("onnxruntime", reason=INSTALL)

EPSILON = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


def session(path: Path, optimized: bool = True) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(path: Path, inputs: list[np.ndarray]) -> list[np.ndarray]:
    found = session(path)
    names = [x.name for x in found.get_inputs()]
    return list(found.run(None, dict(zip(names, inputs))))


def compare(
    got: np.ndarray, expected: Any, terms: int = 64, epsilon: float = EPSILON["float32"]
) -> None:
    """Values agree up to `terms` roundings of the largest one; integers and bools exactly."""
    wanted = np.asarray(expected)
    assert got.shape == wanted.shape
    assert got.dtype == wanted.dtype
    if wanted.dtype.kind in "bui":
        np.testing.assert_array_equal(got, wanted)
        return
    wanted = wanted.astype(np.float64)
    finite = np.abs(wanted[np.isfinite(wanted)])
    scale = max(float(finite.max(initial=0.0)), 1.0)
    np.testing.assert_allclose(got.astype(np.float64), wanted, rtol=0, atol=terms * epsilon * scale)


def outside(dtype: str) -> str:
    """Returns the dtype of an input or output in a file."""
    return "float32" if dtype == "bfloat16" else dtype


def operators(path: Path) -> list[str]:
    """Returns the types of the operators of a file in order."""
    return [node.op_type for node in onnx.load(path).graph.node]
