"""GroupQueryAttention: heads of the query share heads of key and value (Ainslie et al., 2023)."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import owner_name, positive_integer
from pronghorn.layers.attention.attention_masks import separate_masks
from pronghorn.layers.attention.base_multi_head_attention import BaseMultiHeadAttention
from pronghorn.ops.keras_tensor import KerasTensor


class GroupedQueryAttention(BaseMultiHeadAttention):
    """Attention whose query has more heads than key and value.

    Ainslie et al., "GQA: Training Generalized Multi-Query Transformer Models from Multi-Head
    Checkpoints", 2023, section 2.2. With one head of key and value it is multi-query attention.
    Known as `layers.GroupQueryAttention`.

    Args:
        head_dim: Size of a head.
        num_query_heads: Heads of the query.
        num_key_value_heads: Heads of key and value; divides `num_query_heads`.
        dropout: Fraction of the weights that is dropped while training.
        use_bias: Whether the projections have biases.
        sliding_window: A query sees keys that are less than so many places away.
        flash_attention: Whether attention is fused, which never makes the weights; by default what
            `config.is_flash_attention_enabled()` says.
        kernel_initializer: Initializer of the kernels of the projections.
        bias_initializer: Initializer of their biases.
        kernel_regularizer: Regularizer of the kernels.
        bias_regularizer: Regularizer of the biases.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint of the kernels.
        bias_constraint: Constraint of the biases.
        use_gate: Whether the heads are multiplied by the sigmoid of a projection of the query.
        seed: Seed of the dropout.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        query: `(batch, queries, size)`.
        value: `(batch, keys, size)`.
        key: `(batch, keys, size)`, by default the value.
        query_mask: `(batch, queries)`, false for padding. Masks that tensors carry are used.
        value_mask: `(batch, keys)`.
        key_mask: `(batch, keys)`.
        attention_mask: `(batch, queries, keys)`, true where a query sees a key.
        return_attention_scores: Whether the weights are returned, too.
        training: Whether weights are dropped.
        use_causal_mask: Whether a query sees keys up to its own place only.

    Output shape:
        `(batch, queries, size)`; the weights `(batch, query heads, queries, keys)`.

    Raises:
        ValueError: If an argument is wrong or shapes do not fit.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.GroupQueryAttention(4, num_query_heads=6, num_key_value_heads=2)
    >>> x = np.ones((2, 5, 8), "float32")
    >>> layer(x, x).shape
    (2, 5, 8)
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        size = positive_integer("GroupQueryAttention", "head_dim", head_dim)
        heads = positive_integer("GroupQueryAttention", "num_query_heads", num_query_heads)
        shared = positive_integer("GroupQueryAttention", "num_key_value_heads", num_key_value_heads)
        if heads % shared != 0:
            raise ValueError(
                "GroupQueryAttention: `num_query_heads` must be divisible by "
                f"`num_key_value_heads`. Received: num_query_heads={heads}, "
                f"num_key_value_heads={shared}."
            )
        super().__init__(
            query_heads=heads,
            key_heads=shared,
            key_size=size,
            value_size=size,
            dropout=dropout,
            use_bias=use_bias,
            use_gate=use_gate,
            sliding_window=sliding_window,
            flash_attention=flash_attention,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            seed=seed,
            **kwargs,
        )
        self.head_dim = size
        self.num_query_heads = heads
        self.num_key_value_heads = shared
        self.num_repeats = heads // shared
        self.dropout = dropout
        self.use_bias = use_bias
        self.use_gate = use_gate

    def build(  # type: ignore[override]
        self, query_shape: Any, value_shape: Any, key_shape: Any = None
    ) -> None:
        """Makes the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        size, heads, shared = self.head_dim, self.num_query_heads, self.num_key_value_heads
        self._query_dense = self._to_heads("query", query_shape, heads, size)
        self._key_dense = self._to_heads("key", key_shape, shared, size)
        if self.use_gate:
            self._gate_dense = self._to_heads("gate", query_shape, heads, size)
        self._value_dense = self._to_heads("value", value_shape, shared, size)
        self._output_dense = self._from_heads(query_shape, (query_shape[-1],))
        self.built = True

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Returns the output, and with `return_attention_scores` the weights."""
        key = value if key is None else key
        heads, weights = self._attend(
            self._query_dense(query),
            self._key_dense(key),
            self._value_dense(value),
            separate_masks(attention_mask, query_mask, value_mask, key_mask),
            use_causal_mask,
            self._sliding_window,
            training,
            return_attention_scores,
        )
        if self.use_gate:
            heads = ops.multiply(heads, ops.sigmoid(self._gate_dense(query)))
        output = self._output_dense(heads)
        return (output, weights) if return_attention_scores else output

    def _check_shapes(self, query_shape: Any, value_shape: Any, key_shape: Any) -> None:
        if len(query_shape) != 3:
            raise ValueError(
                f"{owner_name(self)}: expected rank 3 (batch, places, size). "
                f"Received: query_shape={query_shape}."
            )
        if query_shape[-1] != value_shape[-1]:
            raise ValueError(
                f"{owner_name(self)}: The last dimension of `query_shape` and `value_shape` must "
                f"be equal. Received: query_shape={query_shape}, value_shape={value_shape}."
            )
        self._check_key_shape(value_shape, key_shape)

    def compute_output_shape(  # type: ignore[override]
        self, query_shape: Any, value_shape: Any, key_shape: Any = None
    ) -> tuple[int | None, ...]:
        """Returns the shape of the output."""
        query_shape, value_shape = tuple(query_shape), tuple(value_shape)
        key_shape = value_shape if key_shape is None else tuple(key_shape)
        self._check_shapes(query_shape, value_shape, key_shape)
        return (*query_shape[:-1], query_shape[-1])

    def compute_output_spec(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Returns symbolic tensors of the outputs' shapes."""
        key_shape = None if key is None else key.shape
        shape = self.compute_output_shape(query.shape, value.shape, key_shape)
        output = KerasTensor(shape, dtype=self.compute_dtype)
        if not return_attention_scores:
            return output
        scores = (query.shape[0], self.num_query_heads, query.shape[1], value.shape[1])
        return output, KerasTensor(scores, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            **self._base_config(),
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
        }
