"""Layers: attention. Import them from `pronghorn.layers`."""
