"""Vocabularies: how they are counted, read from a file and checked."""

from __future__ import annotations

import collections
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np


class TokenCounts:
    """Counts tokens, and in how many documents each occurs."""

    def __init__(self) -> None:
        self._tokens: collections.Counter[Any] = collections.Counter()
        self._documents: collections.Counter[Any] = collections.Counter()
        self._document_count = 0

    def add(self, tokens: np.ndarray) -> None:
        """Counts a batch. Of rank 1 or less each token is a document, else each row is one."""
        rows = tokens.reshape(tokens.shape[0], -1) if tokens.ndim > 1 else tokens.reshape(-1, 1)
        self.add_documents(rows.tolist())

    def add_documents(self, documents: list[list[Any]]) -> None:
        """Counts documents, lists of tokens."""
        self._document_count += len(documents)
        for row in documents:
            self._tokens.update(row)
            self._documents.update(set(row))

    def most_frequent(self, limit: int | None, left_out: Collection[Any]) -> list[Any]:
        """Returns tokens by falling frequency; equally frequent ones from the largest."""
        kept = [(count, token) for token, count in self._tokens.items() if token not in left_out]
        kept.sort(reverse=True)
        return [token for _, token in kept[:limit]]

    def idf(self, tokens: list[Any]) -> np.ndarray:
        """Returns log(1 + documents / (1 + documents with the token)) of each token."""
        counts = np.array([self._documents[token] for token in tokens], "float64")
        return np.log(1 + self._document_count / (1 + counts)).astype("float32")


def read_vocabulary(owner: str, path: str, is_text: bool) -> list[Any]:
    """Returns the lines of a text file, UTF-8, as tokens.

    Raises:
        ValueError: The file does not exist or is no UTF-8, or a line is no integer where integers
            are wanted.
    """
    if not Path(path).is_file():
        raise ValueError(f"{owner}: Vocabulary file {path} does not exist.")
    data = Path(path).read_bytes()
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError as e:
        number = data[: e.start].count(b"\n") + 1
        raise ValueError(
            f"{owner}: expected a vocabulary file in UTF-8. Received: {path}, line {number}: "
            f"{data.splitlines()[number - 1][:40]!r}."
        ) from e
    if is_text:
        return lines
    try:
        return [int(line) for line in lines]
    except ValueError as e:
        raise ValueError(f"{owner}: expected an integer in each line of {path}. {e}.") from e


def fits_lines(tokens: list[str]) -> bool:
    """Returns whether the lines of a text file can be exactly these tokens."""
    return "\n".join(tokens).splitlines() == tokens


def refuse_path(owner: str, config: dict[str, Any]) -> None:
    """Raises a ValueError if a configuration names a vocabulary file: only a caller may."""
    if isinstance(config.get("vocabulary"), str):
        raise ValueError(
            f"{owner}: a configuration must hold its vocabulary. "
            f"Received: the path {config['vocabulary']!r}. Read the file with set_vocabulary."
        )


def split_vocabulary(
    owner: str, found: list[Any], special: list[Any], mask_token: Any, oov_token: Any
) -> list[Any]:
    """Returns the tokens of a vocabulary without the special ones at its beginning.

    Raises:
        ValueError: It is empty, repeats a token or has a special one elsewhere.
    """
    if not found:
        raise ValueError(f"{owner}: Cannot set an empty vocabulary. Received: vocabulary=[].")
    has_special = bool(special) and found[: len(special)] == special
    tokens = found[len(special) :] if has_special else found
    repeated = [token for token, n in collections.Counter(tokens).items() if n > 1]
    if repeated:
        raise ValueError(
            f"{owner}: The passed vocabulary has at least one repeated term. "
            f"Received: {repeated[:5]} more than once."
        )
    for name, token in (("mask", mask_token), ("OOV", oov_token)):
        if token is not None and token in tokens and token in special:
            raise ValueError(
                f"{owner}: Found reserved {name} token at unexpected location in `vocabulary`. "
                f"Special tokens are left out, or come first. "
                f"Received: {token!r} at index {found.index(token)}."
            )
    return tokens
