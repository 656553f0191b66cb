"""Flatten, Reshape, Permute, RepeatVector, padding, cropping, upsampling."""

from __future__ import annotations

import numpy as np
import pytest
from check_layer import check_layer

import pronghorn as keras
from pronghorn import layers


def test_flatten() -> None:
    check_layer(layers.Flatten, {}, (2, 3, 4, 5), reference=lambda x: x.reshape(2, 60))
    check_layer(layers.Flatten, {}, (3,), reference=lambda x: x[:, None], unknown_batch=False)
    first = {"data_format": "channels_first"}
    check_layer(
        layers.Flatten,
        first,
        (2, 3, 4, 5),
        reference=lambda x: np.moveaxis(x, 1, -1).reshape(2, 60),
    )
    assert layers.Flatten()(keras.KerasTensor((None, 3, None))).shape == (None, None)
    assert layers.Flatten()(np.ones((2, 3), "int32")).dtype == "int32"


def test_reshape() -> None:
    check_layer(
        layers.Reshape, {"target_shape": (4, 3)}, (2, 12), reference=lambda x: x.reshape(2, 4, 3)
    )
    check_layer(
        layers.Reshape,
        {"target_shape": (-1, 2)},
        (2, 3, 4),
        reference=lambda x: x.reshape(2, 6, 2),
    )
    unknown = keras.KerasTensor((None, 3, None))
    assert layers.Reshape((-1, 2))(unknown).shape == (None, None, 2)
    assert layers.Reshape((6,))(keras.KerasTensor((None, 2, 3), dtype="int32")).dtype == "int32"
    with pytest.raises(ValueError, match="Reshape 'r': The total size.*12 elements.*10"):
        layers.Reshape((5, 2), name="r")(np.ones((2, 12)))
    with pytest.raises(ValueError, match="cannot be divided by 5"):
        layers.Reshape((-1, 5))(keras.KerasTensor((None, 7)))
    with pytest.raises(ValueError, match="non-negative integer or -1"):
        layers.Reshape((-2, 5))
    with pytest.raises(ValueError, match="at most one unknown dimension"):
        layers.Reshape((-1, -1))


def test_permute() -> None:
    check_layer(
        layers.Permute,
        {"dims": (3, 1, 2)},
        (2, 3, 4, 5),
        reference=lambda x: np.transpose(x, (0, 3, 1, 2)),
    )
    with pytest.raises(ValueError, match="Invalid permutation argument `dims`"):
        layers.Permute((0, 1))


def test_repeat_vector() -> None:
    check_layer(
        layers.RepeatVector, {"n": 3}, (2, 4), reference=lambda x: np.repeat(x[:, None], 3, axis=1)
    )
    with pytest.raises(TypeError, match="Expected an integer value for `n`"):
        layers.RepeatVector(3.5)
    with pytest.raises(ValueError, match="should be a positive integer"):
        layers.RepeatVector(0)


@pytest.mark.parametrize(
    ("rank", "padding", "pairs"),
    [
        (1, 2, [(2, 2)]),
        (1, (1, 3), [(1, 3)]),
        (2, (1, 2), [(1, 1), (2, 2)]),
        (2, ((1, 0), (2, 3)), [(1, 0), (2, 3)]),
        (3, 1, [(1, 1)] * 3),
    ],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_zero_padding(rank, padding, pairs, data_format) -> None:
    shape = (2, *(3, 4, 2)[:rank], 2)
    last = data_format == "channels_last"
    width = [(0, 0), *pairs, (0, 0)] if last else [(0, 0), (0, 0), *pairs]
    check_layer(
        getattr(layers, f"ZeroPadding{rank}D"),
        {"padding": padding, "data_format": data_format},
        shape if last else (2, 2, *shape[1:-1]),
        reference=lambda x: np.pad(x, width),
    )


@pytest.mark.parametrize(
    ("rank", "cropping", "pairs"),
    [
        (1, (1, 2), [(1, 2)]),
        (2, ((1, 0), (2, 1)), [(1, 0), (2, 1)]),
        (2, 1, [(1, 1), (1, 1)]),
        (3, (1, 0, 2), [(1, 1), (0, 0), (2, 2)]),
    ],
)
def test_cropping(rank, cropping, pairs) -> None:
    shape = (2, *(5, 6, 7)[:rank], 2)
    index = tuple(slice(a, n - b) for (a, b), n in zip(pairs, shape[1:-1]))
    check_layer(
        getattr(layers, f"Cropping{rank}D"),
        {"cropping": cropping},
        shape,
        reference=lambda x: x[(slice(None), *index)],
    )


def test_padding_and_cropping_errors() -> None:
    for make in (layers.ZeroPadding2D, layers.Cropping2D):
        for bad in ((1, 2, 3), -1, "1", ((1, 2), (3, -4))):
            with pytest.raises(ValueError, match="padding|cropping"):
                make(bad)
    with pytest.raises(ValueError, match="`cropping` parameter of `Cropping1D` layer must be"):
        layers.Cropping1D((2, 3))(np.ones((1, 5, 2)))
    with pytest.raises(ValueError, match="Values in `cropping`.*Nothing is left of width"):
        layers.Cropping2D(((0, 0), (2, 2)), name="c")(np.ones((1, 5, 4, 2)))


def test_up_sampling_nearest() -> None:
    check_layer(layers.UpSampling1D, {"size": 3}, (2, 4, 2), reference=lambda x: x.repeat(3, 1))
    check_layer(
        layers.UpSampling2D,
        {"size": (2, 3)},
        (2, 3, 4, 2),
        reference=lambda x: x.repeat(2, 1).repeat(3, 2),
    )
    check_layer(
        layers.UpSampling2D,
        {"size": (2, 1), "data_format": "channels_first"},
        (2, 3, 4, 2),
        reference=lambda x: x.repeat(2, 2),
    )
    check_layer(
        layers.UpSampling3D,
        {"size": 2},
        (1, 2, 3, 2, 2),
        reference=lambda x: x.repeat(2, 1).repeat(2, 2).repeat(2, 3),
    )


@pytest.mark.parametrize("interpolation", ["bicubic", "lanczos3", "lanczos5"])
def test_up_sampling_by_wide_kernels_keeps_constants(interpolation) -> None:
    layer = layers.UpSampling2D((2, 3), interpolation=interpolation)
    y = layer(np.full((1, 4, 5, 2), 3.0)).numpy()
    np.testing.assert_allclose(y, np.full((1, 8, 15, 2), 3.0), rtol=1e-6)


def test_up_sampling_bilinear() -> None:
    args = {"size": 2, "interpolation": "bilinear"}
    layer = check_layer(layers.UpSampling2D, args, (1, 3, 2, 2))
    x = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)
    assert layers.UpSampling2D((1, 2), interpolation="bilinear")(x).numpy().ravel().tolist() == [
        0.0,
        1.0,
        3.0,
        4.0,
    ]
    assert layer.size == (2, 2)


def test_up_sampling_errors() -> None:
    with pytest.raises(ValueError, match="Did you mean 'nearest'"):
        layers.UpSampling2D(2, interpolation="nearst")
    with pytest.raises(ValueError, match="`size` argument must be a tuple of 3"):
        layers.UpSampling3D(-1)
    with pytest.raises(TypeError, match="Expected an integer value for `size`"):
        layers.UpSampling1D(2.5)
    with pytest.raises(ValueError, match="should be a positive integer"):
        layers.UpSampling1D(0)
