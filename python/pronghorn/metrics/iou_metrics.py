"""Intersection over union of predicted and true regions, by class, from a confusion matrix."""

from __future__ import annotations

import warnings
from typing import Any

from pronghorn import ops
from pronghorn.metrics.metric import Metric


class _ConfusionMatrix(Metric):
    """Adds up a confusion matrix `(classes, classes)` of targets and outputs."""

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        # Counts are exact in int32, the default here.
        super().__init__(name=name, dtype=dtype or "int32")
        self.num_classes = num_classes
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable(
            (num_classes, num_classes), "zeros", dtype=self._dtype, name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: class numbers, or one-hot vectors.
            y_pred: class numbers, or outputs of which the largest counts.
            sample_weight: weights that broadcast to the class numbers.
        """
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if not self.sparse_y_true:
            y_true = ops.argmax(y_true, axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = ops.argmax(y_pred, axis=self.axis)
        y_true = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        y_pred = ops.reshape(ops.cast(y_pred, "int32"), (-1,))
        weight = self._weight(sample_weight, y_true)
        classes = self.num_classes
        counted = self._inside(y_true, classes)
        counted = ops.logical_and(counted, self._inside(y_pred, classes))
        if self.ignore_class is not None:
            counted = ops.logical_and(counted, ops.not_equal(y_true, self.ignore_class))
        weight = ops.where(counted, weight, ops.zeros_like(weight))
        cell = ops.add(ops.multiply(y_true, classes), y_pred)
        cell = ops.where(counted, cell, ops.zeros_like(cell))
        sums = ops.scatter(ops.expand_dims(cell, 1), weight, (classes * classes,))
        self.total_cm.assign_add(ops.cast(ops.reshape(sums, (classes, classes)), self._dtype))

    @staticmethod
    def _inside(labels: Any, classes: int) -> Any:
        return ops.logical_and(ops.greater_equal(labels, 0), ops.less(labels, classes))

    def _weight(self, sample_weight: Any, y_true: Any) -> Any:
        if sample_weight is None:
            return ops.ones(y_true.shape, dtype=self._dtype)
        weight = ops.convert_to_tensor(sample_weight)
        if "float" in weight.dtype and "float" not in self._dtype:
            warnings.warn(
                "You are passing weight as `float`, but dtype is `int`. This may result in an "
                "incorrect weight due "
                "to type casting. Consider using integer weights.",
                stacklevel=3,
            )
        weight = ops.cast(weight, self._dtype)
        if weight.size == 1:
            return ops.broadcast_to(ops.reshape(weight, (1,)), y_true.shape)
        weight = ops.reshape(weight, (-1,))
        if weight.shape != y_true.shape and y_true.size % weight.size == 0:
            weight = ops.repeat(weight, y_true.size // weight.size)
        return weight

    def _ious(self) -> tuple[Any, Any]:
        """The ratio of each class, and whether the class has been seen."""
        matrix = ops.cast(self.total_cm.value, "float32")
        hits = ops.diagonal(matrix)
        both = ops.add(ops.sum(matrix, axis=0), ops.sum(matrix, axis=1))
        union = ops.subtract(both, hits)
        return ops.divide_no_nan(hits, union), ops.greater(union, 0.0)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {
            "name": self.name,
            "dtype": self._dtype_config(),
            "num_classes": self.num_classes,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }


class IoU(_ConfusionMatrix):
    """The mean intersection over union of some classes.

    Args:
        num_classes: number of classes.
        target_class_ids: the classes that count.
        name: name in the logs.
        dtype: dtype of the counts; int32 where it is `None`.
        ignore_class: class number whose samples are left out.
        sparse_y_true: whether targets are class numbers, not one-hot vectors.
        sparse_y_pred: whether outputs are class numbers, not one output a class.
        axis: axis of the classes.

    Raises:
        ValueError: a target class that is none.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.IoU(num_classes=2, target_class_ids=[0])
        >>> m.update_state([0, 0, 1, 1], [0, 1, 0, 1])
        >>> round(float(m.result()), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Any,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        if max(target_class_ids) >= num_classes:
            raise ValueError(
                f"Target class id {max(target_class_ids)} is out of range, which is [0, "
                f"{num_classes})."
            )
        self.target_class_ids = list(target_class_ids)

    def result(self) -> Any:
        """The mean over the classes that count; one that was never seen is left out."""
        ratios, seen = self._ious()
        chosen = ops.convert_to_tensor(self.target_class_ids, "int32")
        ratios = ops.take(ratios, chosen)
        seen = ops.cast(ops.take(seen, chosen), ratios.dtype)
        return ops.divide_no_nan(ops.sum(ops.multiply(ratios, seen)), ops.sum(seen))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "target_class_ids": self.target_class_ids}


class BinaryIoU(IoU):
    """The mean intersection over union of the classes 0 and 1 of thresholded outputs.

    Args:
        target_class_ids: the classes that count: (0,), (1,) or (0, 1).
        threshold: outputs below it are 0.
        name: name in the logs.
        dtype: dtype of the counts; int32 where it is `None`.
    """

    def __init__(
        self,
        target_class_ids: Any = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: targets, 0 or 1.
            y_pred: outputs of the same shape.
            sample_weight: weights that broadcast to the targets.
        """
        y_pred = ops.convert_to_tensor(y_pred)
        if "float" not in y_pred.dtype:
            y_pred = ops.cast(y_pred, "float32")
        above = ops.greater_equal(y_pred, ops.cast(self.threshold, y_pred.dtype))
        super().update_state(y_true, ops.cast(above, "int32"), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {
            "target_class_ids": self.target_class_ids,
            "threshold": self.threshold,
            "name": self.name,
            "dtype": self._dtype_config(),
        }


class MeanIoU(IoU):
    """The mean intersection over union of all classes.

    Args:
        num_classes: number of classes.
        name: name in the logs.
        dtype: dtype of the counts; int32 where it is `None`.
        ignore_class: class number whose samples are left out.
        sparse_y_true: whether targets are class numbers, not one-hot vectors.
        sparse_y_pred: whether outputs are class numbers, not one output a class.
        axis: axis of the classes.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes,
            list(range(num_classes)),
            name,
            dtype,
            ignore_class,
            sparse_y_true,
            sparse_y_pred,
            axis,
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config = super().get_config()
        del config["target_class_ids"]
        return config


class OneHotIoU(IoU):
    """The mean intersection over union of some classes, with one-hot targets.

    Args:
        num_classes: number of classes.
        target_class_ids: the classes that count.
        name: name in the logs.
        dtype: dtype of the counts; int32 where it is `None`.
        ignore_class: class number whose samples are left out.
        sparse_y_pred: whether outputs are class numbers, not one output a class.
        axis: axis of the classes.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Any,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config = super().get_config()
        del config["sparse_y_true"]
        return config


class OneHotMeanIoU(MeanIoU):
    """The mean intersection over union of all classes, with one-hot targets.

    Args:
        num_classes: number of classes.
        name: name in the logs.
        dtype: dtype of the counts; int32 where it is `None`.
        ignore_class: class number whose samples are left out.
        sparse_y_pred: whether outputs are class numbers, not one output a class.
        axis: axis of the classes.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config = super().get_config()
        del config["sparse_y_true"]
        return config
