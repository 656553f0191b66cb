"""Layers: preprocessing. Import them from `pronghorn.layers`."""
