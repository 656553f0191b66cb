"""ONNX files made in tests, and what ONNX Runtime computes of them."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="pip install 'pronghorn[onnx]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="pip install onnxruntime")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402


@dataclasses.dataclass
class Input:
    """An input of the graph.

    Args:
        array: What is given to it.
        shape: Its declared shape; by default that of the array.
    """

    array: np.ndarray
    shape: Any = None


def numbers(*shape: int, seed: int = 0, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """Returns float32 numbers between two bounds."""
    rng = np.random.default_rng(seed)
    return rng.uniform(low, high, shape).astype(np.float32)


def save(
    path: Any,
    nodes: list[Any],
    inputs: dict[str, Input],
    stored: dict[str, np.ndarray],
    outputs: list[str],
    opset: int = 17,
) -> str:
    """Writes a file; returns its path."""
    graph = helper.make_graph(
        nodes,
        "made",
        [
            helper.make_tensor_value_info(
                name,
                helper.np_dtype_to_tensor_dtype(x.array.dtype),
                x.array.shape if x.shape is None else x.shape,
            )
            for name, x in inputs.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in stored.items()],
    )
    versions = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8)
    onnx.save(model, path)
    return str(path)


def expected(path: str, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Returns what ONNX Runtime computes."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    found: list[np.ndarray] = session.run(None, inputs)
    return found


def check_file(path: str, inputs: dict[str, Any], tolerance: float = 2e-5, **kwargs: Any) -> Any:
    """Compares the imported model of a file with ONNX Runtime; returns the model."""
    from pronghorn.onnx import import_model

    arrays = {k: x.array if isinstance(x, Input) else x for k, x in inputs.items()}
    model = import_model(path, **kwargs)
    compare(model, arrays, expected(path, arrays), tolerance)
    return model


def compare(
    model: Any, arrays: dict[str, np.ndarray], wanted: list[np.ndarray], tolerance: float = 2e-5
) -> None:
    """Compares the outputs of a model with arrays: shapes, dtypes, numbers."""
    found = model(list(arrays.values()) if len(arrays) > 1 else next(iter(arrays.values())))
    found = found if isinstance(found, (list, tuple)) else [found]
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted):
        a = np.asarray(a)
        assert a.shape == b.shape
        assert a.dtype == (np.float32 if b.dtype == np.float64 else b.dtype)
        if b.dtype.kind == "f":
            finite = np.abs(b[np.isfinite(b)])
            scale = max(1.0, float(finite.max())) if finite.size else 1.0
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)
        else:
            np.testing.assert_array_equal(a, b)


__all__ = ["Input", "TensorProto", "check_file", "compare", "expected", "helper", "numbers", "save"]
