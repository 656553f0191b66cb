"""Masks: the attribute `_keras_mask` that a tensor carries from layer to layer."""

from __future__ import annotations

from typing import Any

from pronghorn import tree
from pronghorn.tensor import Tensor


def get_keras_mask(x: Any) -> Any:
    """Returns the mask that `x` carries, or None."""
    return getattr(x, "_keras_mask", None)


def set_keras_mask(x: Any, mask: Any) -> None:
    """Makes `x` carry `mask`."""
    x._keras_mask = mask


def masks_of(x: Any) -> Any:
    """Returns the structure of the masks that the tensors in `x` carry; None if there is none."""
    if isinstance(x, Tensor) or not tree.is_nested(x):
        return getattr(x, "_keras_mask", None)
    masks = tree.map_structure(get_keras_mask, x)
    return masks if any(m is not None for m in tree.flatten(masks)) else None


def set_output_masks(outputs: Any, masks: Any) -> None:
    """Makes each tensor in `outputs` that carries no mask yet carry its mask of `masks`."""
    if masks is None:
        return
    tensors = tree.flatten(outputs)
    if not tree.is_nested(masks):
        flat_masks = [masks] * (1 if len(tensors) == 1 else 0)
    else:
        flat_masks = tree.flatten(masks)
    for tensor, mask in zip(tensors, flat_masks):
        if mask is not None and get_keras_mask(tensor) is None and hasattr(tensor, "shape"):
            tensor._keras_mask = mask
