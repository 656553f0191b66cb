"""ONNX files: models for and from ONNX Runtime and other programs."""

from pronghorn.onnx.export import export_model
from pronghorn.onnx.importing import import_model

__all__ = ["export_model", "import_model"]
