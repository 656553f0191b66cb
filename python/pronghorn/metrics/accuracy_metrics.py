"""Accuracies: how often outputs equal, or contain, the targets."""

from __future__ import annotations

from typing import Any

from pronghorn import config, ops
from pronghorn.losses import squeeze_or_expand_to_same_rank
from pronghorn.metrics.reduction_metrics import MeanMetricWrapper


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether outputs equal targets, for each element.

    Args:
        y_true: targets.
        y_pred: outputs of the same shape.

    Returns:
        Values 0 or 1, of that shape.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    return ops.cast(ops.equal(y_true, y_pred), config.floatx())


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """How often an output is on the side of the threshold that its target, 0 or 1, says.

    Args:
        y_true: targets, 0 or 1, `(..., n)`.
        y_pred: outputs of the same shape.
        threshold: outputs above it mean 1.

    Returns:
        Values 0 or 1, of the shape of the outputs.
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if y_pred.dtype == "bool":
        y_pred = ops.cast(y_pred, config.floatx())
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    side = ops.cast(ops.greater(y_pred, ops.cast(threshold, y_pred.dtype)), y_true.dtype)
    return ops.cast(ops.equal(y_true, side), config.floatx())


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the largest output is that of the one-hot target.

    Args:
        y_true: one-hot targets `(..., classes)`.
        y_pred: outputs `(..., classes)`.

    Returns:
        Values 0 or 1 `(...)`.
    """
    y_true = ops.argmax(ops.convert_to_tensor(y_true), axis=-1)
    return _matches(y_true, ops.convert_to_tensor(y_pred))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the largest output is that of the target's class.

    Args:
        y_true: class numbers `(...)` or `(..., 1)`.
        y_pred: outputs `(..., classes)`.

    Returns:
        Values 0 or 1 `(...)`.
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    return _matches(_class_numbers(y_true, y_pred), y_pred)


def _class_numbers(y_true: Any, y_pred: Any) -> Any:
    if y_true.ndim == y_pred.ndim and y_true.ndim > 0 and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    return y_true


def _matches(classes: Any, y_pred: Any) -> Any:
    found = ops.cast(ops.argmax(y_pred, axis=-1), "int32")
    return ops.cast(ops.equal(ops.cast(classes, "int32"), found), config.floatx())


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Whether the class of the one-hot target is among the `k` largest outputs.

    Args:
        y_true: one-hot targets `(..., classes)`.
        y_pred: outputs `(..., classes)`.
        k: how many outputs count.

    Returns:
        Values 0 or 1 `(...)`.
    """
    y_true = ops.argmax(ops.convert_to_tensor(y_true), axis=-1)
    return sparse_top_k_categorical_accuracy(y_true, y_pred, k=k)


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """Whether the class of the target is among the `k` largest outputs.

    Args:
        y_true: class numbers `(...)`.
        y_pred: outputs `(..., classes)`, or class numbers from the likeliest down.
        k: how many outputs count.
        from_sorted_ids: whether `y_pred` holds class numbers.

    Returns:
        Values 0 or 1 `(...)`.
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    y_true = ops.cast(_class_numbers(y_true, y_pred), "int32")
    labels = ops.expand_dims(y_true, -1)
    if from_sorted_ids:
        first = ops.cast(y_pred[..., :k], "int32")
        hits = ops.any(ops.equal(first, labels), axis=-1)
        return ops.cast(hits, config.floatx())
    # As many outputs are larger as places come before it; ties count for the target, as in Keras.
    classes = y_pred.shape[-1]
    inside = ops.logical_and(ops.greater_equal(labels, 0), ops.less(labels, classes))
    own = ops.take_along_axis(y_pred, ops.clip(labels, 0, classes - 1), axis=-1)
    larger = ops.sum(ops.cast(ops.greater(y_pred, own), "int32"), axis=-1)
    hits = ops.logical_and(ops.less(larger, k), ops.squeeze(inside, -1))
    hits = ops.logical_and(hits, ops.squeeze(ops.isfinite(own), -1))
    return ops.cast(hits, config.floatx())


class Accuracy(MeanMetricWrapper):
    """How often outputs equal targets.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.Accuracy()
        >>> m.update_state([[1], [2], [3], [4]], [[0], [2], [3], [4]])
        >>> float(m.result())
        0.75
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(fn=accuracy, name=name, dtype=dtype)
        self._direction = "up"

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"name": self.name, "dtype": self._dtype_config()}


class BinaryAccuracy(MeanMetricWrapper):
    """How often outputs are on the right side of a threshold.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
        threshold: outputs above it mean 1.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.BinaryAccuracy()
        >>> m.update_state([[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]])
        >>> float(m.result())
        0.75
    """

    def __init__(
        self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ) -> None:
        if threshold is not None and not 0 < threshold < 1:
            raise ValueError(
                "Invalid value for argument `threshold`. Expected a value in interval (0, 1). "
                f"Received: threshold={threshold}"
            )
        super().__init__(fn=binary_accuracy, name=name, dtype=dtype, threshold=threshold)
        self.threshold = threshold
        self._direction = "up"

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"name": self.name, "dtype": self._dtype_config(), "threshold": self.threshold}


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest output is that of the one-hot target.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(fn=categorical_accuracy, name=name, dtype=dtype)
        self._direction = "up"

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"name": self.name, "dtype": self._dtype_config()}


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest output is that of the target's class number.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.SparseCategoricalAccuracy()
        >>> m.update_state([[2], [1]], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]])
        >>> float(m.result())
        0.5
    """

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(fn=sparse_categorical_accuracy, name=name, dtype=dtype)
        self._direction = "up"

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"name": self.name, "dtype": self._dtype_config()}


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of the one-hot target is among the largest outputs.

    Args:
        k: how many outputs count.
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(
        self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(fn=top_k_categorical_accuracy, name=name, dtype=dtype, k=k)
        self.k = k
        self._direction = "up"

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"name": self.name, "dtype": self._dtype_config(), "k": self.k}


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the target's class number is among the largest outputs.

    Args:
        k: how many outputs count.
        name: name in the logs.
        dtype: dtype of the computation.
        from_sorted_ids: whether the outputs are class numbers, from the likeliest down.
    """

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            fn=sparse_top_k_categorical_accuracy,
            name=name,
            dtype=dtype,
            k=k,
            from_sorted_ids=from_sorted_ids,
        )
        self.k = k
        self.from_sorted_ids = from_sorted_ids
        self._direction = "up"

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {
            "name": self.name,
            "dtype": self._dtype_config(),
            "k": self.k,
            "from_sorted_ids": self.from_sorted_ids,
        }
