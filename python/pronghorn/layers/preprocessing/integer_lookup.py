"""IntegerLookup: integers as indices of a vocabulary."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.preprocessing.index_lookup import IndexLookup


class IntegerLookup(IndexLookup):
    """Maps integers to indices of a vocabulary, or back; also inside a model.

    What is learned, and the order of indices, is described at `IndexLookup`.

    Args:
        max_tokens: Most tokens of a learned vocabulary, special ones included; `None`: no limit.
        num_oov_indices: Number of indices for unknown integers; with 0 they are an error.
        mask_token: Integer with index 0, for padding.
        oov_token: What `invert` gives for unknown indices.
        vocabulary: List or array of integers, or the path of a text file with one in each line.
        vocabulary_dtype: `"int64"` or `"int32"`.
        idf_weights: For `"tf_idf"`: the inverse document frequency of each integer.
        invert: Maps indices to integers.
        output_mode: `"int"`, `"one_hot"`, `"multi_hot"`, `"count"` or `"tf_idf"`.
        sparse: Not supported; must be false.
        pad_to_max_tokens: Vectors have `max_tokens` elements.
        oov_method: How unknown integers are spread: `"floormod"` or `"farmhash"`.
        salt: With `"farmhash"`: an integer or a pair of them, key of the hash.
        name: Name of the layer.
        **kwargs: `dtype`, `trainable`.

    Input shape:
        Any, `(samples,)` or `(batch, values)` for vectors.

    Output shape:
        Same as the input for `"int"`, else `(..., vocabulary size)`.

    Raises:
        ValueError: If an argument is wrong.

    Example:

    >>> import pronghorn as keras
    >>> layer = keras.layers.IntegerLookup(vocabulary=[12, 36, 1138, 42])
    >>> layer([[12, 1138, 42], [42, 1000, 36]]).numpy().tolist()
    [[1, 3, 4], [4, 0, 2]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if vocabulary_dtype not in ("int64", "int32"):
            raise ValueError(
                "IntegerLookup: `vocabulary_dtype` must be 'int64' or 'int32'. "
                f"Received: vocabulary_dtype={vocabulary_dtype!r}."
            )
        super().__init__(
            max_tokens,
            num_oov_indices,
            mask_token,
            oov_token,
            vocabulary_dtype,
            vocabulary,
            idf_weights,
            invert,
            output_mode,
            sparse,
            pad_to_max_tokens,
            oov_method,
            name,
            salt,
            **kwargs,
        )
