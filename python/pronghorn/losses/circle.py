"""Circle loss of embeddings. Source: Sun et al., 2020, equation 6."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import ops
from pronghorn.losses.function_loss import LABEL_FUNCTIONS
from pronghorn.losses.loss import set_mask, to_dtype


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Circle loss: pairs of equal labels shall be similar, others not, each paced by its distance.

    Args:
        y_true: Labels `(batch,)` or `(batch, 1)`.
        y_pred: Embeddings `(batch, size)` of length 1.
        ref_labels: Labels of the embeddings to compare with, those of the batch by default.
        ref_embeddings: Embeddings to compare with.
        remove_diagonal: Whether a sample is no positive of itself.
        gamma: Scale.
        margin: Relaxation of the margins.

    Returns:
        Losses `(batch,)`; 0 where there is no positive or no negative.

    Raises:
        ValueError: If only one of `ref_labels` and `ref_embeddings` is given.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    dtype = y_pred.dtype if y_pred.dtype in ("float32", "float16", "bfloat16") else "float32"
    y_pred = to_dtype(y_pred, dtype)
    labels = to_dtype(y_true, "int32")
    if ref_embeddings is not None and ref_labels is None:
        raise ValueError("circle: ref_labels must be given with ref_embeddings. Received: None.")
    embeddings = y_pred if ref_embeddings is None else to_dtype(ref_embeddings, dtype)
    others = labels if ref_labels is None else to_dtype(ref_labels, "int32")
    labels = ops.reshape(labels, (-1, 1))
    others = ops.reshape(others, (1, -1))

    similarity = ops.minimum(ops.matmul(y_pred, ops.transpose(embeddings)), 1.0)
    positive = ops.equal(labels, others)
    negative = ops.logical_not(positive)
    if remove_diagonal:
        off_diagonal = ~np.eye(labels.shape[0], others.shape[1], dtype=bool)
        positive = ops.logical_and(positive, ops.convert_to_tensor(off_diagonal))
    positive_pace = ops.relu(1.0 + margin - similarity)
    negative_pace = ops.relu(similarity + margin)
    positive_logits = -gamma * positive_pace * (similarity - (1.0 - margin))
    negative_logits = gamma * negative_pace * (similarity - margin)
    positive_sum, has_positive = _masked_logsumexp(positive_logits, positive)
    negative_sum, has_negative = _masked_logsumexp(negative_logits, negative)
    losses = ops.softplus(positive_sum + negative_sum)
    counted = ops.logical_and(has_positive, has_negative)
    losses = ops.where(counted, losses, ops.zeros_like(losses))
    set_mask(losses, has_positive)  # a sample without a positive does not count in means
    return losses


def _masked_logsumexp(x: Any, mask: Any) -> tuple[Any, Any]:
    """Returns `log(sum(exp(x)))` of each row over `mask`, and whether that has any element."""
    lowest = ops.where(mask, x, ops.full_like(x, -1e30 if x.dtype != "float16" else -6e4))
    largest = ops.stop_gradient(ops.max(lowest, axis=1, keepdims=True))
    terms = ops.where(mask, ops.exp(lowest - largest), ops.zeros_like(x))
    total = ops.sum(terms, axis=1)
    any_element = ops.any(mask, axis=1)
    safe_total = ops.where(any_element, total, ops.ones_like(total))
    return ops.log(safe_total) + ops.squeeze(largest, axis=1), any_element


LABEL_FUNCTIONS.add(circle)
