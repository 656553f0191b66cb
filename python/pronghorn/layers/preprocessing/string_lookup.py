"""StringLookup: strings as indices of a vocabulary."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.preprocessing.index_lookup import IndexLookup


class StringLookup(IndexLookup):
    """Maps strings to indices of a vocabulary, or back.

    It is called on strings before a model: tensors hold numbers only. What is learned, and the
    order of indices, is described at `IndexLookup`.

    Args:
        max_tokens: Most tokens of a learned vocabulary, special ones included; `None`: no limit.
        num_oov_indices: Number of indices for unknown strings; with 0 they are an error.
        mask_token: String with index 0, for padding.
        oov_token: What `invert` gives for unknown indices.
        vocabulary: List or array of strings, or the path of a text file with one in each line.
        idf_weights: For `"tf_idf"`: the inverse document frequency of each string.
        invert: Maps indices to strings.
        output_mode: `"int"`, `"one_hot"`, `"multi_hot"`, `"count"` or `"tf_idf"`.
        pad_to_max_tokens: Vectors have `max_tokens` elements.
        sparse: Not supported; must be false.
        encoding: How bytes are decoded.
        name: Name of the layer.
        salt: An integer or a pair of them, key of the hash that spreads unknown strings.
        **kwargs: `dtype`, `trainable`.

    Input shape:
        Any, `(samples,)` or `(batch, values)` for vectors.

    Output shape:
        Same as the input for `"int"`, else `(..., vocabulary size)`.

    Raises:
        ValueError: If an argument is wrong, or bytes are not valid in `encoding`.

    Example:

    >>> import pronghorn as keras
    >>> layer = keras.layers.StringLookup(vocabulary=["a", "b", "c"])
    >>> layer([["a", "c"], ["z", "b"]]).numpy().tolist()
    [[1, 3], [0, 2]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        self._encoding = encoding
        kwargs.pop("vocabulary_dtype", None)
        kwargs.pop("oov_method", None)
        super().__init__(
            max_tokens,
            num_oov_indices,
            mask_token,
            oov_token,
            "string",
            vocabulary,
            idf_weights,
            invert,
            output_mode,
            sparse,
            pad_to_max_tokens,
            "farmhash",
            name,
            salt,
            **kwargs,
        )

    @property
    def encoding(self) -> str:
        """How bytes are decoded."""
        return self._encoding

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments, with the vocabulary if it is one of them."""
        config = super().get_config()
        del config["vocabulary_dtype"], config["oov_method"]
        return {**config, "encoding": self.encoding}
