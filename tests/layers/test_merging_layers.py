"""Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from check_layer import check_layer

import pronghorn as keras
from pronghorn import layers

ELEMENTWISE = [
    (layers.Add, layers.add, lambda *x: functools.reduce(np.add, x)),
    (layers.Multiply, layers.multiply, lambda *x: functools.reduce(np.multiply, x)),
    (layers.Average, layers.average, lambda *x: functools.reduce(np.add, x) / len(x)),
    (layers.Maximum, layers.maximum, lambda *x: functools.reduce(np.maximum, x)),
    (layers.Minimum, layers.minimum, lambda *x: functools.reduce(np.minimum, x)),
]


@pytest.mark.parametrize(("cls", "function", "reference"), ELEMENTWISE)
def test_elementwise(cls, function, reference) -> None:
    check_layer(cls, {}, (3, 4), (3, 4), (3, 4), reference=reference)
    check_layer(cls, {}, (2, 3, 4), (2, 1, 4), reference=reference)
    a, b = np.array([[1.0, -2.0]]), np.array([[3.0, 5.0]])
    assert function([a, b]).numpy().tolist() == reference(a, b).tolist()
    # A lower rank gets axes after the batch axis.
    wide, narrow = np.ones((2, 3, 4)), np.arange(8.0).reshape(2, 4)
    expected = reference(wide, narrow[:, None])
    np.testing.assert_allclose(function([wide, narrow]).numpy(), expected)


def test_subtract() -> None:
    check_layer(layers.Subtract, {}, (2, 3), (2, 3), reference=np.subtract)
    assert layers.subtract([np.ones((1, 2)), np.ones((1, 2))]).shape == (1, 2)
    for count in (1, 3):
        with pytest.raises(ValueError, match="exactly 2 inputs"):
            layers.Subtract()([np.ones((1, 2))] * count)


def test_concatenate() -> None:
    check_layer(
        layers.Concatenate, {}, (2, 3), (2, 4), reference=lambda a, b: np.concatenate((a, b), -1)
    )
    check_layer(
        layers.Concatenate,
        {"axis": 1},
        (2, 3, 4),
        (2, 1, 4),
        reference=lambda a, b: np.concatenate((a, b), 1),
    )
    unknown = [keras.KerasTensor((None, None, 3)), keras.KerasTensor((None, 4, 3))]
    assert layers.Concatenate(axis=1)(unknown).shape == (None, None, 3)
    assert layers.concatenate([np.ones((1, 2)), np.ones((1, 3))]).shape == (1, 5)


@pytest.mark.parametrize(
    ("axes", "shapes", "equation", "output"),
    [
        (1, [(2, 3), (2, 3)], "bi,bi->b", (2, 1)),
        ((2, 1), [(2, 3, 4), (2, 4, 5)], "bij,bjk->bik", (2, 3, 5)),
        (-1, [(2, 3, 4), (2, 5, 4)], "bij,bkj->bik", (2, 3, 5)),
        ((1, 3), [(2, 3, 4), (2, 5, 6, 3)], "bij,bkli->bjkl", (2, 4, 5, 6)),
    ],
)
def test_dot(axes, shapes, equation, output) -> None:
    def reference(a, b):
        return np.einsum(equation, a, b).reshape(output)

    check_layer(layers.Dot, {"axes": axes}, *shapes, reference=reference)


def test_dot_normalized() -> None:
    a, b = np.array([[3.0, 4.0]]), np.array([[4.0, 3.0]])
    np.testing.assert_allclose(layers.dot([a, b], axes=1, normalize=True).numpy(), [[0.96]], 1e-6)


def masked(value, mask):
    return layers.Masking()(np.where(np.array(mask)[None, :, None], value, 0.0).astype("float32"))


def test_masks() -> None:
    a = masked([[1, 2], [3, 4], [5, 6], [7, 8]], [True, True, False, False])
    b = masked([[5, 6], [1, 1], [-2, 7], [3, 3]], [True, False, True, False])
    for cls, expected in (
        (layers.Add, [[6, 8], [3, 4], [-2, 7], [0, 0]]),
        (layers.Multiply, [[5, 12], [3, 4], [-2, 7], [0, 0]]),
        (layers.Maximum, [[5, 6], [3, 4], [-2, 7], [0, 0]]),
        (layers.Minimum, [[1, 2], [3, 4], [-2, 7], [0, 0]]),
    ):
        y = cls()([a, b])
        assert y.numpy()[0].tolist() == expected, cls
        assert y._keras_mask.numpy().tolist() == [[True, True, True, False]]
        assert getattr(cls()([a, np.ones((1, 4, 2))]), "_keras_mask", None) is None
    y = layers.Concatenate(axis=1)([a, b])
    assert y._keras_mask.numpy().tolist() == [[True, True, False, False, True, False, True, False]]
    y = layers.Concatenate()([a, np.ones((1, 4, 2), "float32")])
    assert y._keras_mask.numpy().tolist() == [[True] * 4]


def test_merging_errors() -> None:
    with pytest.raises(ValueError, match="should be called on a list of inputs"):
        layers.Add()(np.ones((2, 3)))
    with pytest.raises(ValueError, match="Inputs have incompatible shapes"):
        layers.Add()([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match="different batch sizes"):
        layers.Add()([np.ones((2, 3)), np.ones((4, 3))])
    with pytest.raises(ValueError, match="matching shapes except for the concatenation axis"):
        layers.Concatenate()([np.ones((2, 3, 1)), np.ones((2, 4, 2))])
    with pytest.raises(ValueError, match="list of 2 inputs"):
        layers.Dot(1)([np.ones((2, 3))])
    with pytest.raises(ValueError, match="Incompatible input shapes: axis values 3"):
        layers.Dot(1)([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(TypeError, match="Invalid type for argument `axes`"):
        layers.Dot("a")
    with pytest.raises(ValueError, match="contain two elements"):
        layers.Dot((1, 2, 3))
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="`mask` should be a list."):
        layers.Add().compute_mask([x, x], x)
    with pytest.raises(ValueError, match="`inputs` should be a list."):
        layers.Add().compute_mask(x, [None, None])
    with pytest.raises(ValueError, match="should have the same length."):
        layers.Add().compute_mask([x, x], [None])
