"""Initializers: values, statistics, seeds, configs, errors."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from pronghorn import Variable, initializers, random, saving, utils

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))
from loss_cases import STFT  # noqa: E402

NUMBERS = np.load(GOLDEN / "losses.npz")
SHAPE = (60, 80)
RANDOM = [
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "Orthogonal",
]
# Standard deviations for SHAPE; the draws are 4,800, so means are within 5 / sqrt(4,800) of them.
STDDEV = {
    "RandomNormal": 0.05,
    "RandomUniform": 0.1 / np.sqrt(12),
    "TruncatedNormal": 0.05 * 0.8796,
    "VarianceScaling": np.sqrt(1 / 60),
    "GlorotNormal": np.sqrt(2 / 140),
    "GlorotUniform": np.sqrt(2 / 140),
    "HeNormal": np.sqrt(2 / 60),
    "HeUniform": np.sqrt(2 / 60),
    "LecunNormal": np.sqrt(1 / 60),
    "LecunUniform": np.sqrt(1 / 60),
    "Orthogonal": np.sqrt(1 / 80),
}


def test_values_without_randomness():
    np.testing.assert_array_equal(initializers.Zeros()((2, 3)).numpy(), np.zeros((2, 3)))
    np.testing.assert_array_equal(initializers.Ones()((2,), "int32").numpy(), [1, 1])
    np.testing.assert_array_equal(initializers.Constant(2.5)(()).numpy(), 2.5)
    np.testing.assert_array_equal(initializers.Constant([1, 2])((2, 2)).numpy(), [[1, 2], [1, 2]])
    np.testing.assert_array_equal(initializers.Identity(3.0)((2, 3)).numpy(), 3 * np.eye(2, 3))


@pytest.mark.parametrize("name", STFT)
def test_stft(name):
    values = initializers.STFT(**STFT[name])((8, 1, 9)).numpy()
    np.testing.assert_allclose(values, NUMBERS[f"stft/{name}"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", RANDOM)
def test_statistics(name):
    values = getattr(initializers, name)(seed=3)(SHAPE).numpy()
    assert values.shape == SHAPE and values.dtype == np.float32
    stddev = STDDEV[name]
    assert abs(values.mean()) < 5 * stddev / np.sqrt(values.size)
    assert abs(values.std() / stddev - 1) < 5 / np.sqrt(2 * values.size)


def test_truncation():
    values = initializers.TruncatedNormal(stddev=1.0, seed=1)((100, 100)).numpy()
    assert np.abs(values).max() <= 2.0


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 3, 4), (4, 4)])
def test_orthogonal(shape):
    q = initializers.Orthogonal(gain=2.0, seed=1)(shape).numpy().reshape(-1, shape[-1]) / 2.0
    gram = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-6)


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name):
    make = getattr(initializers, name)
    first = make(seed=5)
    np.testing.assert_array_equal(first((3, 4)).numpy(), first((3, 4)).numpy())
    np.testing.assert_array_equal(first((3, 4)).numpy(), make(seed=5)((3, 4)).numpy())
    assert (make(seed=6)((3, 4)).numpy() != first((3, 4)).numpy()).any()
    assert (make()((3, 4)).numpy() != make()((3, 4)).numpy()).any()
    generator = make(seed=random.SeedGenerator(1))
    assert (generator((3, 4)).numpy() != generator((3, 4)).numpy()).any()


def test_set_random_seed_makes_unseeded_initializers_repeat():
    draws = []
    for _ in range(2):
        utils.set_random_seed(12)
        draws.append(initializers.GlorotUniform()((3, 4)).numpy())
    np.testing.assert_array_equal(*draws)


@pytest.mark.parametrize("name", [*RANDOM, "Zeros", "Ones", "Constant", "Identity", "STFT"])
def test_config_round_trip(name):
    initializer = getattr(initializers, name)()
    config = saving.serialize_keras_object(initializer)
    assert config["module"] == "keras.initializers"
    assert config["class_name"] == name
    again = saving.deserialize_keras_object(config)
    assert again.get_config() == initializer.get_config()
    assert initializer.clone().get_config() == initializer.get_config()


def test_config_with_a_seed_generator():
    initializer = initializers.Orthogonal(seed=random.SeedGenerator(3))
    again = initializers.deserialize(initializers.serialize(initializer))
    np.testing.assert_array_equal(again((2, 2)).numpy(), initializer((2, 2)).numpy())


def test_get():
    assert initializers.get(None) is None
    assert isinstance(initializers.get("he_normal"), initializers.HeNormal)
    assert isinstance(initializers.get("OrthogonalInitializer"), initializers.Orthogonal)
    assert isinstance(initializers.get(initializers.Ones), initializers.Ones)
    array = np.arange(4.0, dtype="float32").reshape(2, 2)
    np.testing.assert_array_equal(initializers.get(array)((2, 2)).numpy(), array)
    with pytest.raises(ValueError, match="Expected `shape` to be"):
        initializers.get(array)((3, 3))
    function = lambda shape, dtype=None: np.zeros(shape)  # noqa: E731
    assert initializers.get(function) is function


@pytest.mark.parametrize("bad", ["glorot_unifrm", 3, {"class_name": "x", "config": {}}, ""])
def test_bad_identifiers(bad):
    with pytest.raises(ValueError, match="Could not interpret initializer"):
        initializers.get(bad)
    if bad == "glorot_unifrm":
        with pytest.raises(ValueError, match="Did you mean 'glorot_uniform'"):
            initializers.get(bad)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.RandomNormal(seed="a"), "seed=a"),
        (lambda: initializers.VarianceScaling(scale=0), "scale=0"),
        (lambda: initializers.VarianceScaling(mode="x"), "mode"),
        (lambda: initializers.VarianceScaling(distribution="x"), "distribution"),
        (lambda: initializers.Identity()((3,)), r"shape=\(3,\)"),
        (lambda: initializers.Orthogonal()((3,)), r"shape=\(3,\)"),
        (lambda: initializers.Constant([1, 2, 3])((2, 2)), r"shape=\(2, 2\)"),
        (lambda: initializers.STFT(side="x"), "side='x'"),
        (lambda: initializers.STFT(window="x"), "window='x'"),
        (lambda: initializers.STFT()((3, 3)), r"shape=\(3, 3\)"),
        (lambda: initializers.RandomNormal()((2,), dtype="int32"), "int32"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_fans_with_axes():
    assert initializers.compute_fans((3, 3, 16, 32)) == (144, 288)
    assert initializers.compute_fans((512, 8, 64), [0], [1, 2]) == (512, 512)
    assert initializers.compute_fans((512, 8, 64), [0, 1], [2]) == (4096, 64)
    assert initializers.compute_fans((7,)) == (7, 7)


def test_as_the_first_value_of_a_variable():
    v = Variable(initializers.Constant(4.0), shape=(2,), dtype="float32")
    np.testing.assert_array_equal(v.numpy(), [4.0, 4.0])
