"""Regularizers, constraints and activations against Keras's numbers, and their errors."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from pronghorn import activations, constraints, layers, ops, regularizers, saving

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))
from loss_cases import (  # noqa: E402
    ACTIVATION_INPUT,
    ACTIVATIONS,
    CONSTRAINTS,
    REGULARIZERS,
    WEIGHT,
)

NUMBERS = np.load(GOLDEN / "losses.npz")


@pytest.mark.parametrize("name", REGULARIZERS)
def test_regularizers(name):
    cls, arguments = REGULARIZERS[name]
    regularizer = getattr(regularizers, cls)(**arguments)
    again = saving.deserialize_keras_object(saving.serialize_keras_object(regularizer))
    for made in (regularizer, again):
        value = made(ops.convert_to_tensor(WEIGHT))
        np.testing.assert_allclose(float(value), NUMBERS[f"regularizer/{name}"], rtol=1e-5)


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraints(name):
    cls, arguments = CONSTRAINTS[name]
    constraint = getattr(constraints, cls)(**arguments)
    again = saving.deserialize_keras_object(saving.serialize_keras_object(constraint))
    for made in (constraint, again):
        value = made(ops.convert_to_tensor(WEIGHT)).numpy()
        np.testing.assert_allclose(value, NUMBERS[f"constraint/{name}"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    x = ops.convert_to_tensor(ACTIVATION_INPUT)
    expected = NUMBERS[f"activation/{name}"]
    values = getattr(activations, name)(x).numpy()
    # A few roundings of functions whose inputs reach 30.
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=2e-6)


def test_sparsemax_is_the_nearest_point_of_the_simplex():
    x = np.random.default_rng(2).normal(size=(6, 5)).astype("float32")
    p = activations.sparsemax(ops.convert_to_tensor(x)).numpy()
    np.testing.assert_allclose(p.sum(-1), 1.0, atol=1e-6)
    descending = np.sort(x, -1)[:, ::-1].astype("float64")
    ranks = np.arange(1, 6)
    support = (1 + ranks * descending > np.cumsum(descending, -1)).sum(-1)
    taus = (np.cumsum(descending, -1)[np.arange(6), support - 1] - 1) / support
    np.testing.assert_allclose(p, np.maximum(x - taus[:, None], 0), atol=1e-6)


def test_relu_options():
    x = np.array([-4.0, -1.0, 0.5, 2.0, 9.0], "float32")
    for slope, limit, threshold in ((0.0, 3.0, 0.0), (0.2, None, 1.0), (0.5, 4.0, 1.0), (0, 6, 0)):
        expected = np.where(x >= threshold, x, slope * (x - threshold))
        if limit is not None:
            expected = np.minimum(expected, limit)
        values = activations.relu(x, slope, limit, threshold).numpy()
        np.testing.assert_allclose(values, expected, rtol=1e-6)
    shifted = activations.threshold(x, 1.0, -7.0).numpy()
    np.testing.assert_allclose(shifted, np.where(x > 1.0, x, -7.0))


def test_activation_names():
    assert activations.get(None) is activations.linear
    assert activations.get("swish") is activations.silu
    assert activations.serialize(activations.hard_swish) == "hard_silu"
    assert activations.deserialize("relu") is activations.relu
    layer = layers.LeakyReLU(negative_slope=0.3)
    assert activations.get(layer) is layer
    restored = activations.get(activations.serialize(layer))
    assert restored.negative_slope == 0.3


@pytest.mark.parametrize(
    ("get", "bad", "message"),
    [
        (activations.get, "rleu", "Could not interpret activation.*relu"),
        (activations.get, 3, "Could not interpret activation"),
        (regularizers.get, "l3", "Could not interpret regularizer.*l"),
        (regularizers.get, {"class_name": "L7", "config": {}}, "Could not interpret regularizer"),
        (constraints.get, "nonneg", "Could not interpret constraint.*non_neg"),
        (constraints.get, 3.0, "Could not interpret constraint"),
    ],
)
def test_bad_identifiers(get, bad, message):
    with pytest.raises(ValueError, match=message):
        get(bad)


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf"), "a", [0.1]])
def test_factors_must_be_finite_and_not_negative(bad):
    for cls in (regularizers.L1, regularizers.L2, regularizers.OrthogonalRegularizer):
        with pytest.raises(ValueError, match="non-negative float"):
            cls(bad)


def test_orthogonal_regularizer_errors():
    with pytest.raises(ValueError, match="mode=x"):
        regularizers.OrthogonalRegularizer(mode="x")
    with pytest.raises(ValueError, match=r"inputs.shape=\(2,\)"):
        regularizers.OrthogonalRegularizer()(ops.ones((2,)))
