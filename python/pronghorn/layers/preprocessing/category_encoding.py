"""CategoryEncoding: integers as one-hot, multi-hot or count vectors."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import Shape, is_integer, owner_name
from pronghorn.layers.layer import Layer
from pronghorn.layers.preprocessing.batches import from_lists
from pronghorn.layers.preprocessing.integer_encoding import encode_integers, encoded_shape
from pronghorn.ops.keras_tensor import KerasTensor


class CategoryEncoding(Layer):
    """Turns integers from 0 to `num_tokens - 1` into vectors of length `num_tokens`.

    Args:
        num_tokens: Number of categories.
        output_mode: `"one_hot"`: a vector for each integer, with 1 in its place; a last axis of
            size 1 is replaced. `"multi_hot"`: one vector per sample, with 1 for each integer that
            occurs in it. `"count"`: the same with the number of occurrences.
        sparse: Not supported; must be false.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Integers.
        count_weights: For `"count"`: weight of each integer, of the shape of `inputs`.

    Input shape:
        `()`, `(samples,)` or `(batch, values)`.

    Output shape:
        `(..., num_tokens)`, see `output_mode`.

    Raises:
        ValueError: If an argument is wrong, or an integer is out of range in an eager call.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.CategoryEncoding(num_tokens=4, output_mode="count")
    >>> layer(np.array([[0, 1, 1], [3, 3, 3]])).numpy().tolist()
    [[1.0, 2.0, 0.0, 0.0], [0.0, 0.0, 0.0, 3.0]]
    """

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if output_mode == "binary":
            output_mode = "multi_hot"
        if output_mode not in ("count", "one_hot", "multi_hot"):
            raise ValueError(
                f"CategoryEncoding: Unknown arg for output_mode: {output_mode}. Expected 'count', "
                f"'one_hot' or 'multi_hot'. Received: output_mode={output_mode!r}."
            )
        if num_tokens is None:
            raise ValueError(
                "CategoryEncoding: num_tokens must be set to use this layer. If the number of "
                "categories is not known, it has to be counted first. Received: num_tokens=None."
            )
        if not is_integer(num_tokens) or num_tokens < 1:
            raise ValueError(
                f"CategoryEncoding: `num_tokens` must be >= 1. Received: num_tokens={num_tokens!r}."
            )
        if sparse:
            raise ValueError("CategoryEncoding: tensors are dense. Received: sparse=True.")
        self.num_tokens = num_tokens
        self.output_mode = output_mode
        self.sparse = sparse

    def __call__(self, inputs: Any, count_weights: Any = None, **kwargs: Any) -> Any:
        return super().__call__(
            from_lists(inputs), count_weights=from_lists(count_weights), **kwargs
        )

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """Returns the vectors."""
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"{owner_name(self)}: `count_weights` is not used when `output_mode` is not "
                f"'count'. Received: output_mode={self.output_mode!r}, "
                f"count_weights={count_weights}."
            )
        indices = ops.cast(inputs, "int32")
        if not indices.is_symbolic and indices.size:
            values = indices.numpy()
            if values.min() < 0 or values.max() >= self.num_tokens:
                raise ValueError(
                    f"{owner_name(self)}: Input values must be in the range 0 <= values < "
                    f"num_tokens. Received: values from {values.min()} to {values.max()}, "
                    f"num_tokens={self.num_tokens}."
                )
        return self._encode(indices, count_weights)

    def _encode(self, inputs: Any, count_weights: Any = None) -> Any:
        return encode_integers(
            ops.convert_to_tensor(inputs),
            self.num_tokens,
            self.output_mode,
            self.compute_dtype,
            count_weights,
        )

    def compute_output_shape(self, input_shape: Any, *args: Any, **kwargs: Any) -> Shape:
        """Returns the shape of the vectors."""
        return encoded_shape(input_shape, self.num_tokens, self.output_mode)

    def compute_output_spec(self, inputs: Any, count_weights: Any = None) -> Any:
        """Returns a symbolic tensor of the output's shape and dtype."""
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "num_tokens": self.num_tokens,
            "output_mode": self.output_mode,
        }
