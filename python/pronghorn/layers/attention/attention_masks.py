"""Which keys a query sees: the masks of attention layers combined into one."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import ops


def combine_masks(
    attention_mask: Any,
    query_mask: Any,
    value_mask: Any,
    key_mask: Any,
    queries: int,
    keys: int,
    is_causal: bool,
    sliding_window: int | None = None,
) -> Any:
    """Returns a bool mask that broadcasts to `(batch, queries, keys)`, or None where all are seen.

    Args:
        attention_mask: `(batch, queries, keys)`, or with more or fewer leading dimensions.
        query_mask: `(batch, queries)`: false for padding.
        value_mask: `(batch, keys)`.
        key_mask: `(batch, keys)`.
        queries: Number of queries.
        keys: Number of keys.
        is_causal: A query sees keys up to its own place.
        sliding_window: A query sees keys that are less than so many places away.
    """
    masks = []
    if attention_mask is not None:
        masks.append(ops.cast(attention_mask, "bool"))
    if query_mask is not None:
        masks.append(ops.expand_dims(ops.cast(query_mask, "bool"), -1))
    for mask in (value_mask, key_mask):
        if mask is not None:
            masks.append(ops.expand_dims(ops.cast(mask, "bool"), -2))
    if is_causal or sliding_window is not None:
        masks.append(ops.convert_to_tensor(place_mask(queries, keys, is_causal, sliding_window)))
    if not masks:
        return None
    combined = masks[0]
    for mask in masks[1:]:
        combined = ops.logical_and(combined, mask)
    return combined


def separate_masks(
    attention_mask: Any, query_mask: Any, value_mask: Any, key_mask: Any
) -> list[Any]:
    """Returns bools that broadcast to `(batch, heads, queries, keys)`: a key is seen where all are.

    Args:
        attention_mask: `(batch, queries, keys)`, `(batch, heads, queries, keys)` or less.
        query_mask: `(batch, queries)`: false for padding.
        value_mask: `(batch, keys)`.
        key_mask: `(batch, keys)`.
    """
    masks = []
    if attention_mask is not None:
        mask = ops.cast(attention_mask, "bool")
        masks.append(ops.expand_dims(mask, 1) if len(mask.shape) == 3 else mask)
    for mask, axes in ((query_mask, (1, 3)), (value_mask, (1, 2)), (key_mask, (1, 2))):
        if mask is not None:
            masks.append(ops.expand_dims(ops.cast(mask, "bool"), axes))
    return masks


def place_mask(queries: int, keys: int, is_causal: bool, sliding_window: int | None) -> np.ndarray:
    """Returns `(1, queries, keys)`: what is seen by place alone."""
    distance = np.arange(queries)[:, None] - np.arange(keys)[None, :]
    seen = distance >= 0 if is_causal else np.ones_like(distance, bool)
    if sliding_window is not None:
        seen = seen & (np.abs(distance) < sliding_window)
    return seen[None]
