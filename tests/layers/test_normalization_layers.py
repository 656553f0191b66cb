"""Batch, layer, group, root-mean-square, unit and spectral normalization."""

from __future__ import annotations

import numpy as np
import pytest
from check_layer import check_layer, check_mask

import pronghorn as keras
from pronghorn import layers


def normalized(x, axes, epsilon=1e-3):
    mean = x.mean(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)


@pytest.mark.parametrize("shape", [(8, 3), (4, 5, 3), (2, 4, 5, 3)])
def test_batch_normalization_of_the_batch(shape) -> None:
    def reference(x, gamma, beta, moving_mean, moving_variance):
        return normalized(x, tuple(range(x.ndim - 1))) * gamma + beta

    check_layer(layers.BatchNormalization, {}, shape, call={"training": True}, reference=reference)


def test_batch_normalization_of_another_axis() -> None:
    def reference(x, gamma, beta, moving_mean, moving_variance):
        y = normalized(x, (0, 2, 3))
        return y * gamma[:, None, None] + beta[:, None, None]

    args = {"axis": 1}
    check_layer(
        layers.BatchNormalization, args, (3, 4, 3, 2), call={"training": True}, reference=reference
    )


def test_batch_normalization_inference() -> None:
    def reference(x, moving_mean, moving_variance, gamma=1.0, beta=0.0):
        return (x - moving_mean) / np.sqrt(moving_variance + 1e-3) * gamma + beta

    check_layer(layers.BatchNormalization, {}, (4, 5, 3), reference=reference)
    args = {"center": False, "scale": False}
    check_layer(layers.BatchNormalization, args, (4, 3), reference=reference)


def test_moving_statistics() -> None:
    layer = layers.BatchNormalization(momentum=0.9)
    x = np.array([[1.0, 10.0], [3.0, 30.0]])
    layer(x)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), 0)
    layer(x, training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), [0.2, 2.0], rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), [1.0, 10.9], rtol=1e-6)
    layer.trainable = False
    layer(x, training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), [0.2, 2.0], rtol=1e-6)


def test_batch_normalization_mask() -> None:
    x = np.arange(12.0).reshape(2, 3, 2).astype("float32")
    mask = np.array([[True, True, False], [True, False, False]])
    layer = layers.BatchNormalization(momentum=0.0)
    y = layer(x, training=True, mask=mask).numpy()
    kept = x[mask]
    np.testing.assert_allclose(layer.moving_mean.numpy(), kept.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), kept.var(0), rtol=1e-5)
    np.testing.assert_allclose(y[mask], normalized(kept, (0,)), atol=1e-5)
    assert check_mask(layer, (2, 3, 2), mask).tolist() == mask.tolist()
    with pytest.raises(ValueError, match="one dimension less than the inputs"):
        layer(x, training=True, mask=mask[:, 0])


def test_batch_normalization_float16_overflow() -> None:
    layer = layers.BatchNormalization(dtype="mixed_float16")
    x = np.array([[300.0], [100.0]], "float16")
    y = layer(x, training=True)
    assert y.dtype == "float16"
    np.testing.assert_allclose(y.numpy().astype("float32"), [[1.0], [-1.0]], atol=1e-3)
    assert layer.moving_variance.dtype == "float32"


def test_batch_normalization_errors() -> None:
    with pytest.raises(NotImplementedError, match="synchronized=True"):
        layers.BatchNormalization(synchronized=True)
    with pytest.raises(ValueError, match="axis must be an axis of the input"):
        layers.BatchNormalization(axis=4).build((2, 3))
    with pytest.raises(ValueError, match="must have a known size"):
        layers.BatchNormalization().build((2, None))
    with pytest.raises(ValueError, match="invalid keys"):
        layers.BatchNormalization(renorm=True, renorm_clipping={"max": 1.0})


@pytest.mark.parametrize("axis", [-1, [1, 2], [2, 1], 1])
def test_layer_normalization(axis) -> None:
    axes = (axis,) if isinstance(axis, int) else tuple(axis)

    def reference(x, gamma, beta):
        if axis == 1:
            gamma, beta = gamma[:, None], beta[:, None]
        return normalized(x, axes) * gamma + beta

    check_layer(layers.LayerNormalization, {"axis": axis}, (3, 4, 5), reference=reference)


def test_layer_normalization_without_affine_and_errors() -> None:
    args = {"center": False, "scale": False, "epsilon": 0.1}
    layer = check_layer(
        layers.LayerNormalization, args, (3, 5), reference=lambda x: normalized(x, (-1,), 0.1)
    )
    assert layer.weights == []
    with pytest.raises(TypeError, match="Expected an int or a list/tuple of ints"):
        layers.LayerNormalization(axis={"a": 1})
    with pytest.raises(ValueError, match="axis must name different axes"):
        layers.LayerNormalization(axis=5)(np.ones((2, 3)))


@pytest.mark.parametrize("groups", [1, 2, 6, -1])
def test_group_normalization(groups) -> None:
    def reference(x, gamma, beta):
        g = 6 if groups == -1 else groups
        y = normalized(x.reshape(2, 4, g, 6 // g), (1, 3)).reshape(x.shape)
        return y * gamma + beta

    check_layer(layers.GroupNormalization, {"groups": groups}, (2, 4, 6), reference=reference)


def test_group_normalization_errors() -> None:
    for bad in (0, -2, 1.5, "32"):
        with pytest.raises(ValueError, match="argument `groups`"):
            layers.GroupNormalization(bad)
    with pytest.raises(ValueError, match="cannot be more than the number of channels"):
        layers.GroupNormalization(5)(np.ones((2, 4)))
    with pytest.raises(ValueError, match="must be a multiple of the number of channels"):
        layers.GroupNormalization(3)(np.ones((2, 4)))
    with pytest.raises(ValueError, match="should have a defined dimension"):
        layers.GroupNormalization(2)(keras.KerasTensor((2, None)))


def test_rms_and_unit_normalization() -> None:
    def rms(x, scale):
        return x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6) * scale

    check_layer(layers.RMSNormalization, {}, (3, 4, 5), reference=rms)

    def unit(x):
        return x / np.sqrt(np.sum(x**2, axis=(1, 2), keepdims=True))

    check_layer(layers.UnitNormalization, {"axis": [1, 2]}, (2, 3, 4), reference=unit)
    np.testing.assert_array_equal(layers.UnitNormalization()(np.zeros((1, 3))).numpy(), 0)
    with pytest.raises(TypeError, match="Invalid value for `axis`"):
        layers.UnitNormalization(axis="a")


def test_spectral_normalization() -> None:
    layer = layers.SpectralNormalization(layers.Dense(4), power_iterations=30)
    x = np.ones((2, 6), "float32")
    before = layer(x, training=False).numpy()
    after = layer(x, training=True).numpy()
    assert not np.array_equal(before, after)
    largest = np.linalg.svd(layer.layer.kernel.numpy(), compute_uv=False)[0]
    assert abs(largest - 1) < 1e-2
    assert [w.name for w in layer.non_trainable_weights] == ["vector_u"]
    with pytest.raises(ValueError, match="`power_iterations` should be greater than zero"):
        layers.SpectralNormalization(layers.Dense(4), power_iterations=0)
    with pytest.raises(ValueError, match="no attribute 'kernel' nor 'embeddings'"):
        layers.SpectralNormalization(layers.ReLU())(x)
