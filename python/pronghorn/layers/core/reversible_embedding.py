"""ReversibleEmbedding: an embedding that also maps vectors back to scores of the vocabulary."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import Shape, owner_name
from pronghorn.layers.core.embedding import Embedding
from pronghorn.ops.keras_tensor import KerasTensor


class ReversibleEmbedding(Embedding):
    """Embedding whose call with `reverse=True` projects vectors to logits over the vocabulary.

    `logits = inputs @ transpose(embeddings)`, or `inputs @ reverse_embeddings` without tied
    weights; with a soft cap c, `c * tanh(logits / c)`. Source of tied weights: Press and Wolf,
    "Using the Output Embedding to Improve Language Models", 2017.

    Args:
        input_dim: Size of the vocabulary.
        output_dim: Length of a vector.
        tie_weights: Whether both directions use one table.
        embeddings_initializer: Initializer of the tables.
        embeddings_regularizer: Regularizer of the tables.
        embeddings_constraint: Constraint of the tables.
        mask_zero: Whether input 0 means padding, see `Embedding`.
        reverse_dtype: Dtype in which the logits are computed; the compute dtype if `None`.
        logit_soft_cap: Bound of the logits, or `None`.
        **kwargs: As in `Embedding`.

    Call arguments:
        inputs: Integers, or vectors with `reverse=True`.
        reverse: Whether to project vectors to logits.

    Input shape:
        `(batch, ...)` of integers; `(batch, ..., output_dim)` with `reverse=True`.

    Output shape:
        `(batch, ..., output_dim)`; `(batch, ..., input_dim)` with `reverse=True`.

    Raises:
        ValueError: If a size is not a positive integer, or the soft cap is not positive.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.ReversibleEmbedding(100, 16)
    >>> layer(layer(np.array([[3, 14, 15]])), reverse=True).shape
    (1, 3, 100)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            mask_zero=mask_zero,
            **kwargs,
        )
        if logit_soft_cap is not None and logit_soft_cap <= 0:
            raise ValueError(
                f"{owner_name(self)}: logit_soft_cap must be positive. "
                f"Received: logit_soft_cap={logit_soft_cap}."
            )
        self.tie_weights = tie_weights
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape: Any = None) -> None:
        """Creates the tables. They do not depend on `input_shape`."""
        if self.built:
            return
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                name="reverse_embeddings",
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
                regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint,
            )

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        """Returns rows of the table, or logits with `reverse`."""
        if not reverse:
            return super().call(inputs)
        x = ops.convert_to_tensor(inputs)
        kernel = ops.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings
        dtype = self.reverse_dtype or self.compute_dtype
        logits = ops.matmul(ops.cast(x, dtype), ops.cast(kernel, dtype))
        if self.logit_soft_cap is not None:
            logits = ops.divide(logits, self.logit_soft_cap)
            logits = ops.multiply(ops.tanh(logits), self.logit_soft_cap)
        return logits

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> Shape:
        """Returns `(batch, ..., output_dim)`, or `(batch, ..., input_dim)` with `reverse`."""
        if reverse:
            return (*input_shape[:-1], self.input_dim)
        return super().compute_output_shape(input_shape)

    def compute_output_spec(self, inputs: Any, reverse: bool = False) -> Any:
        """Returns a symbolic tensor of the output's shape and dtype."""
        dtype = self.compute_dtype
        if reverse and self.reverse_dtype is not None:
            dtype = self.reverse_dtype
        return KerasTensor(self.compute_output_shape(inputs.shape, reverse), dtype=dtype)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Returns `inputs != 0` with `mask_zero` for integers, the input's mask for vectors."""
        if "int" not in str(inputs.dtype):
            return mask
        return super().compute_mask(inputs, mask)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "tie_weights": self.tie_weights,
            "reverse_dtype": self.reverse_dtype,
            "logit_soft_cap": self.logit_soft_cap,
        }
