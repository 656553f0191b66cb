"""Attention: dot-product attention of sequences (Luong et al., 2015)."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import ops, random
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.attention.attention_masks import combine_masks, separate_masks
from pronghorn.layers.layer import Layer
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.ops.nn.attention import fused_attention, uses_fused_attention


class Attention(Layer):
    """Means of values, weighted by the softmax of the scores of queries and keys.

    The scores are products of queries and keys (Luong et al., "Effective Approaches to
    Attention-based Neural Machine Translation", 2015, section 3.1), or the sum over
    `tanh(query + key)`.

    Args:
        use_scale: Whether a learned scalar multiplies the scores.
        score_mode: `"dot"` or `"concat"`.
        dropout: Fraction of the weights that is dropped while training.
        seed: Seed of the dropout.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: `[query, value]` or `[query, value, key]`; the key is the value by default.
        mask: `[query mask, value mask]` of shapes `(batch, queries)` and `(batch, keys)`, or None.
            Masked keys are not seen; at masked queries the output is 0.
        training: Whether weights are dropped.
        return_attention_scores: Whether the weights are returned, too.
        use_causal_mask: Whether a query sees keys up to its own place only.

    Input shape:
        query `(batch, queries, size)`, value `(batch, keys, value_size)`, key
        `(batch, keys, size)`.

    Output shape:
        `(batch, queries, value_size)`; the weights `(batch, queries, keys)`.

    Raises:
        ValueError: If an argument, or the number of inputs or masks, is wrong.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> query, value = np.ones((2, 3, 4), "float32"), np.ones((2, 5, 4), "float32")
    >>> keras.layers.Attention()([query, value]).shape
    (2, 3, 4)
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                f"{owner_name(self)}: Invalid value for argument score_mode. Expected one of "
                f"{{'dot', 'concat'}}. Received: score_mode={score_mode!r}."
            )
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = dropout
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed) if dropout > 0 else None
        self.scale: Any = None
        self.concat_score_weight: Any = None
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Makes the scale, and the weight of concatenated scores."""
        self._check_inputs(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(
                name="scale", shape=(), initializer="ones", dtype=self.dtype, trainable=True
            )
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                name="concat_score_weight",
                shape=(),
                initializer="ones",
                dtype=self.dtype,
                trainable=True,
            )
        self.built = True

    def _calculate_scores(self, query: Any, key: Any) -> Any:
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        total = ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))
        if self.scale is not None:
            total = ops.multiply(self.scale, total)
        return ops.multiply(self.concat_score_weight, ops.sum(ops.tanh(total), axis=-1))

    def _apply_scores(
        self, scores: Any, value: Any, mask: Any = None, training: bool | None = False
    ) -> tuple[Any, Any]:
        if mask is not None:
            padding = 65504.0 if scores.dtype == "float16" else 1.0e9
            hidden = ops.cast(ops.logical_not(mask), scores.dtype)
            scores = ops.subtract(scores, ops.multiply(hidden, padding))
        weights = ops.softmax(scores, axis=-1)
        if training and self.seed_generator is not None:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        return ops.matmul(weights, value), weights

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Returns the means, and with `return_attention_scores` the weights."""
        self._check_inputs(inputs, mask)
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) > 2 else value
        query_mask = mask[0] if mask else None
        value_mask = mask[1] if mask else None
        if not return_attention_scores and self._can_fuse(query, value, key):
            found = self._fused(query, value, key, value_mask, use_causal_mask, training)
            return self._without_padding(found, query_mask)
        scores = self._calculate_scores(query, key)
        seen = combine_masks(
            None, None, value_mask, None, scores.shape[-2], scores.shape[-1], use_causal_mask
        )
        found, weights = self._apply_scores(scores, value, seen, training)
        found = self._without_padding(found, query_mask)
        return (found, weights) if return_attention_scores else found

    def _without_padding(self, found: Any, query_mask: Any) -> Any:
        if query_mask is None:
            return found
        kept = ops.cast(ops.expand_dims(ops.cast(query_mask, "bool"), -1), found.dtype)
        return ops.multiply(found, kept)

    def _can_fuse(self, query: Any, value: Any, key: Any) -> bool:
        """Whether weights are the softmax of products of sequences of one batch."""
        own = type(self)
        return (
            self.score_mode == "dot"
            and own._calculate_scores is Attention._calculate_scores
            and own._apply_scores is Attention._apply_scores
            and all(len(x.shape) == 3 and x.shape[0] == query.shape[0] for x in (query, value, key))
            and query.shape[-1] > 0
            and value.shape[-1] > 0
            and uses_fused_attention(None)
        )

    def _fused(
        self,
        query: Any,
        value: Any,
        key: Any,
        value_mask: Any,
        is_causal: bool,
        training: bool | None,
    ) -> Any:
        if self.scale is not None:
            query = ops.multiply(query, self.scale)
        drops = bool(training) and self.seed_generator is not None
        query, key, value = [ops.expand_dims(x, 2) for x in (query, key, value)]
        found = fused_attention(
            query,
            key,
            value,
            1.0,
            masks=separate_masks(None, None, value_mask, None),
            is_causal=is_causal,
            dropout=self.dropout if drops else 0.0,
            seed=self.seed_generator.next() if drops and self.seed_generator else None,
        )
        return ops.squeeze(found, 2)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:  # type: ignore[override]
        """Returns the mask of the query."""
        self._check_inputs(inputs, mask)
        if mask is None or mask[0] is None:
            return None
        return ops.convert_to_tensor(mask[0])

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Returns `(batch, queries, value_size)`."""
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(
        self,
        inputs: Any,
        mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Returns symbolic tensors of the outputs' shapes."""
        self._check_inputs(inputs, mask)
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) > 2 else value
        output = KerasTensor((*query.shape[:-1], value.shape[-1]), dtype=self.compute_dtype)
        if not return_attention_scores:
            return output
        shape = (query.shape[0], query.shape[1], key.shape[1])
        return output, KerasTensor(shape, dtype=self.compute_dtype)

    def _check_inputs(self, inputs: Any, mask: Any = None) -> None:
        name = type(self).__name__
        if not isinstance(inputs, list):
            raise ValueError(
                f"{name} layer must be called on a list of inputs, namely [query, value] or "
                f"[query, value, key]. Received: inputs={_described(inputs)}."
            )
        if len(inputs) < 2 or len(inputs) > 3:
            raise ValueError(
                f"{name} layer accepts inputs list of length 2 or 3, namely [query, value] or "
                f"[query, value, key]. Received length: {len(inputs)}."
            )
        if mask is None:
            return
        if not isinstance(mask, list):
            raise ValueError(
                f"{name} layer mask must be a list, namely [query_mask, value_mask]. "
                f"Received: mask={_described(mask)}."
            )
        if len(mask) < 2 or len(mask) > 3:
            raise ValueError(
                f"{name} layer accepts mask list of length 2 or 3. "
                f"Received: inputs of length {len(inputs)}, mask of length {len(mask)}."
            )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }


def _described(x: Any) -> str:
    shape = getattr(x, "shape", None)
    return f"a tensor of shape {np.shape(x) if shape is None else tuple(shape)}"
