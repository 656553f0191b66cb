"""ONNX files: models written for ONNX Runtime and other programs."""

from pronghorn.onnx.export import export_model

__all__ = ["export_model"]
