"""class_weight, turned into the weights of the samples."""

from __future__ import annotations

from typing import Any

import numpy as np


def class_weight_to_sample_weight(
    y: Any, class_weight: dict[int, float], sample_weight: Any = None
) -> np.ndarray:
    """The weight of each sample's class, times `sample_weight` where there is one.

    Args:
        y: one array of targets: class numbers `(samples, ...)`, or one-hot vectors in the last
            axis.
        class_weight: dict of class number to weight; classes that it does not name weigh 1.
        sample_weight: array of weights, or `None`.

    Raises:
        ValueError: several outputs, or a key that is no class number.
    """
    if not isinstance(class_weight, dict) or not class_weight:
        raise ValueError(
            "class_weight: expected a dict of class number to weight. "
            f"Received: class_weight={class_weight!r}."
        )
    if not isinstance(y, np.ndarray):
        raise ValueError(
            "class_weight: supported for a model with one output only. "
            f"Received: y of type {type(y).__name__}. Pass sample_weight for each output instead."
        )
    labels = y
    if y.ndim >= 2:
        labels = np.argmax(y, axis=-1) if y.shape[-1] > 1 else y[..., 0]
    labels = np.round(labels).astype("int64")
    weights = np.ones(labels.shape, "float32")
    for label, weight in class_weight.items():
        if not isinstance(label, (int, np.integer)):
            raise ValueError(
                f"class_weight: keys must be class numbers. Received: "
                f"class_weight={class_weight!r}."
            )
        weights[labels == label] = weight
    if sample_weight is None:
        return weights
    if not isinstance(sample_weight, np.ndarray):
        raise ValueError(
            "class_weight: sample_weight must be one array where class_weight is given."
        )
    if sample_weight.ndim > weights.ndim:
        weights = weights.reshape(weights.shape + (1,) * (sample_weight.ndim - weights.ndim))
    elif sample_weight.ndim < weights.ndim:
        extra = weights.ndim - sample_weight.ndim
        sample_weight = sample_weight.reshape(sample_weight.shape + (1,) * extra)
    return np.ascontiguousarray(weights * sample_weight, dtype="float32")
