"""Max, average, global and adaptive pooling."""

from __future__ import annotations

import numpy as np
import pytest
import reference_windows as windows
from check_layer import check_layer, check_mask

from pronghorn import layers

SHAPES = {1: (2, 9, 3), 2: (2, 7, 6, 3), 3: (1, 4, 5, 4, 2)}


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("mode", ["max", "average"])
def test_pooling(rank, padding, mode) -> None:
    cls = getattr(layers, f"{mode.capitalize()}Pooling{rank}D")

    def reference(x):
        return windows.pool(x, (2,) * rank, (2,) * rank, padding, mode)

    check_layer(cls, {"pool_size": 2, "padding": padding}, SHAPES[rank], reference=reference)


def test_pooling_with_overlap_and_channels_first() -> None:
    def reference(x):
        y = windows.pool(windows.first_to_last(x), (3, 2), (2, 1), "same", "average")
        return windows.last_to_first(y)

    args = {
        "pool_size": (3, 2),
        "strides": (2, 1),
        "padding": "same",
        "data_format": "channels_first",
    }
    check_layer(layers.AveragePooling2D, args, (2, 3, 7, 6), reference=reference)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_global_pooling(rank, keepdims, data_format) -> None:
    axes = (
        tuple(range(1, rank + 1)) if data_format == "channels_last" else tuple(range(2, rank + 2))
    )
    args = {"keepdims": keepdims, "data_format": data_format}
    for mode, f in (("Max", np.max), ("Average", np.mean)):
        cls = getattr(layers, f"Global{mode}Pooling{rank}D")

        def reference(x, f=f):
            return f(x, axis=axes, keepdims=keepdims)

        check_layer(cls, args, SHAPES[rank], reference=reference)


def test_global_average_pooling_counts_only_masked_in_steps() -> None:
    x = np.arange(6.0).reshape(1, 3, 2)
    mask = np.array([[True, False, True]])
    layer = layers.GlobalAveragePooling1D()
    assert layer(x, mask=mask).numpy().tolist() == [[2.0, 3.0]]
    assert check_mask(layer, (1, 3, 2), mask) is None


def adaptive(x, sizes, f):
    for axis, m in enumerate(sizes, 1):
        n = x.shape[axis]
        parts = [
            f(np.take(x, range(i * n // m, -(-(i + 1) * n // m)), axis), axis=axis, keepdims=True)
            for i in range(m)
        ]
        x = np.concatenate(parts, axis)
    return x


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_adaptive_pooling(rank) -> None:
    sizes = (3, 4, 2)[:rank]
    for mode, f in (("Max", np.max), ("Average", np.mean)):
        cls = getattr(layers, f"Adaptive{mode}Pooling{rank}D")

        def reference(x, f=f):
            return adaptive(x, sizes, f)

        check_layer(cls, {"output_size": sizes}, SHAPES[rank], reference=reference)


def test_pooling_errors() -> None:
    with pytest.raises(ValueError, match="`pool_size` argument must be a tuple of 2 integers"):
        layers.MaxPooling2D(0)
    with pytest.raises(ValueError, match="`strides` argument"):
        layers.MaxPooling2D(2, strides=0)
    with pytest.raises(ValueError, match="`padding` argument"):
        layers.AveragePooling1D(2, padding="causal")
    with pytest.raises(ValueError, match="pool_size is larger than the input along width"):
        layers.MaxPooling2D(5, name="p")(np.ones((1, 9, 3, 1)))
    with pytest.raises(ValueError, match=r"expected rank 3 \(batch, steps, channels\)"):
        layers.GlobalMaxPooling1D()(np.ones((1, 9, 3, 1)))
    with pytest.raises(TypeError, match="`output_size` must be an integer"):
        layers.AdaptiveMaxPooling1D("3")


def test_aliases() -> None:
    assert layers.MaxPool2D is layers.MaxPooling2D
    assert layers.AvgPool1D is layers.AveragePooling1D
    assert layers.GlobalAvgPool2D is layers.GlobalAveragePooling2D
    assert layers.Convolution2DTranspose is layers.Conv2DTranspose
    assert layers.SeparableConvolution1D is layers.SeparableConv1D
