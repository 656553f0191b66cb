"""Layers: activations. Import them from `pronghorn.layers`."""
