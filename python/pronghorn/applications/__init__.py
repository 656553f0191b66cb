"""Layers that networks of Keras's `applications` are made of, and that it has nowhere else.

A file of such a network names them; the networks themselves are not in this package.
"""
