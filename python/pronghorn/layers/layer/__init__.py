"""The base class of all layers, in parts: calls, building, weights, losses, configs, tracking."""

from pronghorn.layers.layer.layer import Layer

__all__ = ["Layer"]
