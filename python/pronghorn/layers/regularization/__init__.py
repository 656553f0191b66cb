"""Layers: regularization. Import them from `pronghorn.layers`."""
