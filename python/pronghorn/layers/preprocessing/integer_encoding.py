"""Integers as one-hot, multi-hot or count vectors: what several preprocessing layers end with."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import Shape


def encode_integers(
    indices: Any, depth: int, output_mode: str, dtype: str, count_weights: Any = None
) -> Any:
    """Returns integers in one of four forms.

    Args:
        indices: Integers from 0 to below `depth`.
        depth: Length of the vectors.
        output_mode: `"int"`: the integers. `"one_hot"`: a vector for each integer, in a new last
            axis (or in place of one of size 1). `"multi_hot"`: one vector per sample, with 1 where
            the integer occurs. `"count"`: the same with the number of occurrences.
        dtype: Dtype of the vectors.
        count_weights: Weight of each integer in `"count"`, of the shape of `indices`.

    Returns:
        A tensor of the shape that `encoded_shape` gives.
    """
    if output_mode == "int":
        return indices
    if output_mode == "one_hot":
        if len(indices.shape) > 1 and indices.shape[-1] == 1:
            indices = ops.squeeze(indices, axis=-1)
        return ops.one_hot(indices, depth, dtype=dtype)
    if len(indices.shape) == 0:
        indices = ops.reshape(indices, (1,))
    axis = 0 if len(indices.shape) == 1 else 1
    if output_mode == "multi_hot":
        return ops.max(ops.one_hot(indices, depth, dtype=dtype), axis=axis)
    ones = ops.one_hot(indices, depth, dtype=dtype)
    if count_weights is not None:
        weights = ops.cast(count_weights, dtype)
        ones = ops.multiply(ones, ops.expand_dims(ops.reshape(weights, indices.shape), axis=-1))
    return ops.sum(ones, axis=axis)


def encoded_shape(input_shape: Any, depth: int, output_mode: str) -> Shape:
    """Returns the shape of what `encode_integers` returns."""
    shape = tuple(input_shape)
    if output_mode == "int":
        return shape
    if output_mode == "one_hot":
        return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)
    return (depth,) if len(shape) <= 1 else (shape[0], *shape[2:], depth)
