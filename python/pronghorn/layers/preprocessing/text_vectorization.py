"""TextVectorization: text as indices of its words, or as vectors of their counts."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pronghorn import ops
from pronghorn.layers.arguments import Shape, owner_name
from pronghorn.layers.layer import Layer
from pronghorn.layers.preprocessing.string_lookup import StringLookup
from pronghorn.layers.preprocessing.strings import as_strings
from pronghorn.layers.preprocessing.vocabulary import refuse_path
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.saving import deserialization, serialization
from pronghorn.tensor import Tensor

_STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_SPLIT = ("whitespace", "character")
_MODES = ("int", "multi_hot", "count", "tf_idf")
_PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")


class TextVectorization(Layer):
    """Maps text to indices of a vocabulary of its words.

    Each sample is standardized, split into tokens, these are combined to n-grams, and looked up.
    The vocabulary is given, or learned by `adapt`: the most frequent tokens first, equally frequent
    ones from the last in the alphabet. Index 0 is padding and 1 any unknown token; in the other
    modes than `"int"` index 0 is any unknown token.

    Args:
        max_tokens: Most tokens of the vocabulary, special ones included; `None`: no limit.
        standardize: `"lower_and_strip_punctuation"`, `"lower"`, `"strip_punctuation"`, `None`, or a
            function of a string that returns one.
        split: `"whitespace"`, `"character"`, `None`, or a function of a string that returns a list
            of strings.
        ngrams: An integer n: n-grams of 1 to n tokens, joined by a space. A tuple: of those numbers
            of tokens. `None`: tokens.
        output_mode: `"int"`: indices, padded with 0. `"multi_hot"`: one vector per sample, with 1
            for each token that occurs. `"count"`: with the number of occurrences. `"tf_idf"`: these
            times the inverse document frequency, log(1 + documents / (1 + documents with it)).
        output_sequence_length: For `"int"`: length to which samples are padded or cut; by default
            that of the longest.
        pad_to_max_tokens: Vectors have `max_tokens` elements, whatever the vocabulary has.
        vocabulary: List or array of tokens, or the path of a text file with one in each line.
        idf_weights: For `"tf_idf"`: the inverse document frequency of each token of `vocabulary`.
        sparse: Not supported; must be false.
        ragged: Not supported; must be false.
        encoding: How bytes are decoded.
        name: Name of the layer.
        **kwargs: `dtype`, `trainable`.

    Input shape:
        `()`, `(batch,)` or `(batch, 1)` strings, as a list or array. It is called before the model:
        tensors hold numbers only.

    Output shape:
        `(batch, tokens)` for `"int"`, else `(batch, vocabulary size)`; without the batch for a
        single string.

    Raises:
        ValueError: If an argument is wrong, bytes are not valid in `encoding`, or there is no
            vocabulary yet.

    Example:

    >>> import pronghorn as keras
    >>> layer = keras.layers.TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["foo bar", "bar baz", "baz bada boom"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'baz', 'bar', 'foo', 'boom', 'bada']
    >>> layer(["foo qux bar", "Baz!"]).numpy().tolist()
    [[4, 1, 3, 0], [2, 0, 0, 0]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable[[str], str] | None = "lower_and_strip_punctuation",
        split: str | Callable[[str], list[str]] | None = "whitespace",
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        _check(standardize, _STANDARDIZE, "standardize")
        _check(split, _SPLIT, "split")
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        if output_mode not in _MODES:
            raise ValueError(
                f"TextVectorization: `output_mode` must be one of {', '.join(map(repr, _MODES))}. "
                f"Received: output_mode={output_mode!r}."
            )
        if output_sequence_length is not None and output_mode != "int":
            raise ValueError(
                "TextVectorization: `output_sequence_length` must not be set if `output_mode` is "
                f"not 'int'. Received: output_sequence_length={output_sequence_length}."
            )
        if output_sequence_length is not None and (
            not isinstance(output_sequence_length, int) or output_sequence_length < 1
        ):
            raise ValueError(
                "TextVectorization: `output_sequence_length` must be a positive integer or `None`. "
                f"Received: output_sequence_length={output_sequence_length}."
            )
        if sparse or ragged:
            raise ValueError(
                "TextVectorization: tensors are dense and not ragged. "
                f"Received: sparse={sparse}, ragged={ragged}."
            )
        size = kwargs.pop("vocabulary_size", None)
        super().__init__(name=name, **kwargs)
        self._standardize = standardize
        self._split = split
        self._ngrams_arg = ngrams
        self._ngrams = _ngram_sizes(ngrams)
        self._output_mode = output_mode
        self._output_sequence_length = output_sequence_length
        self._max_tokens = max_tokens
        self._encoding = encoding
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens,
            mask_token="" if output_mode == "int" else None,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
            encoding=encoding,
            vocabulary_size=size,
        )
        self.built = True

    # The vocabulary.

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Returns the tokens in the order of their indices.

        Args:
            include_special_tokens: Whether padding and unknown token come first.
        """
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Returns how many indices there are, special ones included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Sets the vocabulary, as an alternative to `adapt`.

        Args:
            vocabulary: List or array of tokens, or the path of a text file.
            idf_weights: For `"tf_idf"`: one for each token.
        """
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    def adapt(self, dataset: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learns the vocabulary from text; what was learned before is forgotten.

        Args:
            dataset: Strings as a list or array, or an iterable of batches of them.
            batch_size: Number of strings that are looked at at once.
            steps: Number of batches to read, `None` for all.
        """
        if isinstance(dataset, (list, tuple, np.ndarray, str)):
            strings = as_strings(owner_name(self), dataset, self._encoding).reshape(-1)
            size = batch_size or max(len(strings), 1)
            batches: Any = (strings[i : i + size] for i in range(0, len(strings), size))
        else:
            batches = (batch[0] if isinstance(batch, tuple) else batch for batch in dataset)
        with self._lookup_layer.learning():
            for count, batch in enumerate(batches):
                if steps is not None and count >= steps:
                    break
                self.update_state(batch)

    def update_state(self, data: Any) -> None:
        """Counts the tokens of one batch of strings."""
        strings = as_strings(owner_name(self), data, self._encoding).reshape(-1)
        self._lookup_layer.update_documents([self._tokens(text) for text in strings])

    def finalize_state(self) -> None:
        """Makes the vocabulary of what `update_state` counted."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forgets a learned vocabulary."""
        self._lookup_layer.reset_state()

    # Text to numbers.

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(inputs, (KerasTensor, Tensor)):
            raise TypeError(
                f"{owner_name(self)}: expected strings, as a list or array. Tensors have none, so "
                f"it is called before the model. Received: dtype={inputs.dtype}."
            )
        return self.call(inputs)

    def call(self, inputs: Any) -> Any:
        """Returns the indices or vectors of strings."""
        strings = as_strings(owner_name(self), inputs, self._encoding)
        if strings.ndim > 2 or (strings.ndim == 2 and strings.shape[1] != 1):
            raise ValueError(
                f"{owner_name(self)}: expected strings of shape (), (batch,) or (batch, 1). "
                f"Received: shape={strings.shape}."
            )
        if self._split is None and self._ngrams is None and self._output_mode == "int":
            texts = [self._tokens(text)[0] for text in strings.reshape(-1)]
            return self._lookup_layer(np.array(texts, object).reshape(strings.shape))
        rows = [self._tokens(text) for text in strings.reshape(-1)]
        length = max((len(row) for row in rows), default=0)
        if self._output_sequence_length is not None:
            length = self._output_sequence_length
        padded = np.full((len(rows), length), "", object)
        for i, row in enumerate(rows):
            padded[i, : min(len(row), length)] = row[:length]
        found = self._lookup_layer.lookup_padded(padded, [len(row) for row in rows])
        return ops.squeeze(found, axis=0) if strings.ndim == 0 else found

    def _tokens(self, text: str) -> list[str]:
        how = self._standardize
        if callable(how):
            text = how(text)
        else:
            if how in ("lower", "lower_and_strip_punctuation"):
                text = text.lower()
            if how in ("strip_punctuation", "lower_and_strip_punctuation"):
                text = _PUNCTUATION.sub("", text)
        split = self._split
        if callable(split):
            tokens = list(split(text))
        elif split == "whitespace":
            tokens = text.split()
        else:
            tokens = list(text) if split == "character" else [text]
        if self._ngrams is None:
            return tokens
        sizes = self._ngrams
        if isinstance(sizes, range):  # 1, 2, ...: none is longer than the text
            sizes = sizes[: len(tokens)]
        return [" ".join(tokens[i : i + n]) for n in sizes for i in range(len(tokens) - n + 1)]

    # Description.

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape of the indices or vectors."""
        if self._output_mode == "int":
            return (input_shape[0], self._output_sequence_length)
        return (input_shape[0], self._lookup_layer._depth())

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments, with the vocabulary if it is one of them."""
        lookup = self._lookup_layer.get_config()
        return {
            **super().get_config(),
            "max_tokens": self._max_tokens,
            "standardize": _saved(self._standardize),
            "split": _saved(self._split),
            "ngrams": self._ngrams_arg,
            "output_mode": self._output_mode,
            "output_sequence_length": self._output_sequence_length,
            "pad_to_max_tokens": lookup["pad_to_max_tokens"],
            "sparse": False,
            "ragged": False,
            "vocabulary": lookup["vocabulary"],
            "idf_weights": lookup["idf_weights"],
            "encoding": self._encoding,
            "vocabulary_size": self.vocabulary_size(),
        }

    # State in files: that of the lookup, as in Keras.

    def save_own_variables(self, store: Any) -> None:
        """Puts the weights of tokens into `store`."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """Takes the weights of tokens from `store`."""
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path: str) -> None:
        """Writes a learned vocabulary to `vocabulary.txt` in a folder."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: str) -> None:
        """Reads the vocabulary from `vocabulary.txt` in a folder, unless the config held it."""
        self._lookup_layer.load_assets(dir_path)

    def _stored_shapes(self, stored: Any) -> dict[str, tuple[int, ...]]:
        return self._lookup_layer._stored_shapes(stored)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TextVectorization:
        """Creates the layer that `get_config` described.

        Raises:
            ValueError: If the configuration names a vocabulary file.
        """
        config = dict(config)
        refuse_path(cls.__name__, config)
        for key in ("standardize", "split"):
            if isinstance(config.get(key), dict):
                config[key] = deserialization.deserialize_keras_object(config[key])
        if isinstance(config.get("ngrams"), list):
            config["ngrams"] = tuple(config["ngrams"])
        return cls(**config)


def _saved(how: Any) -> Any:
    return serialization.serialize_keras_object(how) if callable(how) else how


def _check(value: Any, names: tuple[str, ...], argument: str) -> None:
    if value is not None and not callable(value) and value not in names:
        raise ValueError(
            f"TextVectorization: `{argument}` must be one of {', '.join(map(repr, names))}, "
            f"None or a function of a string. Received: {argument}={value!r}."
        )


def _ngram_sizes(ngrams: Any) -> Sequence[int] | None:
    if ngrams is None:
        return None
    if isinstance(ngrams, int) and ngrams >= 1:
        return range(1, ngrams + 1)
    sizes = () if isinstance(ngrams, int) else tuple(ngrams)
    if not sizes or any(not isinstance(n, int) or n < 1 for n in sizes):
        raise ValueError(
            "TextVectorization: `ngrams` must be `None`, a positive integer, or a tuple of "
            f"positive integers. Received: ngrams={ngrams!r}."
        )
    return sizes
