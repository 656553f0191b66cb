"""AdditiveAttention: attention by a sum of query and key (Bahdanau et al., 2014)."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.attention.attention import Attention


class AdditiveAttention(Attention):
    """Means of values, weighted by the softmax of `sum(scale * tanh(query + key))`.

    Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly Learning to Align and
    Translate", 2014, appendix A.1.2.

    Args:
        use_scale: Whether a learned vector multiplies the terms.
        dropout: Fraction of the weights that is dropped while training.
        **kwargs: `seed`, `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: `[query, value]` or `[query, value, key]`; the key is the value by default.
        mask: `[query mask, value mask]`, or None.
        training: Whether weights are dropped.
        return_attention_scores: Whether the weights are returned, too.
        use_causal_mask: Whether a query sees keys up to its own place only.

    Input shape:
        query `(batch, queries, size)`, value `(batch, keys, size)`, key `(batch, keys, size)`.

    Output shape:
        `(batch, queries, size)`; the weights `(batch, queries, keys)`.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> query, value = np.ones((2, 3, 4), "float32"), np.ones((2, 5, 4), "float32")
    >>> keras.layers.AdditiveAttention()([query, value]).shape
    (2, 3, 4)
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Makes the scale."""
        self._check_inputs(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(
                name="scale",
                shape=(input_shape[0][-1],),
                initializer="glorot_uniform",
                dtype=self.dtype,
                trainable=True,
            )
        self.built = True

    def _calculate_scores(self, query: Any, key: Any) -> Any:
        total = ops.tanh(ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3)))
        if self.scale is not None:
            total = ops.multiply(self.scale, total)
        return ops.sum(total, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        config = super().get_config()
        del config["score_mode"]
        return config
