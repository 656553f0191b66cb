"""Layers: pooling. Import them from `pronghorn.layers`."""
