"""Layers: merging. Import them from `pronghorn.layers`."""
