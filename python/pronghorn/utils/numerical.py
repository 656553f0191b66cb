"""Arrays for training: class numbers as one-hot rows, vectors divided by their norm."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import ops


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Returns class numbers as one-hot vectors.

    Args:
        x: integers from 0 on; a last dimension of size 1 is dropped.
        num_classes: the length of vectors; by default one more than the largest number.

    Returns:
        A float tensor for a tensor, else a float32 NumPy array, with one dimension more.

    Raises:
        ValueError: if a class number is not below `num_classes`.

    Example:

    >>> to_categorical([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    if ops.is_tensor(x):
        shape = tuple(x.shape)
        if len(shape) > 1 and shape[-1] == 1:
            x = ops.reshape(x, shape[:-1])
        if num_classes is None:
            num_classes = int(ops.max(x)) + 1
        return ops.one_hot(x, num_classes)
    labels = np.array(x, dtype="int64")
    shape = labels.shape
    if len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    labels = labels.reshape(-1)
    if num_classes is None:
        num_classes = int(labels.max()) + 1
    if labels.size and (labels.max() >= num_classes or labels.min() < -num_classes):
        raise ValueError(
            f"to_categorical: class numbers must be below num_classes={num_classes}. "
            f"Received: numbers from {labels.min()} to {labels.max()}."
        )
    found = np.zeros((labels.size, num_classes), np.float32)
    found[np.arange(labels.size), labels] = 1.0
    return found.reshape((*shape, num_classes))


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Divides vectors by their norm; vectors of norm 0 stay.

    Args:
        x: an array or a tensor.
        axis: the dimension of a vector.
        order: which norm: 2 for the Euclidean one, 1 for the sum of absolute values, ...

    Returns:
        A tensor for a tensor, else a NumPy array, of the same shape.

    Example:

    >>> normalize([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    if ops.is_tensor(x):
        return ops.nn.normalize(x, axis=axis, order=order)
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return x / np.expand_dims(norm, axis)
