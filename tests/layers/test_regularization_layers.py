"""Dropout and its relatives, noise, ActivityRegularization."""

from __future__ import annotations

import numpy as np
import pytest
from check_layer import check_config, check_layer, check_mask

from pronghorn import layers

NOISY = [
    (layers.Dropout, {"rate": 0.5, "seed": 1}, (4, 5)),
    (layers.AlphaDropout, {"rate": 0.2, "seed": 1}, (4, 5)),
    (layers.GaussianDropout, {"rate": 0.3, "seed": 1}, (4, 5)),
    (layers.GaussianNoise, {"stddev": 0.3, "seed": 1}, (4, 5)),
    (layers.SpatialDropout1D, {"rate": 0.5, "seed": 1}, (4, 5, 3)),
    (layers.SpatialDropout2D, {"rate": 0.5, "seed": 1}, (4, 5, 3, 2)),
    (layers.SpatialDropout3D, {"rate": 0.5, "seed": 1}, (2, 3, 2, 4, 2)),
]


@pytest.mark.parametrize(("cls", "args", "shape"), NOISY)
def test_noise_only_while_training(cls, args, shape) -> None:
    layer = check_layer(cls, args, shape, reference=lambda x: x)
    x = np.ones(shape, "float32")
    assert not np.array_equal(layer(x, training=True).numpy(), x)
    assert len(layer.non_trainable_variables) == 1
    assert layer.weights == []
    # The same seed draws the same numbers, and each call draws new ones.
    one, two = cls(**args), cls(**args)
    first = one(x, training=True).numpy()
    np.testing.assert_array_equal(first, two(x, training=True).numpy())
    assert not np.array_equal(first, one(x, training=True).numpy())
    mask = np.ones(shape[:2], bool)
    assert check_mask(layer, shape, mask).tolist() == mask.tolist()


def test_dropout_keeps_the_expected_sum() -> None:
    x = np.ones((200, 200), "float32")
    y = layers.Dropout(0.25, seed=3)(x, training=True).numpy()
    assert set(np.unique(y)) == {0.0, np.float32(1 / 0.75)}
    # Five standard deviations of the mean of 40,000 draws.
    assert abs(float((y == 0).mean()) - 0.25) < 5 * (0.25 * 0.75 / 40000) ** 0.5


def test_dropout_extremes() -> None:
    x = np.ones((3, 4), "float32")
    assert layers.Dropout(0).variables == []
    np.testing.assert_array_equal(layers.Dropout(0)(x, training=True).numpy(), x)
    np.testing.assert_array_equal(layers.Dropout(1)(x, training=True).numpy(), 0)


def test_noise_shape() -> None:
    x = np.ones((4, 6, 5), "float32")
    y = layers.Dropout(0.5, noise_shape=(None, 1, None), seed=2)(x, training=True).numpy()
    assert (y == y[:, :1]).all()
    assert 0 < (y == 0).mean() < 1
    with pytest.raises(ValueError, match="noise_shape must have as many elements"):
        layers.Dropout(0.5, noise_shape=(1,))(x, training=True)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_spatial_dropout_drops_whole_channels(rank) -> None:
    cls = getattr(layers, f"SpatialDropout{rank}D")
    x = np.ones((8, *(4,) * rank, 16), "float32")
    y = cls(0.5, seed=1)(x, training=True).numpy()
    flat = y.reshape(8, -1, 16)
    assert (flat == flat[:, :1]).all()
    assert 0 < (flat == 0).mean() < 1
    if rank > 1:
        layer = cls(0.5, data_format="channels_first", seed=1)
        y = layer(np.moveaxis(x, -1, 1), training=True).numpy().reshape(8, 16, -1)
        assert (y == y[..., :1]).all()


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = np.random.default_rng(0).standard_normal((400, 400)).astype("float32")
    y = layers.AlphaDropout(0.2, seed=1)(x, training=True).numpy()
    assert abs(y.mean()) < 0.02
    assert abs(y.std() - 1) < 0.02


def test_gaussian_layers_have_the_right_moments() -> None:
    x = np.ones((400, 400), "float32")
    y = layers.GaussianDropout(0.2, seed=1)(x, training=True).numpy()
    assert abs(y.mean() - 1) < 0.01
    assert abs(y.std() - 0.5) < 0.01
    y = layers.GaussianNoise(0.3, seed=1)(x, training=True).numpy()
    assert abs(y.mean() - 1) < 0.01
    assert abs(y.std() - 0.3) < 0.01


def test_activity_regularization() -> None:
    args = {"l1": 0.1, "l2": 0.2}
    check_config(layers.ActivityRegularization, args)
    layer = layers.ActivityRegularization(**args)
    x = np.array([[1.0, -2.0], [3.0, 0.0]])
    np.testing.assert_array_equal(layer(x).numpy(), x)
    expected = (0.1 * 6 + 0.2 * 14) / 2
    assert abs(float(layer.losses[0]) - expected) < 1e-6
    with pytest.raises(ValueError, match="l1"):
        layers.ActivityRegularization(l1=-1)


@pytest.mark.parametrize("bad", [-0.5, 1.5, "a", None])
@pytest.mark.parametrize(
    "cls",
    [
        layers.Dropout,
        layers.AlphaDropout,
        layers.GaussianDropout,
        layers.SpatialDropout1D,
        layers.GaussianNoise,
    ],
)
def test_rates(cls, bad) -> None:
    with pytest.raises(ValueError, match="Expected a float value between 0 and 1"):
        cls(bad)


@pytest.mark.parametrize(
    ("noise_shape", "match"),
    [
        ("a", "Expected a tuple or list of integers"),
        ((2, 1.5), "Expected all elements to be integers or None"),
        ((2, 0), "Expected all dimensions to be positive integers or None"),
    ],
)
def test_noise_shape_errors(noise_shape, match) -> None:
    with pytest.raises(ValueError, match=match):
        layers.Dropout(0.5, noise_shape=noise_shape)
