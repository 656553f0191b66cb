"""Layers: core. Import them from `pronghorn.layers`."""
