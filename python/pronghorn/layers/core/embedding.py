"""Embedding: a table of vectors looked up by integer."""

from __future__ import annotations

import warnings
from typing import Any

from pronghorn import constraints, initializers, ops, regularizers
from pronghorn.layers.arguments import Shape, is_integer, owner_name, reject_quantization
from pronghorn.layers.core.lora import LoraLayer
from pronghorn.ops.indexing import look_up
from pronghorn.variable import AutocastScope


def _positive(argument: str, value: Any) -> int:
    if not is_integer(value) or value < 1:
        raise ValueError(
            f"Embedding: `{argument}` must be a positive integer. Received: {argument}={value!r}."
        )
    return int(value)


class Embedding(LoraLayer):
    """Table of `input_dim` vectors: `outputs[..., :] = embeddings[inputs[...]]`.

    The gradient with respect to the table adds up the gradients of all rows that were looked up.

    Args:
        input_dim: Size of the vocabulary: inputs are integers from 0 to `input_dim - 1`.
        output_dim: Length of a vector.
        embeddings_initializer: Initializer of `embeddings`, `(input_dim, output_dim)`.
        embeddings_regularizer: Regularizer of the table.
        embeddings_constraint: Constraint of the table.
        mask_zero: Whether 0 means padding: a mask that is false where the input is 0 goes to the
            layers that follow. Index 0 then stands for no word.
        weights: Initial value of the table, an array or a list with one array.
        lora_rank: If set, the table is frozen and a low-rank update is trained; see `enable_lora`.
        lora_alpha: Scale of the low-rank update; `lora_rank` if `None`.
        quantization_config: Not supported; must be `None`.
        **kwargs: `name`, `dtype`, `trainable`, `activity_regularizer`.

    Input shape:
        `(batch, ...)` of integers.

    Output shape:
        `(batch, ..., output_dim)`.

    Raises:
        ValueError: If `input_dim` or `output_dim` is not a positive integer, or an index is not
            from 0 to `input_dim - 1`: before anything runs, if the indices are data. Indices that
            a model computes are not checked; outside they give NaN.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.Embedding(input_dim=1000, output_dim=64)
    >>> layer(np.array([[3, 14, 15], [9, 2, 6]])).shape
    (2, 3, 64)
    """

    lora_target = "embeddings"
    lora_owner = "embedding"

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        input_dim = _positive("input_dim", input_dim)
        output_dim = _positive("output_dim", output_dim)
        reject_quantization("Embedding", quantization_config=quantization_config)
        if kwargs.pop("input_length", None) is not None:
            warnings.warn("Argument `input_length` is deprecated. Just remove it.", stacklevel=2)
        super().__init__(**kwargs)
        self.input_dim = input_dim
        self.output_dim = output_dim
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False
        self.quantization_config = quantization_config
        self._init_lora(lora_rank, lora_alpha)
        if weights is not None:
            self.build()
            if not (isinstance(weights, list) and len(weights) == 1):
                weights = [weights]
            self.set_weights(weights)

    def build(self, input_shape: Any = None) -> None:
        """Creates the table. It does not depend on `input_shape`."""
        if self.built:
            return
        self._embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )
        self.built = True
        if self.lora_rank:
            self.enable_lora(self.lora_rank, lora_alpha=self.lora_alpha)

    @property
    def embeddings(self) -> Any:
        """The table, `(input_dim, output_dim)`, with a low-rank update added if there is one."""
        return self.effective_weight()

    def call(self, inputs: Any) -> Any:
        """Returns the rows of the table that `inputs` names."""
        indices = ops.convert_to_tensor(inputs)
        if indices.dtype not in ("int32", "int64"):
            indices = ops.cast(indices, "int32")
        with AutocastScope(None):  # the rows are cast, not the table
            outputs = look_up(self._embeddings, indices, owner_name(self))
            if self.lora_enabled:
                a, b = self._lora_factors()
                update = ops.matmul(ops.take(a, indices, axis=0), b)
                outputs = ops.add(outputs, ops.multiply(self._lora_scale(), update))
        return ops.cast(outputs, self.compute_dtype)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Returns `inputs != 0` with `mask_zero`, else `None`."""
        if not self.mask_zero:
            return None
        return ops.not_equal(inputs, 0)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns `(batch, ..., output_dim)`."""
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
            "quantization_config": self.quantization_config,
            **self._lora_config(),
        }
