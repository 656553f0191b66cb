"""AUC: the area under the ROC, precision-recall or precision-recall-gain curve, by Riemann sums."""

from __future__ import annotations

from typing import Any

from pronghorn import config, ops
from pronghorn.metrics.confusion import count
from pronghorn.metrics.metric import Metric
from pronghorn.metrics.operating_point import spread_thresholds
from pronghorn.variable import Variable

_CURVES = ("ROC", "PR", "PRGAIN")
_METHODS = ("interpolation", "majoring", "minoring")


class AUC(Metric):
    """The area under a curve over thresholds.

    The precision-recall curve is interpolated as in Davis and Goadrich, The Relationship Between
    Precision-Recall and ROC Curves, ICML 2006; the gains are those of Flach and Kull,
    Precision-Recall-Gain Curves, NeurIPS 2015.

    Args:
        num_thresholds: how many thresholds the curve has.
        curve: "ROC", "PR" or "PRGAIN".
        summation_method: "interpolation" between two points, or the larger ("majoring") or smaller
            ("minoring") one.
        name: name in the logs.
        dtype: dtype of the computation.
        thresholds: inner thresholds, 0 to 1, in place of equally spaced ones.
        multi_label: whether columns are labels with a curve each, whose areas are averaged.
        num_labels: number of labels, where it is to be known before there is data.
        label_weights: weights of the labels.
        from_logits: whether outputs are logits, not probabilities.

    Raises:
        ValueError: an unknown curve or method, or thresholds that are not between 0 and 1.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.AUC(num_thresholds=3)
        >>> m.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
        >>> round(float(m.result()), 4)
        0.75
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        if str(curve).upper() not in _CURVES:
            raise ValueError(f'Invalid AUC curve value: "{curve}". Expected values are {_CURVES}')
        if str(summation_method).lower() not in _METHODS:
            raise ValueError(
                f'Invalid AUC summation method value: "{summation_method}". '
                f"Expected values are {_METHODS}"
            )
        super().__init__(name=name, dtype=dtype)
        self._set_thresholds(num_thresholds, thresholds)
        self.curve = str(curve).upper()
        self.summation_method = str(summation_method).lower()
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else [float(w) for w in label_weights]
        if num_labels is not None and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        is_known = label_weights is not None and num_labels is not None
        if is_known and len(label_weights) != num_labels:
            raise ValueError(
                f"AUC: label_weights must have num_labels={num_labels} entries. "
                f"Received: label_weights={label_weights}."
            )
        self._from_logits = from_logits
        self._built = False
        self.true_positives: Variable
        self.false_positives: Variable
        self.true_negatives: Variable
        self.false_negatives: Variable
        if not multi_label:
            self._build((self.num_thresholds,))
        elif num_labels is not None:
            self._build((self.num_thresholds, num_labels))

    def _set_thresholds(self, number: int, thresholds: Any) -> None:
        if thresholds is None:
            if number <= 1:
                raise ValueError(
                    "Argument `num_thresholds` must be an integer > 1. "
                    f"Received: num_thresholds={number}"
                )
            self._init_from_thresholds = False
            self.num_thresholds = number
            self._thresholds = spread_thresholds(number)
            return
        inner = sorted(float(t) for t in thresholds)
        if any(t < 0 or t > 1 for t in inner):
            raise ValueError(f"Threshold values must be in [0, 1]. Received: {inner}")
        self._init_from_thresholds = True
        self.num_thresholds = len(inner) + 2
        self._thresholds = [-config.epsilon(), *inner, 1.0 + config.epsilon()]

    @property
    def thresholds(self) -> list[float]:
        """The thresholds, between 0 and 1."""
        return [min(max(t, 0.0), 1.0) for t in self._thresholds]

    def _build(self, shape: tuple[int, ...]) -> None:
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", name="false_positives")
        self.true_negatives = self.add_variable(shape, "zeros", name="true_negatives")
        self.false_negatives = self.add_variable(shape, "zeros", name="false_negatives")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: targets, 0 or 1; `(samples, labels)` with `multi_label`.
            y_pred: outputs of the same shape.
            sample_weight: weights that broadcast to the targets.
        """
        (y_pred,) = self._tensors(y_pred)
        if self._from_logits:
            y_pred = ops.sigmoid(y_pred)
        if not self._built:
            self._build((self.num_thresholds, y_pred.shape[-1]))
        counts = count(
            y_true,
            y_pred,
            self._thresholds,
            self.dtype,
            sample_weight,
            multi_label=self.multi_label,
            label_weights=None if self.multi_label else self.label_weights,
            name=self.name,
        )
        self.true_positives.assign_add(counts.tp)
        self.false_positives.assign_add(counts.fp)
        self.true_negatives.assign_add(counts.tn)
        self.false_negatives.assign_add(counts.fn)

    def result(self) -> Any:
        """The area."""
        if not self._built:
            return ops.convert_to_tensor(0.0)
        tp, fp = self.true_positives.value, self.false_positives.value
        tn, fn = self.true_negatives.value, self.false_negatives.value
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._combine(_interpolated_pr(tp, fp, fn))
        x, y = self._points(tp, fp, tn, fn)
        left, right = y[:-1], y[1:]
        if self.summation_method == "interpolation":
            heights = ops.divide(ops.add(left, right), 2.0)
        elif self.summation_method == "minoring":
            heights = ops.minimum(left, right)
        else:
            heights = ops.maximum(left, right)
        parts = ops.multiply(ops.subtract(x[:-1], x[1:]), heights)
        return self._combine(ops.sum(parts, axis=0))

    def _points(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[Any, Any]:
        recall = ops.divide_no_nan(tp, ops.add(tp, fn))
        if self.curve == "ROC":
            return ops.divide_no_nan(fp, ops.add(fp, tn)), recall
        if self.curve == "PR":
            return recall, ops.divide_no_nan(tp, ops.add(tp, fp))
        scale = ops.divide_no_nan(ops.add(tp, fn), ops.add(fp, tn))
        recall_gain = ops.subtract(1.0, ops.multiply(scale, ops.divide_no_nan(fn, tp)))
        precision_gain = ops.subtract(1.0, ops.multiply(scale, ops.divide_no_nan(fp, tp)))
        # Without a hit the gains are minus infinity, which counts as 0; 0 / 0 is a precision of 1.
        hit = ops.greater(tp, 0.0)
        x = ops.where(hit, ops.maximum(recall_gain, 0.0), ops.zeros_like(tp))
        none = ops.where(ops.greater(fp, 0.0), ops.zeros_like(tp), ops.ones_like(tp))
        y = ops.where(hit, precision_gain, none)
        return x, y

    def _combine(self, areas: Any) -> Any:
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        weights = ops.cast(self.label_weights, self.dtype)
        return ops.divide_no_nan(ops.sum(ops.multiply(areas, weights)), ops.sum(weights))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        settings: dict[str, Any] = {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self._from_logits,
        }
        if self._init_from_thresholds:
            settings["thresholds"] = self.thresholds[1:-1]
        return {**super().get_config(), **settings}


def _interpolated_pr(tp: Any, fp: Any, fn: Any) -> Any:
    # Between two points of the curve true positives grow linearly with all that is taken for
    # positive.
    taken = ops.add(tp, fp)
    gained_hits = ops.subtract(tp[:-1], tp[1:])
    gained = ops.subtract(taken[:-1], taken[1:])
    slope = ops.divide_no_nan(gained_hits, ops.maximum(gained, 0.0))
    intercept = ops.subtract(tp[1:], ops.multiply(slope, taken[1:]))
    both = ops.logical_and(ops.greater(taken[:-1], 0.0), ops.greater(taken[1:], 0.0))
    ratio = ops.divide_no_nan(taken[:-1], ops.maximum(taken[1:], 0.0))
    ratio = ops.where(both, ratio, ops.ones_like(ratio))
    area = ops.multiply(slope, ops.add(gained_hits, ops.multiply(intercept, ops.log(ratio))))
    positives = ops.maximum(ops.add(tp[1:], fn[1:]), 0.0)
    return ops.sum(ops.divide_no_nan(area, positives), axis=0)
