"""Scaled dot-product attention."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pronghorn import config
from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    apply_many,
    as_tensor,
    promote_to_float,
    scalar_like,
)
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

    Its fused form never makes the matrix of all weights: memory grows with the number of queries
    and keys, not with their product. Rabe and Staats, "Self-attention Does Not Need O(n^2) Memory",
    2021; Dao et al., "FlashAttention", 2022. Sums are float32 whatever the dtype; it has no second
    derivative.

    Args:
        query: `(batch, queries, heads, size)`.
        key: `(batch, keys, key_heads, size)`; `heads` is a multiple of `key_heads`.
        value: `(batch, keys, key_heads, value_size)`.
        bias: what is added to the products, broadcast to `(batch, heads, queries, keys)`.
        mask: bool of the like shape: which products count. A query for which none counts weighs
            all keys alike.
        scale: what multiplies the products; by default `1 / sqrt(size)`.
        is_causal: whether a query only sees keys up to its own place.
        flash_attention: whether the fused form is used; by default what
            `config.is_flash_attention_enabled()` says.
        attn_logits_soft_cap: a bound of the products, by tanh; the fused form has none.

    Returns:
        A float tensor `(batch, queries, heads, value_size)`.

    Raises:
        ValueError: if shapes do not fit, or for `flash_attention=True` with a soft cap.

    Example:

    >>> x = ops.ones((1, 2, 1, 4))
    >>> ops.dot_product_attention(x, x, x).shape
    (1, 2, 1, 4)
    """
    q, k, v = promote_to_float(as_tensor(query), as_tensor(key), as_tensor(value))
    _check(q, k, v)
    if flash_attention and attn_logits_soft_cap is not None:
        raise ValueError(
            "dot_product_attention: the fused form has no soft cap. Received: "
            f"flash_attention=True, attn_logits_soft_cap={attn_logits_soft_cap}."
        )
    factor = 1.0 / math.sqrt(q.shape[3]) if scale is None else float(scale)
    masks = [] if mask is None else [mask]
    if attn_logits_soft_cap is None and uses_fused_attention(flash_attention):
        return fused_attention(q, k, v, factor, bias=bias, masks=masks, is_causal=is_causal)
    return _composed(q, k, v, factor, bias, masks, is_causal, attn_logits_soft_cap)


def uses_fused_attention(flash_attention: bool | None) -> bool:
    """Returns whether attention is fused: as asked for, by default as configured."""
    return config.is_flash_attention_enabled() if flash_attention is None else flash_attention


def fused_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    scale: float,
    *,
    bias: TensorLike = None,
    masks: Sequence[TensorLike] = (),
    is_causal: bool = False,
    window: int | None = None,
    dropout: float = 0.0,
    seed: Tensor | None = None,
) -> Tensor:
    """Attention as one op of the core. Layers use it.

    Args:
        query: `(batch, queries, heads, size)`.
        key: `(batch, keys, key_heads, size)`.
        value: `(batch, keys, key_heads, value_size)`.
        scale: what multiplies the products.
        bias: of rank 4 or less, broadcast to `(batch, heads, queries, keys)`.
        masks: bools of the like shape; a query sees a key where all are true.
        is_causal: whether a query only sees keys up to its own place.
        window: a query sees keys that are less than so many places away.
        dropout: fraction of the weights that is dropped.
        seed: key of the random numbers that choose them.

    Returns:
        `(batch, queries, heads, value_size)` of the dtype of `value`.
    """
    operands = [query, key, value]
    if any(x.dtype != "bfloat16" for x in operands):
        operands = [as_tensor(x, "float32") for x in operands]
    if dropout > 0.0:
        assert seed is not None
        operands.append(seed)
    if bias is not None:
        operands.append(_of_rank_4(as_tensor(as_tensor(bias), "float32"), "bias"))
    operands += [_of_rank_4(_as_mask(m), "mask") for m in masks]
    y, _ = apply_many(
        "attention",
        *operands,
        scale=scale,
        causal=bool(is_causal),
        window=int(window or 0),
        rate=float(dropout),
        has_bias=bias is not None,
        masks=len(masks),
    )
    return as_tensor(y, value.dtype)


def _check(q: Tensor, k: Tensor, v: Tensor) -> None:
    received = f"Received: query.shape={q.shape}, key.shape={k.shape}, value.shape={v.shape}."
    if q.ndim != 4 or k.ndim != 4 or v.ndim != 4:
        raise ValueError(f"`dot_product_attention` only supports 4D inputs. {received}")
    if k.shape[2] == 0 or q.shape[2] % k.shape[2]:
        raise ValueError(
            "dot_product_attention: the heads of `query` must be a multiple of those of `key`. "
            + received
        )
    if q.shape[0] != k.shape[0] or k.shape[:3] != v.shape[:3] or q.shape[3] != k.shape[3]:
        raise ValueError(
            "dot_product_attention: expected query (batch, queries, heads, size), key (batch, "
            f"keys, key_heads, size) and value (batch, keys, key_heads, value_size). {received}"
        )
    if 0 in (q.shape[3], v.shape[3]):
        raise ValueError(f"dot_product_attention: sizes of heads must not be 0. {received}")


def _as_mask(mask: TensorLike) -> Tensor:
    given = as_tensor(mask)
    if given.dtype != "bool":
        raise ValueError(
            f"`mask.dtype` must be bool. Received: mask.dtype={given.dtype}, bias={given}"
        )
    return given


def _of_rank_4(x: Tensor, name: str) -> Tensor:
    if x.ndim > 4:
        raise ValueError(
            f"dot_product_attention: expected a {name} that broadcasts to (batch, heads, queries, "
            f"keys). Received: {name}.shape={x.shape}."
        )
    return x if x.ndim == 4 else apply("reshape", x, shape=[*(1,) * (4 - x.ndim), *x.shape])


def _composed(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    scale: float,
    bias: TensorLike,
    masks: Sequence[TensorLike],
    is_causal: bool,
    soft_cap: float | None,
) -> Tensor:
    batch, queries, heads, size = q.shape
    keys, key_heads = k.shape[1:3]
    group = heads // key_heads
    q, k, v = _heads_first(q), _heads_first(k), _heads_first(v)
    # the heads that share a key are rows of one product
    rows = apply("reshape", q, shape=[batch, key_heads, group * queries, size])
    logits = multiply_matrices(rows, k, transpose_b=True)
    logits = as_tensor(apply("reshape", logits, shape=[batch, heads, queries, keys]), "float32")
    logits = apply("multiply", logits, scalar_like(scale, logits))
    if soft_cap is not None:
        cap = scalar_like(float(soft_cap), logits)
        logits = apply("multiply", cap, apply("tanh", apply("divide", logits, cap)))
    if bias is not None:
        logits = apply("add", logits, as_tensor(as_tensor(bias), "float32"))
    lowest = as_tensor(-0.7 * float(np.finfo(np.float32).max), "float32")
    seen = [_as_mask(m) for m in masks]
    if is_causal:
        seen.append(convert_to_tensor(np.tri(queries, keys, dtype=bool)))
    for mask in seen:
        logits = apply("where", mask, logits, lowest)
    weights = as_tensor(apply("softmax", logits, axis=3), v.dtype)
    weights = apply("reshape", weights, shape=[batch, key_heads, group * queries, keys])
    found = multiply_matrices(weights, v)
    found = apply("reshape", found, shape=[batch, heads, queries, v.shape[-1]])
    return apply("transpose", found, axes=[0, 2, 1, 3])


def _heads_first(x: Tensor) -> Tensor:
    return apply("transpose", x, axes=[0, 2, 1, 3])
