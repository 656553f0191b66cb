"""What MultiHeadAttention and GroupQueryAttention have in common: projections, masks, products."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from pronghorn import constraints, initializers, ops, random, regularizers
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.attention.attention_masks import place_mask
from pronghorn.layers.core.einsum_dense import EinsumDense
from pronghorn.layers.layer import Layer
from pronghorn.ops.nn.attention import fused_attention, uses_fused_attention

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
        flash_attention: Whether attention is fused; None: as `config` says.
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
        self._flash_attention = flash_attention
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

    sliding_window = property(lambda self: self._sliding_window, doc="Width of what is seen.")

    # Projections.

    def _to_heads(self, name: str, shape: Any, heads: int, size: int) -> EinsumDense:
        """Returns a projection of the last axis to `(heads, size)`."""
        free = _LETTERS[: len(shape) - 1]
        dense = EinsumDense(
            f"{free}x,xyz->{free}yz",
            output_shape=(*(None for _ in shape[1:-1]), heads, size),
            bias_axes="yz" if self._use_bias else None,
            name=name,
            **self._dense_arguments(),
        )
        dense.supports_masking = True
        dense.build(shape)
        return dense

    def _from_heads(self, shape: Any, output: tuple[int, ...]) -> EinsumDense:
        """Returns the projection of `(heads, size)` to `output`; `shape`: that of the query."""
        free = _LETTERS[: len(shape) - 1]
        made = "nopqrstuvw"[: len(output)]
        dense = EinsumDense(
            f"{free}yz,yz{made}->{free}{made}",
            output_shape=(*(None for _ in shape[1:-1]), *output),
            bias_axes=made if self._use_bias else None,
            name="attention_output",
            **self._dense_arguments(),
        )
        dense.supports_masking = True
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

    def _attend(
        self,
        query: Any,
        key: Any,
        value: Any,
        masks: Sequence[Any],
        is_causal: bool,
        window: int | None,
        training: bool | None,
        return_scores: bool,
    ) -> tuple[Any, Any]:
        """Returns heads `(batch, queries, heads, value_size)` and weights, or None for them.

        `query`, `key`, `value`: `(batch, places, heads, size)`. `masks`: bools that broadcast to
        `(batch, heads, queries, keys)`; all must be true. `is_causal`, `window`: by place.
        """
        drops = bool(training) and self._seed_generator is not None
        scale = 1.0 / math.sqrt(self._key_size)
        if return_scores and self._flash_attention:
            raise ValueError(
                f"{owner_name(self)}: Returning attention scores is not supported with "
                "flash_attention=True, which never makes them. Received: "
                "return_attention_scores=True."
            )
        if not return_scores and uses_fused_attention(self._flash_attention):
            found = fused_attention(
                query,
                key,
                value,
                scale,
                masks=masks,
                is_causal=is_causal,
                window=window,
                dropout=self._dropout if drops else 0.0,
                seed=self._seed_generator.next() if drops and self._seed_generator else None,
            )
            return found, None
        groups = self._query_heads // self._key_heads
        if groups > 1:
            key, value = ops.repeat(key, groups, axis=2), ops.repeat(value, groups, axis=2)
        scaled = ops.multiply(query, scale)
        scores = ops.matmul(ops.transpose(scaled, (0, 2, 1, 3)), ops.transpose(key, (0, 2, 3, 1)))
        if is_causal or window is not None:
            places = place_mask(scores.shape[-2], scores.shape[-1], is_causal, window)
            masks = [*masks, ops.convert_to_tensor(places[None])]
        if masks:
            mask = functools.reduce(ops.logical_and, masks)
            lowest = -3.0e4 if scores.dtype == "float16" else -1.0e9
            hidden = ops.cast(ops.logical_not(mask), scores.dtype)
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
