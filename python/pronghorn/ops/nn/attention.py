"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn.ops.arguments import TensorLike, apply, as_tensor, promote_to_float, scalar_like
from pronghorn.ops.operation import op
from pronghorn.ops.products import multiply_matrices
from pronghorn.tensor import Tensor, convert_to_tensor


@op
def dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    bias: TensorLike = None,
    mask: TensorLike = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """Returns the means of values, weighted by the softmax of products of queries and keys.

    Args:
        query: `(batch, queries, heads, size)`.
        key: `(batch, keys, key_heads, size)`; `heads` is a multiple of `key_heads`.
        value: `(batch, keys, key_heads, size)`.
        bias: what is added to the products, broadcast to `(batch, heads, queries, keys)`.
        mask: bool of the like shape: which products count.
        scale: what multiplies the products; by default `1 / sqrt(size)`.
        is_causal: whether a query only sees keys up to its own place.
        flash_attention: must not be true: there is no flash kernel.
        attn_logits_soft_cap: a bound of the products, by tanh.

    Returns:
        A float tensor of the shape of `query`.

    Raises:
        ValueError: if ranks or heads do not fit, or for `flash_attention`.

    Example:

    >>> x = ops.ones((1, 2, 1, 4))
    >>> ops.dot_product_attention(x, x, x).shape
    (1, 2, 1, 4)
    """
    if flash_attention:
        raise ValueError("dot_product_attention: there is no flash kernel. Received: True.")
    q, k, v = promote_to_float(as_tensor(query), as_tensor(key), as_tensor(value))
    if q.ndim != 4 or k.ndim != 4 or v.ndim != 4:
        raise ValueError(
            "`dot_product_attention` only supports 4D inputs. "
            f"Received: query.shape={q.shape}, key.shape={k.shape}, value.shape={v.shape}."
        )
    batch, queries, heads, size = q.shape
    keys, key_heads = k.shape[1:3]
    if heads % key_heads:
        raise ValueError(
            "dot_product_attention: the heads of `query` must be a multiple of those of `key`. "
            f"Received: query.shape={q.shape}, key.shape={k.shape}."
        )
    group = heads // key_heads
    q, k, v = _heads_first(q), _heads_first(k), _heads_first(v)
    # the heads that share a key are rows of one product
    rows = apply("reshape", q, shape=[batch, key_heads, group * queries, size])
    logits = multiply_matrices(rows, k, transpose_b=True)
    logits = as_tensor(apply("reshape", logits, shape=[batch, heads, queries, keys]), "float32")
    factor = 1.0 / math.sqrt(size) if scale is None else float(scale)
    logits = apply("multiply", logits, scalar_like(factor, logits))
    if attn_logits_soft_cap is not None:
        cap = scalar_like(float(attn_logits_soft_cap), logits)
        logits = apply("multiply", cap, apply("tanh", apply("divide", logits, cap)))
    if bias is not None:
        logits = apply("add", logits, as_tensor(as_tensor(bias), "float32"))
    lowest = as_tensor(-0.7 * float(np.finfo(np.float32).max), "float32")
    for seen in _masks(mask, is_causal, queries, keys):
        logits = apply("where", seen, logits, lowest)
    weights = as_tensor(apply("softmax", logits, axis=3), v.dtype)
    weights = apply("reshape", weights, shape=[batch, key_heads, group * queries, keys])
    found = multiply_matrices(weights, v)
    found = apply("reshape", found, shape=[batch, heads, queries, v.shape[-1]])
    return apply("transpose", found, axes=[0, 2, 1, 3])


def _heads_first(x: Tensor) -> Tensor:
    return apply("transpose", x, axes=[0, 2, 1, 3])


def _masks(mask: Any, is_causal: bool, queries: int, keys: int) -> list[Tensor]:
    masks = []
    if mask is not None:
        given = as_tensor(mask)
        if given.dtype != "bool":
            raise ValueError(
                f"`mask.dtype` must be bool. Received: mask.dtype={given.dtype}, bias={given}"
            )
        masks.append(given)
    if is_causal:
        masks.append(convert_to_tensor(np.tri(queries, keys, dtype=bool)))
    return masks
