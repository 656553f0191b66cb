"""Layers: reshaping. Import them from `pronghorn.layers`."""
