"""Layers that prepare images: sizes, and random changes of geometry and colour."""
