"""Layers: convolutional. Import them from `pronghorn.layers`."""
