"""ONNX export: a model's traced inference becomes a graph of ONNX operators."""

from pronghorn.onnx.export.export_model import export_model

__all__ = ["export_model"]
