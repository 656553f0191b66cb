"""The base class of metrics, weights, masks, names and errors."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import metrics, ops


def test_reset_state_and_call() -> None:
    metric = metrics.Mean()
    assert float(metric([1.0, 3.0])) == 2.0
    metric.reset_state()
    assert float(metric.result()) == 0.0


def test_mean_averages_values_of_more_axes_than_the_weights() -> None:
    metric = metrics.Mean()
    metric.update_state(np.array([[1.0, 3.0], [5.0, 7.0]]), sample_weight=[1.0, 3.0])
    assert float(metric.result()) == (2.0 * 1 + 6.0 * 3) / 4


def test_sum_adds_values_of_more_axes_than_the_weights() -> None:
    metric = metrics.Sum()
    metric.update_state(np.array([[1.0, 3.0], [5.0, 7.0]]), sample_weight=[1.0, 3.0])
    assert float(metric.result()) == 4.0 + 12.0 * 3


def test_weights_that_do_not_broadcast_name_both_shapes() -> None:
    with pytest.raises(ValueError, match=r"sample_weight must broadcast.*\(3,\)"):
        metrics.Mean().update_state([1.0, 2.0], sample_weight=[1.0, 2.0, 3.0])


def test_stateless_update_leaves_the_metric_alone() -> None:
    metric = metrics.MeanSquaredError()
    start = metric.stateless_reset_state()
    after = metric.stateless_update_state(start, np.ones((2, 1)), np.zeros((2, 1)))
    assert float(metric.stateless_result(after)) == 1.0
    assert float(metric.result()) == 0.0
    with pytest.raises(ValueError, match="1:1"):
        metric.stateless_update_state(start[:1], np.ones((2, 1)), np.zeros((2, 1)))


def test_variables_of_inner_metrics_belong_to_the_outer_one() -> None:
    class Outer(metrics.Metric):
        def __init__(self) -> None:
            super().__init__(name="outer")
            self.inner = {"a": [metrics.Mean()]}

    assert len(Outer().variables) == 2


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("mse", metrics.MeanSquaredError),
        ("MAE", metrics.MeanAbsoluteError),
        ("AUC", metrics.AUC),
        ("binary_accuracy", metrics.BinaryAccuracy),
        ("top_k_categorical_accuracy", metrics.TopKCategoricalAccuracy),
    ],
)
def test_get_by_name(name: str, cls: type) -> None:
    assert type(metrics.get(name)) is cls


def test_unknown_name_shows_near_ones() -> None:
    with pytest.raises(ValueError, match="(?s)binary_acuracy.*binary_accuracy"):
        metrics.get("binary_acuracy")


@pytest.mark.parametrize("name", [n for n in metrics.__all__ if n[0].isupper()])
def test_config_makes_an_equal_metric(name: str) -> None:
    cls = getattr(metrics, name)
    required = {
        "IoU": {"num_classes": 3, "target_class_ids": [1]},
        "OneHotIoU": {"num_classes": 3, "target_class_ids": [1]},
        "MeanIoU": {"num_classes": 3},
        "OneHotMeanIoU": {"num_classes": 3},
        "MeanMetricWrapper": {"fn": keras.losses.mean_squared_error},
        "PrecisionAtRecall": {"recall": 0.3},
        "RecallAtPrecision": {"precision": 0.3},
        "SensitivityAtSpecificity": {"specificity": 0.3},
        "SpecificityAtSensitivity": {"sensitivity": 0.3},
    }
    metric = cls(**required.get(name, {}))
    again = metrics.deserialize(metrics.serialize(metric))
    assert type(again) is cls
    assert again.get_config() == metric.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.Precision(thresholds=[-1, 2]), r"\[0, 1\].*\[-1, 2\]"),
        (lambda: metrics.AUC(curve="ROX"), "curve"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds"),
        (lambda: metrics.FBetaScore(beta=-0.5), "beta"),
        (lambda: metrics.F1Score(average="all"), "average"),
        (lambda: metrics.R2Score(class_aggregation="all"), "class_aggregation"),
        (lambda: metrics.BinaryAccuracy(threshold=2), "threshold"),
        (lambda: metrics.IoU(2, [5]), "out of range"),
    ],
)
def test_bad_arguments(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_shapes_that_differ_are_named() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(2, 4\)"):
        metrics.Precision().update_state(np.zeros((2, 3)), np.zeros((2, 4)))


def test_buckets_count_as_comparisons_do() -> None:
    rng = np.random.default_rng(3)
    y_true = rng.integers(0, 2, 4000).astype("float32")
    y_pred = np.round(rng.random(4000), 2).astype("float32")  # many exactly on thresholds
    y_pred[:2] = [0.0, 1.0]
    auc = metrics.AUC(num_thresholds=101)
    auc.update_state(y_true, y_pred)  # so many that buckets are used
    limits = np.array(auc._thresholds, "float32")
    above = y_pred[None] > limits[:, None]
    expected = (above * y_true[None]).sum(1)
    # An output on a threshold may round to either side of it.
    near = (np.abs(y_pred[None] - limits[:, None]) < 1e-6).sum(1)
    assert np.all(np.abs(auc.true_positives.numpy() - expected) <= near)


def test_integer_weights_of_iou_stay_exact() -> None:
    metric = metrics.MeanIoU(num_classes=2)
    metric.update_state([0, 1], [0, 1], sample_weight=[2**24 + 1, 1])
    assert int(metric.total_cm.numpy()[0, 0]) == 2**24 + 1


def test_metric_of_a_masked_output_leaves_masked_steps_out() -> None:
    y_pred = ops.convert_to_tensor(np.array([[1.0], [3.0]], "float32"))
    y_pred._keras_mask = ops.convert_to_tensor([True, False])
    metric = metrics.MeanSquaredError()
    metric.update_state(np.zeros((2, 1), "float32"), y_pred)
    assert float(metric.result()) == 1.0
