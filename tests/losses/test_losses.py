"""Losses: names, reductions, dtypes, masks, checks of targets, errors."""

from __future__ import annotations

import numpy as np
import pytest

from pronghorn import losses, ops


def test_get():
    assert losses.get("mse") is losses.mean_squared_error
    assert losses.get("KLD") is losses.kl_divergence
    assert isinstance(losses.get("Huber"), losses.Huber)
    assert losses.get(None) is None
    assert losses.get({"class_name": "Huber", "config": {"delta": 2.0}})._fn_kwargs["delta"] == 2
    assert losses.get(losses.hinge) is losses.hinge


@pytest.mark.parametrize(
    ("bad", "near"),
    [("sparse_categorical_crossentrpy", "sparse_categorical_crossentropy"), ("msee", "mse")],
)
def test_unknown_name_lists_near_ones(bad, near):
    with pytest.raises(ValueError, match=f"Could not interpret loss.*{near}"):
        losses.get(bad)


@pytest.mark.parametrize("bad", [3, {"class_name": "Nope", "config": {}}, "", {}])
def test_bad_identifiers(bad):
    with pytest.raises(ValueError, match="Could not interpret loss"):
        losses.get(bad)


def test_bad_reduction():
    with pytest.raises(ValueError, match="reduction=auto"):
        losses.MeanSquaredError(reduction="auto")


def test_dtype():
    loss = losses.MeanSquaredError(dtype="float16")
    assert loss(np.ones((2, 3)), np.zeros((2, 3))).dtype == "float16"
    with pytest.raises(AttributeError):
        loss.dtype = "float32"


def test_a_loss_must_implement_call():
    with pytest.raises(NotImplementedError, match="call"):
        losses.Loss()(np.ones((2, 3)), np.zeros((2, 3)))


def test_column_targets_and_vector_predictions():
    y, p = np.array([[1.0], [2.0]]), np.array([1.0, 4.0])
    assert float(losses.MeanSquaredError()(y, p)) == 2.0
    assert losses.mean_squared_error(y[:, 0], p[:, None]).shape == (2,)


def test_sample_weight_that_does_not_fit():
    with pytest.raises(ValueError, match=r"sample_weight.shape=\(3,\).*\(4,\)"):
        losses.MeanSquaredError()(np.ones((4, 2)), np.ones((4, 2)), np.ones(3))


def test_all_masked_is_zero_not_nan():
    p = ops.convert_to_tensor(np.ones((3, 2), "float32"))
    p._keras_mask = ops.convert_to_tensor(np.zeros(3, bool))
    assert float(losses.MeanSquaredError()(np.zeros((3, 2)), p)) == 0.0


def test_zero_weights_are_zero_not_nan():
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    assert float(loss(np.zeros((3, 2)), np.ones((3, 2)), np.zeros(3))) == 0.0


def test_ignore_class_does_not_count():
    p = np.full((4, 3), 1 / 3, "float32")
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    np.testing.assert_allclose(float(loss([0, 1, -1, -1], p)), np.log(3), rtol=1e-5)


def test_large_labels_are_not_rounded():
    # 2 ** 24 + 1 is no float32: labels must stay integers.
    labels = ops.convert_to_tensor(np.array([3], "int64"))
    loss = losses.SparseCategoricalCrossentropy()
    assert loss._target(labels).dtype == "int64"


def test_crossentropy_shapes():
    one_hot, p = np.eye(3)[[0, 1]], np.full((2, 4), 0.25)
    for function in (losses.categorical_crossentropy, losses.binary_crossentropy):
        with pytest.raises(ValueError, match="same shape"):
            function(one_hot, p)
    with pytest.raises(ValueError):
        losses.sparse_categorical_crossentropy(np.array([0, 1, 2]), p)


def test_generalized_crossentropy_wants_q_between_0_and_1():
    for q in (0, 1, 2):
        with pytest.raises(ValueError, match=f"q={q}"):
            losses.CategoricalGeneralizedCrossEntropy(q=q)


# check_targets: what fit calls before any kernel runs.


def test_labels_out_of_range_are_named():
    check = losses.SparseCategoricalCrossentropy().check_targets
    check(np.array([0, 9, 3]), (None, 10))
    check(np.array([[0], [9]]), (None, 10))
    check(np.array([0.0, 9.0]), (32, 10))
    with pytest.raises(ValueError, match=r"\[0, 10\).*y_true\[2\]=10"):
        check(np.array([0, 9, 10, 11]), (None, 10))
    with pytest.raises(ValueError, match=r"y_true\[1\]=-1"):
        check(np.array([0, -1]), (None, 10))
    with pytest.raises(ValueError, match=r"y_true\[0, 1\]=7"):
        check(np.array([[0, 7], [1, 1]]), (None, 2, 5))
    with pytest.raises(ValueError, match="nan"):
        check(np.array([0.0, np.nan]), (None, 10))
    losses.SparseCategoricalCrossentropy(ignore_class=-1).check_targets(
        np.array([0, -1]), (None, 10)
    )


def test_wrong_shapes_of_labels_are_named():
    check = losses.SparseCategoricalCrossentropy().check_targets
    with pytest.raises(ValueError, match=r"y_true.shape=\(4, 10\).*categorical_crossentropy"):
        check(np.zeros((4, 10)), (None, 10))
    with pytest.raises(ValueError, match=r"y_true.shape=\(4, 3\)"):
        check(np.zeros((4, 3)), (None, 10))


def test_wrong_shapes_of_distributions_are_named():
    check = losses.CategoricalCrossentropy().check_targets
    check(np.zeros((4, 10)), (None, 10))
    with pytest.raises(ValueError, match="sparse_categorical_crossentropy"):
        check(np.zeros((4,)), (None, 10))
    with pytest.raises(ValueError, match=r"y_true.shape=\(4, 9\)"):
        check(np.zeros((4, 9)), (None, 10))


def test_wrong_shapes_of_values_are_named():
    check = losses.MeanSquaredError().check_targets
    check(np.zeros((4,)), (None, 1))
    check(np.zeros((4, 1)), (None, 1))
    with pytest.raises(ValueError, match=r"mean_squared_error.*y_true.shape=\(4, 3\)"):
        check(np.zeros((4, 3)), (None, 2))
    with pytest.raises(ValueError, match=r"y_true.shape=\(4,\)"):
        check(np.zeros((4,)), (None, 2))


def test_functions_are_checked_too():
    wrapped = losses.LossFunctionWrapper(losses.sparse_categorical_crossentropy)
    with pytest.raises(ValueError, match=r"y_true\[0\]=5"):
        wrapped.check_targets(np.array([5]), (None, 3))
    losses.LossFunctionWrapper(lambda t, p: p).check_targets(np.array([5]), (None, 3))
