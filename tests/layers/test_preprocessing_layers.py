"""Normalization and Rescaling."""

from __future__ import annotations

import numpy as np
import pytest
from check_layer import check_layer

import pronghorn as keras
from pronghorn import layers


def test_rescaling() -> None:
    check_layer(
        layers.Rescaling,
        {"scale": 0.5, "offset": 1.0},
        (2, 3),
        reference=lambda x: x * 0.5 + 1.0,
    )
    pixels = np.array([[0, 255]], "uint8")
    y = layers.Rescaling(1 / 255)(pixels)
    assert y.dtype == "float32"
    np.testing.assert_allclose(y.numpy(), [[0.0, 1.0]], rtol=1e-6)
    y = layers.Rescaling(scale=[1.0, 2.0])(np.ones((1, 2, 2)))
    assert y.numpy().tolist() == [[[1.0, 2.0], [1.0, 2.0]]]


@pytest.mark.parametrize(
    ("axis", "shape"), [(-1, (32, 4)), ((1, 2), (16, 3, 2, 5)), (None, (20, 3)), (1, (16, 3, 4))]
)
def test_adapt(axis, shape) -> None:
    x = np.random.default_rng(0).random(shape).astype("float32") * 3 + 2
    whole = layers.Normalization(axis=axis)
    whole.adapt(x)
    rank = x.ndim
    kept = () if axis is None else np.atleast_1d(axis) % rank
    reduced = tuple(a for a in range(rank) if a not in kept)
    y = whole(x).numpy()
    np.testing.assert_allclose(y.mean(axis=reduced), 0, atol=1e-5)
    np.testing.assert_allclose(y.var(axis=reduced), 1, atol=1e-4)
    for batches in (
        [x[:7], x[7:]],
        (x[i : i + 4] for i in range(0, len(x), 4)),
        [(x[:5], None), (x[5:], None)],
    ):
        parts = layers.Normalization(axis=axis)
        parts.adapt(batches)
        np.testing.assert_allclose(parts(x).numpy(), y, atol=1e-5)
    back = layers.Normalization(axis=axis, invert=True)
    back.adapt(x)
    np.testing.assert_allclose(back(y).numpy(), x, rtol=1e-5, atol=1e-5)


def test_given_statistics() -> None:
    def reference(x):
        return (x - np.array([1.0, 2.0])) / np.array([2.0, 3.0])

    args = {"mean": [1.0, 2.0], "variance": [4.0, 9.0]}
    layer = check_layer(layers.Normalization, args, (3, 2), reference=reference)
    assert layer.weights == []
    scalar = layers.Normalization(mean=5.0, variance=1.0)
    scalar.build((3, 7))
    assert scalar.mean.shape == (1, 7)
    partial = layers.Normalization(axis=(1, 2), mean=np.arange(5.0), variance=np.ones(5))
    partial.build((2, 7, 5, 3))
    assert partial.mean.shape == (1, 7, 5, 1)
    assert partial.mean.numpy()[0, 3, :, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_statistics_survive_saving() -> None:
    x = np.random.default_rng(1).random((16, 3)).astype("float32")
    layer = layers.Normalization()
    layer.adapt(x)
    store: dict[str, np.ndarray] = {}
    layer.save_own_variables(store)
    again = layers.Normalization.from_config(layer.get_config())
    again.build_from_config(layer.get_build_config())
    again.load_own_variables(store)
    np.testing.assert_array_equal(again(x).numpy(), layer(x).numpy())


def test_constant_features_do_not_divide_by_zero() -> None:
    layer = layers.Normalization()
    layer.adapt(np.ones((4, 2)))
    assert np.isfinite(layer(np.zeros((1, 2))).numpy()).all()


def test_normalization_errors() -> None:
    with pytest.raises(ValueError, match="both `mean` and `variance` must be set"):
        layers.Normalization(mean=0.5)
    with pytest.raises(ValueError, match="All `axis` values must be in the range"):
        layers.Normalization(axis=3).build((2, 2))
    with pytest.raises(ValueError, match="All `axis` values to be kept"):
        layers.Normalization(axis=1)(keras.KerasTensor((None, None)))
    with pytest.raises(ValueError, match="cannot be adapted"):
        layers.Normalization(mean=1.0, variance=1.0).adapt(np.ones((2, 2)))
    layer = layers.Normalization()
    layer.build((10, 5))
    with pytest.raises(ValueError, match="an incompatible shape"):
        layer.adapt(np.ones((10, 3)))
    with pytest.raises(ValueError, match="empty iterable"):
        layers.Normalization().adapt([])
    with pytest.raises(TypeError, match="`.shape`"):
        layers.Normalization().adapt(iter([42]))


def test_discretization() -> None:
    boundaries = {"bin_boundaries": [0.0, 0.5, 1.0]}
    x = np.array([[-1.0, 0.0, 0.1, 0.8, 1.2]])
    y = layers.Discretization(**boundaries)(x)
    assert y.dtype == "int32"
    assert y.numpy().tolist() == [[0, 1, 1, 2, 3]]
    y = layers.Discretization(**boundaries, output_mode="count")(x)
    assert y.numpy().tolist() == [[1.0, 2.0, 1.0, 1.0]]
    check_layer(
        layers.Discretization,
        {**boundaries, "output_mode": "one_hot"},
        (2, 3),
        reference=lambda x: np.eye(4)[np.digitize(x, [0.0, 0.5, 1.0])],
        gradient=False,
        mixed=False,
    )


def test_discretization_learns_quantiles() -> None:
    x = np.random.default_rng(0).standard_normal((4000, 2))
    layer = layers.Discretization(num_bins=5)
    layer.adapt(x[i : i + 500] for i in range(0, 4000, 500))
    expected = np.quantile(x, [0.2, 0.4, 0.6, 0.8])
    np.testing.assert_allclose(layer.bin_boundaries, expected, atol=0.05)
    counts = np.bincount(layer(x).numpy().ravel())
    np.testing.assert_allclose(counts / counts.sum(), 0.2, atol=0.01)
    again = layers.Discretization.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    with pytest.raises(ValueError, match="You need .* call .*adapt"):
        layers.Discretization(num_bins=3)(np.ones((1, 2)))
    with pytest.raises(ValueError, match="Both `num_bins` and `bin_boundaries`"):
        layers.Discretization([0.0], num_bins=2)
    with pytest.raises(ValueError, match="ascending order"):
        layers.Discretization([1.0, 0.0])


def test_category_encoding() -> None:
    x = np.array([[0, 1], [0, 0], [1, 2], [3, 1]])
    eye = np.eye(4)[x]
    for mode, expected in (
        ("one_hot", eye),
        ("multi_hot", eye.max(1)),
        ("count", eye.sum(1)),
    ):
        layer = layers.CategoryEncoding(4, output_mode=mode)
        np.testing.assert_array_equal(layer(x).numpy(), expected)
        spec = layer(keras.KerasTensor((None, 2), dtype="int32"))
        assert spec.shape == (None, *expected.shape[1:])
    weights = np.arange(8.0).reshape(4, 2)
    y = layers.CategoryEncoding(4, output_mode="count")(x, count_weights=weights)
    np.testing.assert_array_equal(y.numpy(), (eye * weights[..., None]).sum(1))
    with pytest.raises(ValueError, match="range 0 <= values < num_tokens"):
        layers.CategoryEncoding(3)(x)
    with pytest.raises(ValueError, match="`num_tokens` must be >= 1"):
        layers.CategoryEncoding(0)
    with pytest.raises(ValueError, match="Unknown arg for output_mode"):
        layers.CategoryEncoding(3, output_mode="hot")


def test_preprocessing_layers_take_lists_of_numbers() -> None:
    encoded = layers.CategoryEncoding(3, output_mode="count")([[0, 1]], count_weights=[[0.5, 2]])
    assert encoded.numpy().tolist() == [[0.5, 2.0, 0.0]]
    assert layers.CategoryEncoding(2, output_mode="one_hot")([1, 0]).numpy().tolist() == [
        [0.0, 1.0],
        [1.0, 0.0],
    ]
    assert layers.Rescaling(2.0)([1.0, 2.0]).numpy().tolist() == [2.0, 4.0]
    normalization = layers.Normalization(axis=None)
    normalization.adapt([1.0, 3.0])
    assert normalization([1.0, 3.0]).numpy().tolist() == [-1.0, 1.0]
    discretization = layers.Discretization(num_bins=2)
    discretization.adapt([1.0, 2.0, 3.0, 4.0])
    assert discretization([0.0, 9.0]).numpy().tolist() == [0, 1]


@pytest.mark.parametrize("ending", ["keras", "h5", "weights.h5", "safetensors", "npz"])
def test_learned_statistics_come_back_from_every_file(tmp_path, ending):
    data = np.random.default_rng(0).normal(3, 2, (50, 4)).astype("float32")
    layer = layers.Normalization()
    layer.adapt(data)
    model = keras.Sequential([keras.Input((4,)), keras.Sequential([layer])])
    expected = model.predict(data, verbose=0)
    path = str(tmp_path / f"model.{ending}")
    if ending in ("keras", "h5"):
        model.save(path)
        again = keras.saving.load_model(path)
    else:
        model.save_weights(path)
        again = keras.Sequential([keras.Input((4,)), keras.Sequential([layers.Normalization()])])
        again.predict(data, verbose=0)  # traced before the weights come
        again.load_weights(path)
    np.testing.assert_array_equal(again.predict(data, verbose=0), expected)
    again.set_weights([np.zeros(4), np.ones(4), 0])
    np.testing.assert_array_equal(again.predict(data, verbose=0), data)
