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
    if len(indices.shape) <= 2:
        return _counts(indices, depth, output_mode, dtype, count_weights)
    ones = ops.one_hot(indices, depth, dtype=dtype)
    if output_mode == "multi_hot":
        return ops.max(ones, axis=1)
    if count_weights is not None:
        weights = ops.cast(count_weights, dtype)
        ones = ops.multiply(ones, ops.expand_dims(ops.reshape(weights, indices.shape), axis=-1))
    return ops.sum(ones, axis=1)


def _counts(indices: Any, depth: int, output_mode: str, dtype: str, count_weights: Any) -> Any:
    """Rows of counts, by adding to them: one-hot vectors of long rows would fill the memory."""
    rows = 1 if len(indices.shape) == 1 else indices.shape[0]
    known = ops.logical_and(indices >= 0, indices < depth)
    # a place after each row takes what is outside
    place = ops.cast(ops.where(known, indices, depth), "int32")
    row = ops.reshape(ops.arange(rows, dtype="int32"), (rows, 1))
    places = ops.reshape(place, (rows, -1)) + row * (depth + 1)
    weights = ops.ones(indices.shape, "float32")
    if count_weights is not None and output_mode == "count":
        weights = ops.reshape(ops.cast(count_weights, "float32"), indices.shape)
    found = ops.segment_sum(
        ops.reshape(weights, (-1,)), ops.reshape(places, (-1,)), num_segments=rows * (depth + 1)
    )
    found = ops.reshape(found, (rows, depth + 1))[:, :depth]
    if output_mode == "multi_hot":
        found = found > 0
    found = ops.cast(found, dtype)
    return found[0] if len(indices.shape) == 1 else found


def encoded_shape(input_shape: Any, depth: int, output_mode: str) -> Shape:
    """Returns the shape of what `encode_integers` returns."""
    shape = tuple(input_shape)
    if output_mode == "int":
        return shape
    if output_mode == "one_hot":
        return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)
    return (depth,) if len(shape) <= 1 else (shape[0], *shape[2:], depth)
