"""Activation, ReLU, LeakyReLU, PReLU, ELU, Softmax."""

from __future__ import annotations

import numpy as np
import pytest
from check_layer import check_layer, check_mask

from pronghorn import layers


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@pytest.mark.parametrize(
    ("layer", "args", "reference"),
    [
        (layers.Activation, {"activation": "tanh"}, np.tanh),
        (layers.ReLU, {}, lambda x: np.maximum(x, 0)),
        (
            layers.ReLU,
            {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.5},
            lambda x: np.where(x >= 0.5, np.minimum(x, 1.0), 0.1 * (x - 0.5)),
        ),
        (layers.LeakyReLU, {"negative_slope": 0.2}, lambda x: np.where(x > 0, x, 0.2 * x)),
        (layers.ELU, {"alpha": 0.7}, lambda x: np.where(x > 0, x, 0.7 * np.expm1(x))),
        (layers.Softmax, {}, softmax),
        (layers.Softmax, {"axis": [1, 2]}, lambda x: softmax(x, (1, 2))),
    ],
)
def test_activation_layers(layer, args, reference) -> None:
    found = check_layer(layer, args, (3, 4, 5), reference=reference)
    mask = np.ones((3, 4), bool)
    if layer is not layers.Softmax:
        assert check_mask(found, (3, 4, 5), mask).shape == (3, 4)


def test_prelu() -> None:
    def reference(x, alpha):
        return np.where(x > 0, x, alpha * x)

    check_layer(layers.PReLU, {}, (3, 4), reference=reference)
    layer = check_layer(layers.PReLU, {"shared_axes": [1, 2]}, (2, 3, 4, 5), reference=reference)
    assert layer.alpha.shape == (1, 1, 5)
    assert layers.PReLU(shared_axes=1).get_config()["shared_axes"] == [1]
    with pytest.raises(ValueError, match="shared must have known sizes"):
        layers.PReLU().build((None, None, 3))
    with pytest.raises(ValueError, match="shared_axes must be axes"):
        layers.PReLU(shared_axes=[0]).build((None, 3))


def test_softmax_mask() -> None:
    layer = layers.Softmax()
    x = np.array([[1.0, 2.0, 5.0], [1.0, 1.0, 1.0]])
    mask = np.array([[True, True, False], [False, False, False]])
    y = layer(x, mask=mask).numpy()
    np.testing.assert_allclose(y[0], [0.268941, 0.731059, 0.0], atol=1e-6)
    np.testing.assert_array_equal(y[1], 0)
    with pytest.raises(ValueError, match="broadcastable"):
        layer(x[:1], mask=mask)
    with pytest.raises(ValueError, match="must not have more dimensions"):
        layer(x, mask=mask[None])


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: layers.ReLU(max_value=-1.0), "max_value of a ReLU layer"),
        (lambda: layers.ReLU(negative_slope=None), "negative_slope of a ReLU layer"),
        (lambda: layers.ReLU(threshold=-1.0), "threshold of a ReLU layer"),
        (lambda: layers.LeakyReLU(None), "negative_slope value of a Leaky ReLU"),
        (lambda: layers.Activation("reluu"), "relu"),
    ],
)
def test_activation_errors(make, match) -> None:
    with pytest.raises(ValueError, match=match):
        make()
