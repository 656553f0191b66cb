"""ONNX files as functional models."""

from __future__ import annotations

from pronghorn.onnx.importing.description import describe, problems
from pronghorn.onnx.importing.file import require_onnx
from pronghorn.onnx.importing.model import import_model

__all__ = ["describe", "import_model", "problems", "require_onnx"]
