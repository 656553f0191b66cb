"""IndexLookup: what StringLookup, IntegerLookup and TextVectorization have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pronghorn import config as global_config
from pronghorn import ops
from pronghorn.dtypes import standardize_dtype
from pronghorn.layers.arguments import Shape, owner_name
from pronghorn.layers.layer import Layer
from pronghorn.layers.preprocessing.fingerprints import hash_text
from pronghorn.layers.preprocessing.integer_encoding import encode_integers, encoded_shape
from pronghorn.layers.preprocessing.strings import as_strings
from pronghorn.layers.preprocessing.vocabulary import (
    TokenCounts,
    read_vocabulary,
    refuse_path,
    split_vocabulary,
)
from pronghorn.layers.preprocessing.vocabulary_state import VocabularyState
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.tensor import Tensor

_MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
_OLD_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}
_OOV_METHODS = ("floormod", "farmhash")


class IndexLookup(VocabularyState, Layer):
    """Maps tokens, strings or integers, to indices of a vocabulary.

    The vocabulary is given, or learned by `adapt` from data: the most frequent tokens first,
    equally frequent ones from the largest. Indices begin with that of the mask token (if there is
    one, and the output is indices), then come `num_oov_indices` for tokens that are not in the
    vocabulary.

    Args:
        max_tokens: Most tokens of a learned vocabulary, the special ones included; `None`: no
            limit.
        num_oov_indices: Number of indices for unknown tokens: with more than one they are spread by
            `oov_method`; with 0 they are an error.
        mask_token: Token with index 0, for padding. In other modes than `"int"` it is left out.
        oov_token: What `invert` gives for unknown indices, and the vocabulary shows for them.
        vocabulary_dtype: `"string"` or an integer dtype.
        vocabulary: List or array of tokens, or the path of a text file with one in each line.
        idf_weights: For `"tf_idf"`: the inverse document frequency of each token of `vocabulary`.
        invert: Maps indices to tokens.
        output_mode: `"int"`: indices. `"one_hot"`: a vector for each token. `"multi_hot"`: one per
            sample, with 1 for each token that occurs. `"count"`: with the number of occurrences.
            `"tf_idf"`: these times the inverse document frequency.
        sparse: Not supported; must be false.
        pad_to_max_tokens: Vectors have `max_tokens` elements, whatever the vocabulary has.
        oov_method: How unknown tokens are spread. `"floormod"`: integers by their remainder.
            `"farmhash"`: by FarmHash of their text, or SipHash with a `salt`.
        name: Name of the layer.
        salt: An integer or a pair of them, key of the hash of unknown tokens.

    Raises:
        ValueError: If an argument is wrong, or the layer is called without a vocabulary.
    """

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary_dtype: str,
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(
                f"{owner}: If set, `max_tokens` must be greater than 1. "
                f"Received: max_tokens={max_tokens}."
            )
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError(
                f"{owner}: If pad_to_max_tokens is True, must set `max_tokens`. "
                "Received: max_tokens=None."
            )
        if num_oov_indices < 0:
            raise ValueError(
                f"{owner}: `num_oov_indices` must be greater than or equal to 0. "
                f"Received: num_oov_indices={num_oov_indices}."
            )
        output_mode = _OLD_MODES.get(output_mode, output_mode)
        if output_mode not in _MODES:
            raise ValueError(
                f"{owner}: `output_mode` must be one of {', '.join(map(repr, _MODES))}. "
                f"Received: output_mode={output_mode!r}."
            )
        if oov_method not in _OOV_METHODS:
            raise ValueError(
                f"{owner}: `oov_method` must be one of {', '.join(map(repr, _OOV_METHODS))}. "
                f"Received: oov_method={oov_method!r}."
            )
        if invert and output_mode != "int":
            raise ValueError(
                f"{owner}: `output_mode` must be `'int'` when `invert` is true. "
                f"Received: output_mode={output_mode!r}."
            )
        if sparse and output_mode == "int":
            raise ValueError(
                f"{owner}: `sparse` may only be true if `output_mode` is `'one_hot'`, "
                f"`'multi_hot'`, `'count'` or `'tf_idf'`. Received: sparse=True."
            )
        if sparse:
            raise ValueError(f"{owner}: tensors are dense. Received: sparse=True.")
        if idf_weights is not None and output_mode != "tf_idf":
            raise ValueError(
                f"{owner}: `idf_weights` should only be set if `output_mode` is `'tf_idf'`. "
                f"Received: output_mode={output_mode!r}."
            )
        self._vocabulary_dtype = (
            "string" if vocabulary_dtype == "string" else standardize_dtype(vocabulary_dtype)
        )
        self._init_saved_state(kwargs.pop("vocabulary_size", None), vocabulary)
        dtype = kwargs.pop("dtype", None) or (
            "int64" if output_mode == "int" else global_config.floatx()
        )
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.invert = invert
        self.output_mode = output_mode
        self.sparse = sparse
        self.pad_to_max_tokens = pad_to_max_tokens
        self.oov_method = oov_method
        self.salt = _checked_salt(owner, salt, oov_method, self._is_text)
        self.idf_weights: np.ndarray | None = None
        self._tokens: list[Any] | None = None
        self._index: dict[Any, int] = {}
        self._counts: TokenCounts | None = None
        self.built = True
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
        elif idf_weights is not None:
            raise ValueError(f"{owner}: `idf_weights` need their `vocabulary`. Received: None.")

    # The vocabulary.

    @property
    def vocabulary_dtype(self) -> str:
        """`"string"`, or the dtype of integer tokens."""
        return self._vocabulary_dtype

    @property
    def _is_text(self) -> bool:
        return self._vocabulary_dtype == "string"

    @property
    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    @property
    def _token_start(self) -> int:
        return self._oov_start + self.num_oov_indices

    def _known_tokens(self) -> list[Any]:
        if self._tokens is None:
            raise ValueError(
                f"{owner_name(self)}: there is no vocabulary yet. Call `adapt` or "
                "`set_vocabulary`, or pass `vocabulary`."
            )
        return self._tokens

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Returns the tokens in the order of their indices.

        Args:
            include_special_tokens: Whether mask and unknown tokens come first.
        """
        tokens = list(self._tokens or [])
        if not include_special_tokens:
            return tokens
        return [*self._special_tokens(), *tokens]

    def _special_tokens(self, most: int | None = None) -> list[Any]:
        mask = [self.mask_token] if self._oov_start else []
        count = self.num_oov_indices if most is None else min(self.num_oov_indices, most)
        return mask + [self.oov_token] * count

    def vocabulary_size(self) -> int:
        """Returns how many indices there are, those of mask and unknown tokens included."""
        if self._tokens is None and self._announced_size is not None:
            return self._announced_size
        return len(self._tokens or []) + self._token_start

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Sets the vocabulary, as an alternative to `adapt`.

        Args:
            vocabulary: List or array of tokens, with or without the special ones at its beginning,
                or the path of a text file.
            idf_weights: For `"tf_idf"`: one for each token.

        Raises:
            ValueError: If it is empty, repeats a token, has a special token elsewhere, is too long,
                or weights are missing or of another number.
        """
        owner = owner_name(self)
        if self.output_mode == "tf_idf" and idf_weights is None:
            raise ValueError(f"{owner}: `idf_weights` must be set if output_mode is 'tf_idf'.")
        if self.output_mode != "tf_idf" and idf_weights is not None:
            raise ValueError(
                f"{owner}: `idf_weights` should only be set if output_mode is `'tf_idf'`. "
                f"Received: output_mode={self.output_mode!r}."
            )
        if isinstance(vocabulary, str):
            vocabulary = read_vocabulary(owner, vocabulary, self._is_text)
        found = self._as_tokens(vocabulary)
        # One more than there are tokens tells as much as any number of them.
        special = self._special_tokens(len(found) + 1)
        tokens = split_vocabulary(owner, found, special, self.mask_token, self.oov_token)
        if self.max_tokens is not None and self._token_start + len(tokens) > self.max_tokens:
            raise ValueError(
                f"{owner}: the vocabulary must have at most `max_tokens` tokens, special ones "
                f"included. Received: {self._token_start + len(tokens)} tokens, "
                f"max_tokens={self.max_tokens}."
            )
        weights = None
        if idf_weights is not None:
            weights = np.asarray(ops.convert_to_numpy(idf_weights), "float32").reshape(-1)
            weights = (
                weights[len(weights) - len(tokens) :] if weights.size > len(tokens) else weights
            )
            if weights.size != len(tokens):
                raise ValueError(
                    f"{owner}: `idf_weights` must be as many as tokens. "
                    f"Received: {weights.size} weights, {len(tokens)} tokens."
                )
        self._set_tokens(tokens, weights)

    def _set_tokens(self, tokens: list[Any], weights: np.ndarray | None) -> None:
        start = self._token_start
        self._tokens = tokens
        self._index = {token: start + i for i, token in enumerate(tokens)}
        if weights is not None:
            average = np.float32(weights.mean()) if weights.size else np.float32(0)
            self.idf_weights = np.concatenate([np.full(start, average, "float32"), weights])

    def _as_tokens(self, vocabulary: Any) -> list[Any]:
        if self._is_text:
            return list(as_strings(owner_name(self), vocabulary).reshape(-1))
        return [int(t) for t in np.asarray(ops.convert_to_numpy(vocabulary)).reshape(-1)]

    # Learning.

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learns the vocabulary from data; what was learned before is forgotten.

        Args:
            data: Tokens as a list, an array or tensor (axis 0: documents), or an iterable of
                batches.
            steps: Number of batches to read, `None` for all.
        """
        with self.learning():
            for count, batch in enumerate(self._batches(data)):
                if steps is not None and count >= steps:
                    break
                self.update_state(batch)

    @contextmanager
    def learning(self) -> Iterator[None]:
        """Inside it `update_state` counts for a new vocabulary; the last one stays on an error."""
        before = self._tokens, self._index, self.idf_weights
        self.reset_state()
        self._counts = TokenCounts()
        try:
            yield
            self.finalize_state()
        except BaseException:
            self._tokens, self._index, self.idf_weights = before
            self._counts = None
            raise

    def _batches(self, data: Any) -> Any:
        if isinstance(data, (list, tuple, np.ndarray, Tensor)):
            return [data]
        return (batch[0] if isinstance(batch, tuple) else batch for batch in data)

    def update_state(self, data: Any) -> None:
        """Counts the tokens of one batch.

        Args:
            data: Tokens of rank 1 (each a document), or 2 and more (rows are documents).
        """
        if self._counts is None:
            self._counts = TokenCounts()
        self._counts.add(self._tokens_of(data))

    def update_documents(self, documents: list[list[Any]]) -> None:
        """Counts the tokens of documents that have different numbers of them."""
        if self._counts is None:
            self._counts = TokenCounts()
        self._counts.add_documents(documents)

    def finalize_state(self) -> None:
        """Makes the vocabulary of what `update_state` counted."""
        if self._counts is None:
            return
        special = {self.mask_token, self.oov_token}
        limit = None if self.max_tokens is None else max(self.max_tokens - self._token_start, 0)
        tokens = self._counts.most_frequent(limit, special)
        weights = self._counts.idf(tokens) if self.output_mode == "tf_idf" else None
        self._counts = None
        self._set_tokens(tokens, weights)

    def reset_state(self) -> None:
        """Forgets a learned vocabulary."""
        self._tokens, self._index, self.idf_weights, self._counts = None, {}, None, None

    # Looking up.

    def lookup_padded(self, tokens: np.ndarray, lengths: list[int]) -> Any:
        """Returns indices or vectors of rows of tokens, without what is past each row's length."""
        self._known_tokens()
        indices = self._indices(tokens)
        padding = np.arange(tokens.shape[1]) >= np.asarray(lengths, "int64").reshape(-1, 1)
        indices[padding] = 0 if self.output_mode == "int" else -1
        return self._encode(ops.convert_to_tensor(indices))

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(inputs, (KerasTensor, Tensor)):
            return super().__call__(inputs, *args, **kwargs)
        return self.call(inputs)

    def call(self, inputs: Any) -> Any:
        """Returns indices or vectors; with `invert` an array of tokens."""
        tokens = self._known_tokens()
        if self.invert:
            return self._inverted(inputs)
        if isinstance(inputs, Tensor) and inputs.is_symbolic:
            indices = self._traced_indices(inputs, tokens)
        else:
            indices = ops.convert_to_tensor(self._indices(self._tokens_of(inputs)))
        return self._encode(indices)

    def _encode(self, indices: Any) -> Any:
        if self.output_mode == "int":
            return ops.cast(indices, self.compute_dtype)
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        found = encode_integers(indices, self._depth(), mode, self.compute_dtype)
        if self.output_mode != "tf_idf":
            return found
        weights = np.zeros(self._depth(), "float32")
        known = self.idf_weights if self.idf_weights is not None else weights
        weights[: known.size] = known
        return ops.multiply(found, ops.cast(weights, self.compute_dtype))

    def _depth(self) -> int:
        if self.pad_to_max_tokens and self.max_tokens is not None:
            return self.max_tokens
        return self.vocabulary_size()

    def _tokens_of(self, inputs: Any) -> np.ndarray:
        if self._is_text:
            if isinstance(inputs, (KerasTensor, Tensor)):
                raise TypeError(
                    f"{owner_name(self)}: expected strings, as a list or array. Tensors have none, "
                    f"so it is called before the model. Received: dtype={inputs.dtype}."
                )
            return as_strings(owner_name(self), inputs, getattr(self, "encoding", "utf-8"))
        found = np.asarray(ops.convert_to_numpy(inputs))
        if found.dtype.kind not in "iub":
            raise TypeError(
                f"{owner_name(self)}: expected integers. Received: dtype={found.dtype}."
            )
        return found.astype("int64")

    def _indices(self, tokens: np.ndarray) -> np.ndarray:
        flat = tokens.reshape(-1)
        missing: list[int] = []
        found = np.empty(flat.size, "int64")
        mask = self.mask_token
        for i, token in enumerate(flat.tolist()):
            index = self._index.get(token)
            if index is None:
                if mask is not None and token == mask:
                    index = 0 if self._oov_start else -1
                else:
                    index = self._oov_index(token)
                    if index is None:
                        missing.append(i)
                        index = -1
            found[i] = index
        if missing:
            shown = [flat[i] for i in missing[:5]]
            raise ValueError(
                f"{owner_name(self)}: with num_oov_indices=0 all tokens must be in the vocabulary. "
                f"Received: {shown}{'...' if len(missing) > 5 else ''} (position {missing[0]})."
            )
        return found.reshape(tokens.shape)

    def _oov_index(self, token: Any) -> int | None:
        n = self.num_oov_indices
        if n == 0:
            return None
        if n == 1:
            return self._oov_start
        if not self._is_text and self.oov_method == "floormod":
            return self._oov_start + int(token) % n
        return self._oov_start + hash_text(str(token), self.salt) % n

    def _traced_indices(self, inputs: Any, tokens: list[Any]) -> Any:
        if self._is_text:
            self._tokens_of(inputs)
        if self.num_oov_indices == 0 or (
            self.num_oov_indices > 1 and self.oov_method != "floormod"
        ):
            raise ValueError(
                f"{owner_name(self)}: inside a model unknown tokens need one index, or "
                "oov_method='floormod'. "
                f"Received: num_oov_indices={self.num_oov_indices}, oov_method={self.oov_method!r}."
            )
        if "int" not in inputs.dtype:
            raise TypeError(f"{owner_name(self)}: expected integers. Received: {inputs.dtype}.")
        x = ops.cast(inputs, "int64")
        oov = ops.add(ops.mod(x, self.num_oov_indices), self._oov_start)
        found = ops.cast(oov, "int64")
        if tokens:
            order = np.argsort(np.asarray(tokens, "int64"), kind="stable")
            ordered = np.asarray(tokens, "int64")[order]
            place = ops.minimum(ops.searchsorted(ordered, x, side="left"), len(tokens) - 1)
            indices = (order + self._token_start).astype("int64")
            known = ops.equal(ops.take(ops.convert_to_tensor(ordered), place), x)
            found = ops.where(known, ops.take(ops.convert_to_tensor(indices), place), found)
        if self.mask_token is not None:
            masked = 0 if self._oov_start else -1
            found = ops.where(ops.equal(x, self.mask_token), ops.cast(masked, "int64"), found)
        return found

    def _inverted(self, inputs: Any) -> np.ndarray:
        indices = np.asarray(ops.convert_to_numpy(inputs))
        if indices.dtype.kind not in "iu":
            raise TypeError(f"{owner_name(self)}: expected indices. Received: {indices.dtype}.")
        vocabulary = self.get_vocabulary()
        flat = [
            vocabulary[i] if 0 <= i < len(vocabulary) else self.oov_token
            for i in indices.reshape(-1).tolist()
        ]
        found = np.empty(len(flat), object if self._is_text else "int64")
        found[:] = flat
        return found.reshape(indices.shape)

    # Description.

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape of the indices or vectors."""
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        return encoded_shape(input_shape, self._depth(), mode)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Returns a symbolic tensor of the output's shape and dtype."""
        if self._is_text:
            self._tokens_of(inputs)
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments, with the vocabulary if it is one of them.

        A learned vocabulary is state, as weights are: `.keras` files hold it as an asset.
        """
        config = {
            "invert": self.invert,
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token,
            "mask_token": self.mask_token,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "vocabulary_dtype": self._vocabulary_dtype,
            "oov_method": self.oov_method,
            "salt": None if self.salt is None else list(self.salt),
            **self._vocabulary_config(),
        }
        base = super().get_config()
        return {**base, **config}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Creates the layer that `get_config` described.

        Raises:
            ValueError: If the configuration names a file: files are read only where the caller
                passes their path.
        """
        refuse_path(cls.__name__, config)
        config = dict(config)
        if config.get("vocabulary") == []:  # learned, of nothing
            config["vocabulary"] = None
        if config.get("output_mode", "int") == "int" and not _is_integer(config.get("dtype")):
            del config["dtype"]  # Keras notes the default for floats, and returns integers
        return cls(**config)


def _is_integer(dtype: Any) -> bool:
    return dtype is None or "int" in str(dtype["config"] if isinstance(dtype, dict) else dtype)


def _checked_salt(owner: str, salt: Any, oov_method: str, is_text: bool) -> tuple[int, int] | None:
    if salt is None:
        return None
    if not is_text and oov_method != "farmhash":
        raise ValueError(
            f"{owner}: `salt` can only be used when `oov_method='farmhash'`. "
            f"Received: oov_method={oov_method!r}."
        )
    if isinstance(salt, (tuple, list)) and len(salt) == 2:
        return int(salt[0]), int(salt[1])
    if isinstance(salt, int):
        return salt, salt
    raise ValueError(f"{owner}: `salt` must be an integer or two. Received: salt={salt!r}.")
