"""MultiHeadAttention: attention in several heads (Vaswani et al., 2017)."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import owner_name, positive_integer
from pronghorn.layers.attention.attention_masks import combine_masks, separate_masks
from pronghorn.layers.attention.base_multi_head_attention import BaseMultiHeadAttention
from pronghorn.ops.keras_tensor import KerasTensor


class MultiHeadAttention(BaseMultiHeadAttention):
    """Projects query, key and value to heads, attends in each, and projects the heads back.

    Vaswani et al., "Attention Is All You Need", 2017, section 3.2.2. With one tensor for all three
    it is self-attention.

    Args:
        num_heads: Number of heads.
        key_dim: Size of a head of query and key.
        value_dim: Size of a head of the value, by default `key_dim`.
        dropout: Fraction of the weights that is dropped while training.
        use_bias: Whether the projections have biases.
        output_shape: Sizes of the output after batch and places, by default the last of the query.
        attention_axes: Axes that are attended over, by default all but the first and the last.
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
        `(batch, queries, size)`; the weights `(batch, heads, queries, keys)`.

    Raises:
        ValueError: If an argument is wrong or shapes do not fit.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=3)
    >>> x = np.ones((4, 5, 6), "float32")
    >>> layer(x, x, use_causal_mask=True).shape
    (4, 5, 6)
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
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
        heads = positive_integer("MultiHeadAttention", "num_heads", num_heads)
        size = positive_integer("MultiHeadAttention", "key_dim", key_dim)
        value_size = size
        if value_dim is not None:
            value_size = positive_integer("MultiHeadAttention", "value_dim", value_dim)
        super().__init__(
            query_heads=heads,
            key_heads=heads,
            key_size=size,
            value_size=value_size,
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
        if isinstance(output_shape, int):
            output_shape = (output_shape,)
        if output_shape is not None and not isinstance(output_shape, (tuple, list)):
            raise ValueError(
                f"{owner_name(self)}: Invalid `output_shape`: expected an integer or a tuple of "
                f"them. Received: output_shape={output_shape!r}."
            )
        self._output_shape = None if output_shape is None else tuple(output_shape)
        if isinstance(attention_axes, int):
            attention_axes = (attention_axes,)
        if attention_axes is not None and not isinstance(attention_axes, (tuple, list)):
            raise ValueError(
                f"{owner_name(self)}: `attention_axes` must be an integer or a tuple of them. "
                f"Received: attention_axes={attention_axes!r}."
            )
        self._attention_axes = None if attention_axes is None else tuple(attention_axes)

    num_heads = property(lambda self: self._query_heads, doc="Number of heads.")
    key_dim = property(lambda self: self._key_size, doc="Size of a head of query and key.")
    value_dim = property(lambda self: self._value_size, doc="Size of a head of the value.")
    dropout = property(lambda self: self._dropout, doc="Fraction of the weights that is dropped.")
    use_bias = property(lambda self: self._use_bias, doc="Whether projections have biases.")
    attention_axes = property(lambda self: self._attention_axes, doc="Axes that are attended over.")
    query_dense = property(lambda self: self._query_dense, doc="Projection of the query.")
    key_dense = property(lambda self: self._key_dense, doc="Projection of the key.")
    value_dense = property(lambda self: self._value_dense, doc="Projection of the value.")
    output_dense = property(lambda self: self._output_dense, doc="Projection of the heads.")

    def build(  # type: ignore[override]
        self, query_shape: Any, value_shape: Any, key_shape: Any = None
    ) -> None:
        """Makes the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        rank = len(query_shape)
        axes = self._attention_axes
        if axes is None:
            axes = tuple(range(1, rank - 1))
        self._attention_axes = tuple(a % rank for a in axes)
        self._query_dense = self._to_heads("query", query_shape, self.num_heads, self.key_dim)
        self._key_dense = self._to_heads("key", key_shape, self.num_heads, self.key_dim)
        if self._use_gate:
            self._gate_dense = self._to_heads("gate", query_shape, self.num_heads, self.value_dim)
        self._value_dense = self._to_heads("value", value_shape, self.num_heads, self.value_dim)
        output = self._output_shape or (query_shape[-1],)
        self._output_dense = self._from_heads(query_shape, output)
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
        gate = None
        if self._use_gate:
            gate = ops.sigmoid(self._gate_dense(query))
        axes = self._attention_axes or ()
        query_places = [query.shape[a] for a in axes]
        others = [a for a in range(1, len(query.shape) - 1) if a not in axes]
        given = (attention_mask, query_mask, value_mask, key_mask)
        is_causal, window = use_causal_mask, self._sliding_window
        if len(query.shape) == 3:
            masks = separate_masks(*given)
        else:
            places = query.shape[1], value.shape[1]
            mask = combine_masks(*given, *places, is_causal, window)
            is_causal, window = False, None
            masks = []
            if mask is not None:
                masks = [ops.expand_dims(self._flat_mask(mask, query.shape, others), 1)]
        q, k, v = [
            self._flat(dense(x), others)
            for dense, x in (
                (self._query_dense, query),
                (self._key_dense, key),
                (self._value_dense, value),
            )
        ]
        heads, weights = self._attend(
            q, k, v, masks, is_causal, window, training, return_attention_scores
        )
        heads = self._unflat(heads, query.shape, others, query_places)
        if gate is not None:
            heads = ops.multiply(heads, gate)
        output = self._output_dense(heads)
        if not return_attention_scores:
            return output
        key_places = [value.shape[a] for a in axes]
        batch = (query.shape[0], *(query.shape[a] for a in others))
        shape = (*batch, self.num_heads, *query_places, *key_places)
        return output, ops.reshape(weights, shape)

    # Attention over chosen axes: the others join the batch, these become one axis.

    def _flat(self, x: Any, others: list[int]) -> Any:
        if len(x.shape) == 4 and not others:
            return x
        axes = list(self._attention_axes or ())
        rank = len(x.shape)
        moved = ops.transpose(x, (0, *others, *axes, rank - 2, rank - 1))
        batch = math.prod((x.shape[0], *(x.shape[a] for a in others)))
        places = math.prod(x.shape[a] for a in axes)
        return ops.reshape(moved, (batch, places, *x.shape[-2:]))

    def _unflat(self, x: Any, shape: Any, others: list[int], places: list[int]) -> Any:
        if len(shape) == 3:
            return x
        axes = list(self._attention_axes or ())
        sizes = (shape[0], *(shape[a] for a in others), *places, *x.shape[-2:])
        order = [0, *others, *axes]
        rank = len(sizes)
        back = [order.index(a) for a in range(len(order))]
        return ops.transpose(ops.reshape(x, sizes), (*back, rank - 2, rank - 1))

    def _flat_mask(self, mask: Any, shape: Any, others: list[int]) -> Any:
        """Returns `(batch', queries, keys)` of a mask `(batch, ..., places, places)`."""
        n = len(self._attention_axes or ())
        places = mask.shape[len(mask.shape) - 2 * n :]
        lead = mask.shape[: len(mask.shape) - 2 * n]
        flat = ops.reshape(mask, (*lead, math.prod(places[:n]), math.prod(places[n:])))
        wanted = (shape[0], *(shape[a] for a in others))
        missing = len(wanted) - len(lead)
        flat = ops.reshape(flat, (*lead[:1], *(1,) * missing, *lead[1:], *flat.shape[-2:]))
        flat = ops.broadcast_to(flat, (*wanted, *flat.shape[-2:]))
        return ops.reshape(flat, (math.prod(wanted), *flat.shape[-2:]))

    # Description.

    def _check_shapes(self, query_shape: Any, value_shape: Any, key_shape: Any) -> None:
        self._check_key_shape(value_shape, key_shape)
        if len(query_shape) < 3:
            raise ValueError(
                f"{owner_name(self)}: expected a query of rank 3 or more (batch, places, size). "
                f"Received: query_shape={query_shape}."
            )
        if len(query_shape) == 3 != len(value_shape):
            raise ValueError(
                f"{owner_name(self)}: expected a value of rank 3 (batch, places, size), as the "
                f"query has. Received: query_shape={query_shape}, value_shape={value_shape}."
            )

    def compute_output_shape(  # type: ignore[override]
        self, query_shape: Any, value_shape: Any, key_shape: Any = None
    ) -> tuple[int | None, ...]:
        """Returns the shape of the output."""
        query_shape, value_shape = tuple(query_shape), tuple(value_shape)
        key_shape = value_shape if key_shape is None else tuple(key_shape)
        self._check_shapes(query_shape, value_shape, key_shape)
        return (*query_shape[:-1], *(self._output_shape or (query_shape[-1],)))

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
        axes = self._attention_axes or tuple(range(1, len(query.shape) - 1))
        others = [a for a in range(1, len(query.shape) - 1) if a not in axes]
        scores = (
            query.shape[0],
            *(query.shape[a] for a in others),
            self.num_heads,
            *(query.shape[a] for a in axes),
            *(value.shape[a] for a in axes),
        )
        return output, KerasTensor(scores, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            **self._base_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "output_shape": self._output_shape,
            "attention_axes": self._attention_axes,
        }
