"""text_dataset_from_directory: batches of texts from a directory of files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from pronghorn.utils.file_dataset import FileDataset
from pronghorn.utils.labelled_files import index_files


def text_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: str | Sequence[int] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """Returns batches of texts read from the .txt files of a directory, which are UTF-8.

    Args:
        directory: where the files are; for `labels="inferred"` in one subdirectory a class.
        labels: `"inferred"` (from the subdirectories), `None`, or one integer a file in the order
            of the sorted paths.
        label_mode: `"int"`: int32 labels `(batch,)`; `"categorical"`: float32 `(batch, classes)`;
            `"binary"`: float32 `(batch, 1)`; `None`: no labels.
        class_names: the subdirectories to read, in the order of their class numbers; by default
            all in alphanumeric order.
        batch_size: files of a batch; `None` gives files one by one.
        max_length: characters that longer texts are cut to; by default they stay whole.
        shuffle: whether the order of the files is random, and drawn anew for each pass; else it is
            alphanumeric.
        seed: of the order; by default drawn from NumPy's global generator.
        validation_split: the fraction of the files that is for validation.
        subset: with `validation_split`: `"training"`, `"validation"`, or `"both"` for a pair.
        follow_links: whether subdirectories that are symbolic links are read.
        verbose: whether the number of files and classes is printed.

    Returns:
        A data set; `len()` is its number of batches, and a `for` loop gives them. A batch is
        `(texts, labels)`, or `texts` without labels, where `texts` is an array `(batch,)` of `str`.
        `.map(lambda texts, labels: (vectorize(texts), labels))` with a `TextVectorization` makes a
        data set for `fit` of it. It has the attributes `class_names` and `file_paths`. For
        `subset="both"` a tuple of two: training and validation.

    Raises:
        ValueError: an argument is not as above, or there are no .txt files. While batches are read:
            a file is not UTF-8; the message names it and the place.
    """
    name = "text_dataset_from_directory"
    if max_length is not None and (
        isinstance(max_length, bool) or not isinstance(max_length, int) or max_length < 1
    ):
        raise ValueError(
            f"{name}: `max_length` must be a positive integer or None. "
            f"Received: max_length={max_length!r}."
        )

    def read(path: str) -> np.ndarray:
        with open(path, "rb") as file:
            data = file.read()
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{name}: expected UTF-8 text. Received: file {path}, whose byte {error.start} is "
                f"0x{data[error.start]:02x} ({error.reason}). Convert the file, for instance with "
                "`iconv -t utf-8`."
            ) from None
        found = np.empty((), object)
        found[()] = text[:max_length]
        return found

    parts = index_files(
        name,
        directory,
        labels=labels,
        label_mode=label_mode,
        class_names=class_names,
        formats=(".txt",),
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        follow_links=follow_links,
        verbose=verbose,
    )
    datasets = tuple(FileDataset(part, read, batch_size) for part in parts)
    return datasets if subset == "both" else datasets[0]
