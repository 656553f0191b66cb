"""Metrics on fixed data, for pronghorn (the test) and Keras (make_metrics.py) alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

_RNG = np.random.default_rng(0)
LABELS = _RNG.integers(0, 2, (50, 4)).astype("float32")
OUTPUTS = _RNG.random((50, 4)).astype("float32")
WEIGHTS = _RNG.random(50).astype("float32")
ONE_HOT = np.eye(4, dtype="float32")[_RNG.integers(0, 4, 50)]
PROBABILITIES = OUTPUTS / OUTPUTS.sum(1, keepdims=True)
CLASSES = _RNG.integers(0, 4, 50).astype("int32")

_REGRESSION = [
    "MeanSquaredError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError",
    "RootMeanSquaredError",
    "CosineSimilarity",
    "LogCoshError",
    "Poisson",
    "Hinge",
    "SquaredHinge",
    "CategoricalHinge",
    "KLDivergence",
    "R2Score",
    "ConcordanceCorrelation",
]
_AT = [
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
    "PrecisionAtRecall",
    "RecallAtPrecision",
]


def cases(k: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    """Name, a new metric, targets and outputs."""
    for curve in ("ROC", "PR", "PRGAIN"):
        for method in ("interpolation", "majoring", "minoring"):
            metric = k.AUC(curve=curve, summation_method=method)
            yield f"auc_{curve}_{method}", metric, LABELS, OUTPUTS
    yield "auc_labels", k.AUC(multi_label=True), LABELS, OUTPUTS
    weighted = k.AUC(multi_label=True, curve="PR", num_labels=4, label_weights=[0.1, 0.2, 0.3, 0.4])
    yield "auc_label_weights", weighted, LABELS, OUTPUTS
    yield "auc_thresholds", k.AUC(thresholds=[0.3, 0.2, 0.7]), LABELS, OUTPUTS
    for name in ("Precision", "Recall"):
        metric = getattr(k, name)
        yield name, metric(), LABELS, OUTPUTS
        yield f"{name}_thresholds", metric(thresholds=[0.2, 0.7]), LABELS, OUTPUTS
        yield f"{name}_top_k", metric(top_k=2), ONE_HOT, PROBABILITIES
        yield f"{name}_class", metric(class_id=1), LABELS, OUTPUTS
        yield f"{name}_top_k_class", metric(top_k=2, class_id=1), LABELS, OUTPUTS
    for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives"):
        yield name, getattr(k, name)([0.3, 0.6]), LABELS, OUTPUTS
    for name in _AT:
        yield name, getattr(k, name)(0.4), LABELS, OUTPUTS
        yield f"{name}_class", getattr(k, name)(0.4, class_id=2), LABELS, OUTPUTS
    for average in (None, "micro", "macro", "weighted"):
        yield f"f1_{average}", k.F1Score(average=average), ONE_HOT, PROBABILITIES
        beta = k.FBetaScore(average=average, beta=2.0, threshold=0.4)
        yield f"fbeta_{average}", beta, LABELS, OUTPUTS
    for name in _REGRESSION:
        yield name, getattr(k, name)(), LABELS + np.float32(0.1), OUTPUTS
    yield "BinaryCrossentropy", k.BinaryCrossentropy(label_smoothing=0.1), LABELS, OUTPUTS
    yield "BinaryAccuracy", k.BinaryAccuracy(), LABELS, OUTPUTS
    yield "CategoricalCrossentropy", k.CategoricalCrossentropy(), ONE_HOT, PROBABILITIES
    yield "CategoricalAccuracy", k.CategoricalAccuracy(), ONE_HOT, PROBABILITIES
    yield "TopKCategoricalAccuracy", k.TopKCategoricalAccuracy(k=2), ONE_HOT, PROBABILITIES
    for name in ("SparseCategoricalCrossentropy", "SparseCategoricalAccuracy"):
        yield name, getattr(k, name)(), CLASSES, PROBABILITIES
        yield f"{name}_column", getattr(k, name)(), CLASSES[:, None], PROBABILITIES
    top = k.SparseTopKCategoricalAccuracy(k=2)
    yield "SparseTopKCategoricalAccuracy", top, CLASSES, PROBABILITIES
    for how in (None, "variance_weighted_average"):
        metric = k.R2Score(class_aggregation=how, num_regressors=2)
        yield f"r2_{how}", metric, LABELS, OUTPUTS
    predicted = PROBABILITIES.argmax(1).astype("int32")
    yield "IoU", k.IoU(4, [0, 2], dtype="float32"), CLASSES, predicted
    ignoring = k.MeanIoU(4, sparse_y_pred=False, ignore_class=1, dtype="float32")
    yield "MeanIoU", ignoring, CLASSES, PROBABILITIES
    yield "OneHotIoU", k.OneHotIoU(4, [0, 2], dtype="float32"), ONE_HOT, PROBABILITIES
    yield "OneHotMeanIoU", k.OneHotMeanIoU(4, dtype="float32"), ONE_HOT, PROBABILITIES
    binary = k.BinaryIoU(threshold=0.4, dtype="float32")
    yield "BinaryIoU", binary, LABELS[:, 0], OUTPUTS[:, 0]


def results(k: Any) -> dict[str, np.ndarray]:
    """The result of each case after two updates, without and with sample weights."""
    found = {}
    for weighted in (False, True):
        options = {"sample_weight": WEIGHTS} if weighted else {}
        for name, metric, y_true, y_pred in cases(k):
            for _ in range(2):
                metric.update_state(y_true, y_pred, **options)
            key = f"{name}_weighted" if weighted else name
            found[key] = np.asarray(metric.result(), "float64")
    return found
