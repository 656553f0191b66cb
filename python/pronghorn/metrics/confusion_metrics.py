"""Counts of the confusion table, precision and recall."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.metrics.confusion import count, thresholds_list
from pronghorn.metrics.metric import Metric
from pronghorn.variable import Variable


class ConfusionCount(Metric):
    """Base class of metrics that count one cell of the confusion table.

    Args:
        cell: "tp", "fp", "tn" or "fn".
        thresholds: a threshold or a list of them; 0.5 where it is `None`.
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(
        self, cell: str, thresholds: Any = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._cell = cell
        self.init_thresholds = thresholds
        self.thresholds = thresholds_list(thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: targets, 0 or 1.
            y_pred: probabilities of the same shape.
            sample_weight: weights that broadcast to the targets.
        """
        counts = count(y_true, y_pred, self.thresholds, self.dtype, sample_weight, name=self.name)
        self.accumulator.assign_add(getattr(counts, self._cell))

    def result(self) -> Any:
        """The count, or one for each threshold."""
        value = self.accumulator.value
        return value[0] if len(self.thresholds) == 1 else value

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class FalsePositives(ConfusionCount):
    """How many negatives are taken for positives.

    Args:
        thresholds: outputs above it are positive; a list gives a count for each.
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__("fp", thresholds, name, dtype)


class FalseNegatives(ConfusionCount):
    """How many positives are taken for negatives.

    Args:
        thresholds: outputs above it are positive; a list gives a count for each.
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__("fn", thresholds, name, dtype)


class TrueNegatives(ConfusionCount):
    """How many negatives are taken for negatives.

    Args:
        thresholds: outputs above it are positive; a list gives a count for each.
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__("tn", thresholds, name, dtype)


class TruePositives(ConfusionCount):
    """How many positives are taken for positives.

    Args:
        thresholds: outputs above it are positive; a list gives a count for each.
        name: name in the logs.
        dtype: dtype of the computation.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.TruePositives()
        >>> m.update_state([0, 1, 1, 1], [1, 0, 1, 1])
        >>> float(m.result())
        2.0
    """

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__("tp", thresholds, name, dtype)


class _Ratio(Metric):
    """true positives / (true positives + another cell)."""

    _direction = "up"
    _cell = ""
    _cell_name = ""

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        # With top_k and no threshold every output of the top is positive.
        default = 0.5 if top_k is None else -1e9
        self.thresholds = [default] if thresholds is None else thresholds_list(thresholds)
        shape = (len(self.thresholds),)
        self.true_positives: Variable = self.add_variable(shape, "zeros", name="true_positives")
        setattr(self, self._cell_name, self.add_variable(shape, "zeros", name=self._cell_name))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: targets, 0 or 1.
            y_pred: probabilities of the same shape.
            sample_weight: weights that broadcast to the targets.
        """
        counts = count(
            y_true,
            y_pred,
            self.thresholds,
            self.dtype,
            sample_weight,
            top_k=self.top_k,
            class_id=self.class_id,
            name=self.name,
        )
        self.true_positives.assign_add(counts.tp)
        getattr(self, self._cell_name).assign_add(getattr(counts, self._cell))

    def result(self) -> Any:
        """The ratio, or one for each threshold; 0 where it is 0 / 0."""
        hits = self.true_positives.value
        value = ops.divide_no_nan(hits, ops.add(hits, getattr(self, self._cell_name).value))
        return value[0] if len(self.thresholds) == 1 else value

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


class Precision(_Ratio):
    """How many of what is taken for positive is positive.

    Args:
        thresholds: outputs above it are positive; a list gives a value for each.
        top_k: counts the largest `top_k` outputs of a row as positive.
        class_id: the class that alone counts.
        name: name in the logs.
        dtype: dtype of the computation.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.Precision()
        >>> m.update_state([0, 1, 1, 1], [1, 0, 1, 1])
        >>> round(float(m.result()), 4)
        0.6667
    """

    _cell, _cell_name = "fp", "false_positives"


class Recall(_Ratio):
    """How many of the positives are taken for positive.

    Args:
        thresholds: outputs above it are positive; a list gives a value for each.
        top_k: counts the largest `top_k` outputs of a row as positive.
        class_id: the class that alone counts.
        name: name in the logs.
        dtype: dtype of the computation.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.Recall()
        >>> m.update_state([0, 1, 1, 1], [1, 0, 1, 1])
        >>> round(float(m.result()), 4)
        0.6667
    """

    _cell, _cell_name = "fn", "false_negatives"
