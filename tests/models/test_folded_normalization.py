"""Batch normalization in inference is part of the weights before it: equal numbers, kept fresh."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers


def _network(kind: str) -> Any:
    norm = layers.BatchNormalization
    x = keras.Input((40,) if kind == "dense" else (9, 7, 5))
    if kind == "dense":
        y = norm()(layers.Dense(33)(x))
        y = norm(scale=False)(layers.Dense(17, use_bias=False)(layers.ReLU()(y)))
    elif kind == "conv":
        y = norm()(layers.Conv2D(20, 3, padding="same", use_bias=False)(x))
        y = norm(center=False)(layers.Conv2D(36, 1, strides=2, activation="linear")(y))
        y = norm()(layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(y))
        y = norm()(layers.Conv2D(8, 3, groups=4)(layers.ReLU()(y)))
    else:
        y = norm()(layers.Conv2D(5, 3, padding="same")(x))
        y = layers.ReLU()(layers.Add()([y, x]))
        shared = layers.Conv2D(6, 3)(y)
        y = layers.Add()([norm()(shared), shared])
    return keras.Model(x, y)


def _disturb(model: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    for v in model.variables:
        value = random.standard_normal(v.shape).astype("float32")
        v.assign(np.abs(value) + 0.1 if "variance" in v.path else value / np.sqrt(value.size + 1))


def _layer_by_layer(model: Any, x: Any) -> Any:
    """Each layer eagerly on its own, so that nothing is part of anything else."""
    values = {id(model.inputs[0]): x}
    for layer in model.layers[1:]:
        node = layer._inbound_nodes[0]
        given = [values[id(t)] for t in node.input_tensors]
        values[id(node.outputs[0])] = layer(given if len(given) > 1 else given[0])
    return values[id(model.outputs[0])].numpy()


@pytest.mark.parametrize("batch", [1, 6])
@pytest.mark.parametrize("kind", ["dense", "conv", "residual"])
def test_folded_normalization(kind: str, batch: int) -> None:
    model = _network(kind)
    shape = (batch, *model.input_shape[1:])
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    for seed in range(2):  # the second time the weights have changed after a prediction
        _disturb(model, seed)
        expected = _layer_by_layer(model, x)
        # Two roundings for each weight and term; the longest sums have 180 terms.
        tolerance = 2 * 180 * np.finfo("float32").eps * np.abs(expected).max()
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=0, atol=tolerance)
        np.testing.assert_allclose(model(x).numpy(), expected, rtol=0, atol=tolerance)


def test_infinite_input_stays_infinite() -> None:
    model = _network("dense")
    _disturb(model, 0)
    x = np.zeros((2, 40), "float32")
    x[0, 3] = np.inf
    y = model.predict(x, verbose=0)
    assert not np.isfinite(y[0]).all()
    assert np.isfinite(y[1]).all()
