"""audio_dataset_from_directory: batches of sound from a directory of wav files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from pronghorn.utils.file_dataset import FileDataset
from pronghorn.utils.labelled_files import index_files
from pronghorn.utils.wav import read_wav, resample


def audio_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: str | Sequence[int] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """Returns batches of sound read from the wav files of a directory.

    The files may hold integers of 8, 16, 24 or 32 bits, which are scaled to [-1, 1), or floats.

    Args:
        directory: where the files are; for `labels="inferred"` in one subdirectory a class.
        labels: `"inferred"` (from the subdirectories), `None`, or one integer a file in the order
            of the sorted paths.
        label_mode: `"int"`: int32 labels `(batch,)`; `"categorical"`: float32 `(batch, classes)`;
            `"binary"`: float32 `(batch, 1)`; `None`: no labels.
        class_names: the subdirectories to read, in the order of their class numbers; by default
            all in alphanumeric order.
        batch_size: files of a batch; `None` gives files one by one.
        sampling_rate: in samples per second; files of another rate are resampled to it. By default
            each file keeps its own.
        output_sequence_length: samples that each file is cut or padded with zeros to; by default
            the files of a batch are padded to its longest.
        ragged: must be `False`.
        shuffle: whether the order of the files is random, and drawn anew for each pass; else it is
            alphanumeric.
        seed: of the order; by default drawn from NumPy's global generator.
        validation_split: the fraction of the files that is for validation.
        subset: with `validation_split`: `"training"`, `"validation"`, or `"both"` for a pair.
        follow_links: whether subdirectories that are symbolic links are read.
        verbose: whether the number of files and classes is printed.

    Returns:
        A data set for `fit`, `evaluate`, `predict` and `for` loops; `len()` is its number of
        batches. A batch is `(audio, labels)`, or `audio` without labels, where `audio` is
        float32 of shape `(batch, samples, channels)`. It has the attributes `class_names` and
        `file_paths`. For `subset="both"` a tuple of two: training and validation.

    Raises:
        ValueError: an argument is not as above, or there are no wav files. While batches are read:
            a file is truncated or of another format, or the files of a batch differ in their
            number of channels; the message names the file.
    """
    name = "audio_dataset_from_directory"
    if ragged:
        raise ValueError(
            f"{name}: there are no ragged tensors: batches are padded to their longest file, or to "
            f"output_sequence_length. Received: ragged={ragged}."
        )
    for argument, value in (
        ("sampling_rate", sampling_rate),
        ("output_sequence_length", output_sequence_length),
    ):
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int) or value < 1
        ):
            raise ValueError(
                f"{name}: `{argument}` should have an integer value higher than 0. "
                f"Received: {argument}={value!r}."
            )

    def read(path: str) -> np.ndarray:
        audio, rate = read_wav(path)
        if sampling_rate is not None:
            audio = resample(audio, rate, sampling_rate)
        return audio if output_sequence_length is None else _fit(audio, output_sequence_length)

    parts = index_files(
        name,
        directory,
        labels=labels,
        label_mode=label_mode,
        class_names=class_names,
        formats=(".wav",),
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        follow_links=follow_links,
        verbose=verbose,
    )
    datasets = tuple(FileDataset(part, read, batch_size, _stack_padded) for part in parts)
    return datasets if subset == "both" else datasets[0]


def _fit(audio: np.ndarray, length: int) -> np.ndarray:
    if audio.shape[0] >= length:
        return audio[:length]
    return np.pad(audio, ((0, length - audio.shape[0]), (0, 0)))


def _stack_padded(samples: list[np.ndarray], paths: list[str]) -> np.ndarray:
    channels = samples[0].shape[1]
    for sample, path in zip(samples, paths, strict=True):
        if sample.shape[1] != channels:
            raise ValueError(
                "audio_dataset_from_directory: expected files of one number of channels. Received: "
                f"{channels} in {paths[0]}, {sample.shape[1]} in {path}."
            )
    longest = max(sample.shape[0] for sample in samples)
    return np.stack([_fit(sample, longest) for sample in samples])
