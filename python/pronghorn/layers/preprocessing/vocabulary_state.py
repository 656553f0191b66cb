"""How a vocabulary is saved: in the layer's configuration where it was given, else as an asset.

A `.keras` file holds a learned vocabulary in `assets/<layer>/vocabulary.txt`, one token a line, and
weights of tokens in `<layer>/vars/idf_weights`: the form of Keras.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from pronghorn.layers.arguments import owner_name
from pronghorn.layers.preprocessing.vocabulary import fits_lines, read_vocabulary

VOCABULARY_FILE = "vocabulary.txt"
MAX_VOCABULARY_BYTES = 2**26
_IDF_WEIGHTS = "idf_weights"


class VocabularyState:
    """The part of `IndexLookup` about configs, assets and the weights of tokens in files."""

    _tokens: list[Any] | None
    idf_weights: np.ndarray | None
    output_mode: str
    pad_to_max_tokens: bool
    max_tokens: int | None
    _announced_size: int | None

    @property
    def _is_text(self) -> bool:
        raise NotImplementedError

    @property
    def _token_start(self) -> int:
        raise NotImplementedError

    def _init_saved_state(self, announced_size: Any, vocabulary: Any) -> None:
        if announced_size is not None and (
            not isinstance(announced_size, int) or not 0 <= announced_size < 2**31
        ):
            raise ValueError(
                f"{type(self).__name__}: vocabulary_size must be a number of tokens. "
                f"Received: vocabulary_size={announced_size!r}."
            )
        # What a config says of a vocabulary that comes later, from an asset.
        self._announced_size = announced_size
        self._was_given = vocabulary is not None and not isinstance(vocabulary, str)

    def _is_in_config(self) -> bool:
        if self._tokens is None:
            return False
        return self._was_given or not fits_lines(self._lines())

    def _lines(self) -> list[str]:
        return [str(token) for token in self.get_vocabulary()]  # type: ignore[attr-defined]

    def _vocabulary_config(self) -> dict[str, Any]:
        size = self._announced_size
        if self._tokens is not None:
            size = self.vocabulary_size()  # type: ignore[attr-defined]
        if not self._is_in_config():
            return {"vocabulary": None, "idf_weights": None, "vocabulary_size": size}
        assert self._tokens is not None
        weights = self.idf_weights
        return {
            "vocabulary": list(self._tokens),
            "idf_weights": None if weights is None else weights[self._token_start :].tolist(),
            "vocabulary_size": size,
        }

    def save_assets(self, dir_path: str) -> None:
        """Writes a learned vocabulary to `vocabulary.txt` in a folder."""
        if self._is_in_config():
            return
        path = os.path.join(dir_path, VOCABULARY_FILE)
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(self._lines()))

    def load_assets(self, dir_path: str) -> None:
        """Reads the vocabulary from `vocabulary.txt` in a folder, unless the config held it.

        Raises:
            ValueError: If the file is missing or no vocabulary, or has not the size that the
                configuration gave.
        """
        if self._tokens is not None and self._is_in_config():
            return
        owner = owner_name(self)
        path = os.path.join(dir_path, VOCABULARY_FILE)
        if os.path.isfile(path) and os.path.getsize(path) > MAX_VOCABULARY_BYTES:
            raise ValueError(
                f"{owner}: expected a vocabulary of at most {MAX_VOCABULARY_BYTES} bytes. "
                f"Received: {os.path.getsize(path)}."
            )
        found = read_vocabulary(owner, path, self._is_text)
        while found and found[-1] == "":
            found.pop()
        special = self._special_tokens()  # type: ignore[attr-defined]
        if found in ([], special):
            return  # saved before anything was learned
        expected, weights = self._announced_size, self.idf_weights
        if self.output_mode == "tf_idf":
            tokens = found[len(special) :] if found[: len(special)] == special else found
            count = len(tokens)
            if weights is None or weights.size < self._token_start + count:
                raise ValueError(
                    f"{owner}: expected a weight for each of {count} tokens. "
                    f"Received: {0 if weights is None else weights.size}."
                )
            weights = weights[self._token_start : self._token_start + count]
            self.set_vocabulary(found, weights)  # type: ignore[attr-defined]
        else:
            self.set_vocabulary(found)  # type: ignore[attr-defined]
        size = self.vocabulary_size()  # type: ignore[attr-defined]
        if expected is not None and size != expected:
            raise ValueError(
                f"{owner}: expected a vocabulary of {expected} tokens, as its configuration says. "
                f"Received: {size} in {VOCABULARY_FILE}."
            )

    # Weights of tokens.

    def _saved_weights(self) -> np.ndarray | None:
        weights = self.idf_weights
        if self.output_mode != "tf_idf" or weights is None or self._tokens is None:
            return None
        if self.pad_to_max_tokens and self.max_tokens is not None:
            return np.pad(weights, (0, self.max_tokens - weights.size))
        return weights

    def save_own_variables(self, store: Any) -> None:
        """Puts the weights of tokens into `store`."""
        weights = self._saved_weights()
        if weights is not None:
            store[_IDF_WEIGHTS] = weights

    def load_own_variables(self, store: Any) -> None:
        """Takes the weights of tokens from `store`, for the vocabulary that is known or follows."""
        if self.output_mode != "tf_idf" or _IDF_WEIGHTS not in store:
            return
        weights = np.asarray(store[_IDF_WEIGHTS], "float32")
        if self._tokens is not None:
            weights = weights[: self._token_start + len(self._tokens)]
        self.idf_weights = weights

    def _stored_shapes(self, stored: Any) -> dict[str, tuple[int, ...]]:
        """Returns the shapes of the arrays that are expected among those of a file."""
        if self.output_mode != "tf_idf" or _IDF_WEIGHTS not in stored:
            return {}
        weights = self._saved_weights()
        if weights is not None:
            return {_IDF_WEIGHTS: weights.shape}
        shape = tuple(stored[_IDF_WEIGHTS].shape)
        return {_IDF_WEIGHTS: shape if len(shape) == 1 else (-1,)}
