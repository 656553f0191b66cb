"""Layers: normalization. Import them from `pronghorn.layers`."""
