"""What MultiHeadAttention and GroupQueryAttention have in common: projections, masks, products."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import constraints, initializers, ops, random, regularizers
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.attention.attention_masks import combine_masks
from pronghorn.layers.core.einsum_dense import EinsumDense
from pronghorn.layers.layer import Layer

_LETTERS = "abcdefghijklm"


class BaseMultiHeadAttention(Layer):
    """Projects query, key and value to heads, attends in each head, projects back.

    Args:
        query_heads: Heads of the query.
        key_heads: Heads of key and value; each serves `query_heads / key_heads` of the query.
        key_size: Size of a head of query and key.
        value_size: Size of a head of the value.
        dropout: Fraction of the weights that is dropped while training.
        use_bias: Whether projections have biases.
        use_gate: Whether heads are multiplied by the sigmoid of another projection of the query.
        sliding_window: A query sees keys that are less than so many places away.
        flash_attention: Must not be true.
        kernel_initializer: Initializer of the kernels of the projections, and so on.
        seed: Seed of the dropout.
        **kwargs: `name`, `dtype`, `trainable`.
    """

    def __init__(
        self,
        *,
        query_heads: int,
        key_heads: int,
        key_size: int,
        value_size: int,
        dropout: float,
        use_bias: bool,
        use_gate: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        seed: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.supports_masking = True
        if flash_attention:
            raise ValueError(
                f"{owner_name(self)}: there is no flash kernel to choose. "
                "Received: flash_attention=True."
            )
        if sliding_window is not None and (
            not isinstance(sliding_window, int) or sliding_window < 1
        ):
            raise ValueError(
                f"{owner_name(self)}: `sliding_window` must be a positive integer or None. "
                f"Received: sliding_window={sliding_window}."
            )
        self._query_heads = query_heads
        self._key_heads = key_heads
        self._key_size = key_size
        self._value_size = value_size
        self._dropout = dropout
        self._use_bias = use_bias
        self._use_gate = use_gate
        self._sliding_window = sliding_window
        self._kernel_initializer = initializers.get(kernel_initializer)
        self._bias_initializer = initializers.get(bias_initializer)
        self._kernel_regularizer = regularizers.get(kernel_regularizer)
        self._bias_regularizer = regularizers.get(bias_regularizer)
        self._kernel_constraint = constraints.get(kernel_constraint)
        self._bias_constraint = constraints.get(bias_constraint)
        self.seed = seed
        self._seed_generator = random.SeedGenerator(seed) if dropout > 0 else None
        self._query_dense: Any = None
        self._key_dense: Any = None
        self._value_dense: Any = None
        self._gate_dense: Any = None
        self._output_dense: Any = None

    # Projections.

    def _to_heads(self, name: str, shape: Any, heads: int, size: int) -> EinsumDense:
        """Returns a projection of the last axis to `(heads, size)`."""
        free = _LETTERS[: len(shape) - 1]
        dense = EinsumDense(
            f"{free}x,xyz->{free}yz",
            output_shape=(*shape[1:-1], heads, size),
            bias_axes="yz" if self._use_bias else None,
            name=name,
            **self._dense_arguments(),
        )
        dense.build(shape)
        return dense

    def _from_heads(self, shape: Any, output: tuple[int, ...]) -> EinsumDense:
        """Returns the projection of `(heads, size)` to `output`; `shape`: that of the query."""
        free = _LETTERS[: len(shape) - 1]
        made = "nopqrstuvw"[: len(output)]
        dense = EinsumDense(
            f"{free}yz,yz{made}->{free}{made}",
            output_shape=(*shape[1:-1], *output),
            bias_axes=made if self._use_bias else None,
            name="attention_output",
            **self._dense_arguments(),
        )
        dense.build((*shape[:-1], self._query_heads, self._value_size))
        return dense

    def _dense_arguments(self) -> dict[str, Any]:
        # Initializers are made anew: one with a seed of its own gives each projection its numbers.
        def fresh(initializer: Any) -> Any:
            return type(initializer).from_config(initializer.get_config())

        return {
            "kernel_initializer": fresh(self._kernel_initializer),
            "bias_initializer": fresh(self._bias_initializer),
            "kernel_regularizer": self._kernel_regularizer,
            "bias_regularizer": self._bias_regularizer,
            "kernel_constraint": self._kernel_constraint,
            "bias_constraint": self._bias_constraint,
            "dtype": self.dtype_policy,
        }

    # Attention.

    def _combined_mask(
        self, masks: tuple[Any, Any, Any, Any], queries: int, keys: int, use_causal_mask: bool
    ) -> tuple[Any, bool]:
        """Returns the mask of all that is hidden, and whether it is causal without one.

        `masks`: attention_mask, query_mask, value_mask, key_mask.
        """
        window = self._sliding_window
        if use_causal_mask and window is None and all(m is None for m in masks):
            return None, True
        return combine_masks(*masks, queries, keys, use_causal_mask, window), False

    def _attend(
        self,
        query: Any,
        key: Any,
        value: Any,
        mask: Any,
        is_causal: bool,
        training: bool | None,
        return_scores: bool,
    ) -> tuple[Any, Any]:
        """Returns heads `(batch, queries, heads, value_size)` and weights, or None for them.

        `query`, `key`, `value`: `(batch, places, heads, size)`. `mask`: `(batch, queries, keys)` or
        `(batch, heads, queries, keys)`.
        """
        if mask is not None and len(mask.shape) == 3:
            mask = ops.expand_dims(mask, 1)
        drops = bool(training) and self._seed_generator is not None
        if not drops and not return_scores and self._value_size == self._key_size:
            found = ops.dot_product_attention(query, key, value, mask=mask, is_causal=is_causal)
            return found, None
        groups = self._query_heads // self._key_heads
        if groups > 1:
            key, value = ops.repeat(key, groups, axis=2), ops.repeat(value, groups, axis=2)
        scaled = ops.multiply(query, 1.0 / math.sqrt(self._key_size))
        scores = ops.matmul(ops.transpose(scaled, (0, 2, 1, 3)), ops.transpose(key, (0, 2, 3, 1)))
        if is_causal:
            causal = combine_masks(None, None, None, None, scores.shape[-2], scores.shape[-1], True)
            mask = causal if mask is None else ops.logical_and(mask, causal)
        if mask is not None:
            lowest = -3.0e4 if scores.dtype == "float16" else -1.0e9
            hidden = ops.cast(ops.logical_not(ops.cast(mask, "bool")), scores.dtype)
            scores = ops.add(scores, ops.multiply(hidden, lowest))
        weights = ops.cast(ops.softmax(ops.cast(scores, "float32"), axis=-1), scores.dtype)
        kept = weights
        if drops:
            kept = random.dropout(weights, self._dropout, seed=self._seed_generator)
        found = ops.matmul(kept, ops.transpose(value, (0, 2, 1, 3)))
        return ops.transpose(found, (0, 2, 1, 3)), weights

    def _check_key_shape(self, value_shape: Any, key_shape: Any) -> None:
        if value_shape[1:-1] != key_shape[1:-1]:
            raise ValueError(
                f"{owner_name(self)}: All dimensions of `value` and `key`, except the last one, "
                f"must be equal. Received: value_shape={value_shape} and key_shape={key_shape}."
            )

    def _base_config(self) -> dict[str, Any]:
        return {
            "dropout": self._dropout,
            "use_bias": self._use_bias,
            "use_gate": self._use_gate,
            "sliding_window": self._sliding_window,
            "kernel_initializer": initializers.serialize(self._kernel_initializer),
            "bias_initializer": initializers.serialize(self._bias_initializer),
            "kernel_regularizer": regularizers.serialize(self._kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self._bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self._kernel_constraint),
            "bias_constraint": constraints.serialize(self._bias_constraint),
            "seed": self.seed,
        }
