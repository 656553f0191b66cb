"""The files of a directory with their labels: what `*_dataset_from_directory` begin with.

`index_files` checks the arguments that those functions share and finds the files; the order in
which it shuffles them, and with it the split, is Keras's for the same seed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pronghorn.utils.output import print_msg

LABEL_MODES = ("int", "categorical", "binary", None)


@dataclass(frozen=True)
class LabelledFiles:
    """Files and their labels.

    Attributes:
        paths: the files, in the order in which they are to be read.
        labels: int32 array of one class number a file, or `None`.
        class_names: the name of each class, or `None` where there are no labels.
        label_mode: `"int"`, `"categorical"`, `"binary"` or `None`.
        shuffle: whether the order is drawn anew for each pass.
        seed: of the order.
    """

    paths: list[str]
    labels: np.ndarray | None
    class_names: list[str] | None
    label_mode: str | None
    shuffle: bool
    seed: int

    def targets(self) -> np.ndarray | None:
        """What `fit` takes as `y`: int32 `(files,)` for `"int"`, float32 `(files, classes)` of
        zeros and ones for `"categorical"`, float32 `(files, 1)` for `"binary"`."""
        if self.labels is None:
            return None
        if self.label_mode == "categorical":
            assert self.class_names is not None
            hot: np.ndarray = np.eye(len(self.class_names), dtype=np.float32)[self.labels]
            return hot
        if self.label_mode == "binary":
            return self.labels.astype(np.float32)[:, None]
        return self.labels

    def _part(self, chosen: slice, shuffle: bool) -> LabelledFiles:
        labels = None if self.labels is None else self.labels[chosen]
        return replace(self, paths=self.paths[chosen], labels=labels, shuffle=shuffle)


def index_files(
    function: str,
    directory: str | os.PathLike[str],
    *,
    labels: str | Sequence[int] | None,
    label_mode: str | None,
    class_names: Sequence[str] | None,
    formats: tuple[str, ...],
    shuffle: bool,
    seed: int | None,
    validation_split: float | None,
    subset: str | None,
    follow_links: bool,
    verbose: bool,
) -> tuple[LabelledFiles, ...]:
    """The files of `directory` and its subdirectories whose names end in one of `formats`.

    Args:
        function: the name of the public function, for messages.
        directory: where the files are; for `labels="inferred"` in one subdirectory a class.
        labels: `"inferred"`, `None`, or one class number a file, in the order of the sorted paths.
        label_mode: one of `LABEL_MODES`.
        class_names: for `labels="inferred"` the subdirectories to read, in the order of their
            class numbers; by default all in alphanumeric order.
        formats: endings in lower case, with the dot.
        shuffle: whether the files are shuffled; else they are in alphanumeric order.
        seed: of the order; by default drawn from NumPy's global generator.
        validation_split: the fraction of the files at the end that is for validation.
        subset: `"training"`, `"validation"`, or `"both"` for a pair.
        follow_links: whether subdirectories that are symbolic links are read.
        verbose: whether the number of files and classes is printed.

    Returns:
        A tuple of one, for `subset="both"` of two: training and validation.

    Raises:
        ValueError: an argument is not as above, files and labels differ in number, or there are no
            files.
    """
    _check_labels(function, labels, label_mode, class_names)
    _check_split(function, validation_split, subset, shuffle, seed)
    root = os.fspath(directory)
    if not os.path.isdir(root):
        raise ValueError(f"{function}: expected a directory. Received: directory={root!r}.")
    if labels is None or label_mode is None:
        labels = label_mode = None
        if class_names is not None:
            raise ValueError(
                f"{function}: without labels, class_names cannot be given. "
                f"Received: class_names={class_names}."
            )
    if isinstance(labels, str):
        names = _subdirectories(function, root, class_names)
        found = [list(_files(os.path.join(root, name), formats, follow_links)) for name in names]
        paths = [path for of_class in found for path in of_class]
        counts = [len(of_class) for of_class in found]
        numbers = np.repeat(np.arange(len(names), dtype=np.int32), counts)
    else:
        paths = list(_files(root, formats, follow_links))
        names, numbers = _given_labels(function, root, labels, len(paths))
    if label_mode == "binary" and len(names) != 2:
        raise ValueError(
            f'{function}: for label_mode="binary" there must be exactly 2 classes. '
            f"Received: class_names={names}."
        )
    if (
        label_mode == "categorical"
        and numbers.size
        and not 0 <= numbers.min() <= numbers.max() < (len(names))
    ):
        raise ValueError(
            f'{function}: for label_mode="categorical" labels must be 0 to the number of classes '
            f"- 1. Received: labels with the values {names}."
        )
    if verbose:
        classes = "" if labels is None else f" belonging to {len(names)} classes"
        print_msg(f"Found {len(paths)} files{classes}.")
    if not paths:
        kind = function.split("_")[0]
        raise ValueError(
            f"{function}: No {kind} files found in directory {root}. Allowed format(s): {formats}."
        )
    if seed is None:
        seed = int(np.random.randint(1_000_000))
    if shuffle:
        np.random.RandomState(seed).shuffle(paths)
        np.random.RandomState(seed).shuffle(numbers)
    whole = LabelledFiles(
        paths,
        None if labels is None else numbers,
        None if labels is None else names,
        label_mode,
        bool(shuffle),
        seed,
    )
    return _split(function, whole, validation_split, subset, verbose)


def _split(
    function: str, files: LabelledFiles, fraction: float | None, subset: str | None, verbose: bool
) -> tuple[LabelledFiles, ...]:
    if not fraction:
        return (files,)
    total = len(files.paths)
    held_out = int(fraction * total)
    if held_out in (0, total):
        raise ValueError(
            f"{function}: training and validation must have at least one file each. Received: "
            f"validation_split={fraction} of {total} files."
        )
    parts = []
    if subset in ("training", "both"):
        parts.append(files._part(slice(0, total - held_out), files.shuffle))
        if verbose:
            print_msg(f"Using {total - held_out} files for training.")
    if subset in ("validation", "both"):
        # Of a pair, only the part for training is shuffled anew for each pass.
        again = files.shuffle and subset != "both"
        parts.append(files._part(slice(total - held_out, total), again))
        if verbose:
            print_msg(f"Using {held_out} files for validation.")
    return tuple(parts)


def _check_labels(function: str, labels: Any, label_mode: Any, class_names: Any) -> None:
    if not (labels is None or isinstance(labels, (list, tuple)) or labels == "inferred"):
        raise ValueError(
            f"{function}: `labels` argument should be 'inferred' (from the subdirectories), None, "
            f"or a list or tuple of one integer a file. Received: labels={labels!r}."
        )
    if isinstance(labels, (list, tuple)) and class_names is not None:
        raise ValueError(
            f'{function}: You can only pass `class_names` if `labels="inferred"`. '
            f"Received: labels={labels}, class_names={class_names}."
        )
    if label_mode not in LABEL_MODES:
        raise ValueError(
            f"{function}: `label_mode` argument must be one of {LABEL_MODES}. "
            f"Received: label_mode={label_mode!r}."
        )


def _check_split(function: str, fraction: Any, subset: Any, shuffle: Any, seed: Any) -> None:
    if fraction and not 0 < fraction < 1:
        raise ValueError(
            f"{function}: `validation_split` must be between 0 and 1. "
            f"Received: validation_split={fraction}."
        )
    if bool(fraction) != (subset is not None):
        raise ValueError(
            f"{function}: if `subset` is set, `validation_split` must be set, and inversely. "
            f"Received: validation_split={fraction}, subset={subset!r}."
        )
    if subset not in ("training", "validation", "both", None):
        raise ValueError(
            f'{function}: `subset` must be either "training", "validation" or "both". '
            f"Received: subset={subset!r}."
        )
    if fraction and shuffle and seed is None:
        raise ValueError(
            f"{function}: with shuffle=True and `validation_split` you must provide a `seed`, so "
            "that the training and the validation files are the same in each call. "
            "Received: seed=None."
        )


def _subdirectories(function: str, root: str, class_names: Sequence[str] | None) -> list[str]:
    names = sorted(
        name
        for name in os.listdir(root)
        if not name.startswith(".") and os.path.isdir(os.path.join(root, name))
    )
    if class_names is None:
        return names
    if not set(class_names) <= set(names):
        raise ValueError(
            f"{function}: The `class_names` passed did not match the names of the subdirectories "
            f"of {root}. Expected: {names} or some of them. Received: class_names={class_names}."
        )
    return list(class_names)


def _given_labels(
    function: str, root: str, labels: Sequence[int] | None, count: int
) -> tuple[list[str], np.ndarray]:
    if labels is None:
        return [], np.zeros(count, np.int32)
    if len(labels) != count:
        raise ValueError(
            f"{function}: Expected the lengths of `labels` to match the number of files. "
            f"Received: len(labels)={len(labels)}, {count} files in directory {root}."
        )
    numbers = np.asarray(labels)
    if count and numbers.dtype.kind not in "iu":
        raise ValueError(
            f"{function}: labels must be integers. Received: labels={list(labels[:5])}."
        )
    return [str(label) for label in sorted(set(numbers.tolist()))], numbers.astype(np.int32)


def _files(root: str, formats: tuple[str, ...], follow_links: bool) -> list[str]:
    walk = sorted(os.walk(root, followlinks=follow_links), key=lambda entry: entry[0])
    return [
        os.path.join(folder, name)
        for folder, _, names in walk
        for name in sorted(names)
        if name.lower().endswith(formats)
    ]
