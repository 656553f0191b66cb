"""Attention layers: the fused form gives what products and a softmax give."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import config, layers, ops

EPS = 2.0**-23
RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 9, 6)).astype(np.float32)
Y = RNG.normal(size=(3, 7, 6)).astype(np.float32)


def _mask(*shape: int) -> np.ndarray:
    """A random mask in which each query sees the first key and one near its own place."""
    mask = RNG.uniform(size=shape) < 0.7
    mask[..., 0] = True
    mask[..., np.arange(9), np.minimum(np.arange(9), 6)] = True
    return mask


SEEN = {
    "none": {},
    "causal": {"use_causal_mask": True},
    "padding": {
        "query_mask": np.arange(9) < [[9], [5], [0]],
        "value_mask": np.arange(7) < [[7], [3], [1]],
    },
    "all": {
        "attention_mask": _mask(3, 9, 7),
        "query_mask": np.arange(9) < [[9], [5], [3]],
        "key_mask": np.arange(7) < [[7], [3], [1]],
        "use_causal_mask": True,
    },
    "heads": {"attention_mask": _mask(3, 4, 9, 7), "use_causal_mask": True},
    "one for all": {"attention_mask": _mask(9, 7)},
}
MADE: dict[str, Any] = {
    "multi": lambda **k: layers.MultiHeadAttention(4, 5, value_dim=3, **k),
    "window": lambda **k: layers.MultiHeadAttention(4, 5, sliding_window=3, **k),
    "groups": lambda **k: layers.GroupQueryAttention(5, 4, 2, use_gate=True, **k),
}


def _gradients(layer: Any, x: Any, y: Any, **call: Any) -> list[Any]:
    with keras.GradientTape() as tape:
        found = layer(x, y, **call)
        loss = ops.sum(ops.sin(found))
    return [found, *tape.gradient(loss, layer.trainable_variables)]


def _compare(make: Any, rate: float, **call: Any) -> None:
    fused = make(dropout=rate, seed=3, flash_attention=True)
    plain = make(dropout=rate, seed=3, flash_attention=False)
    fused(X, Y)
    plain(X, Y)
    plain.set_weights(fused.get_weights())
    found = [_gradients(layer, X, Y, training=rate > 0, **call) for layer in (fused, plain)]
    for a, b in zip(*found):
        scale = max(1.0, float(np.abs(b).max()))
        np.testing.assert_allclose(a, b, rtol=0, atol=256 * EPS * scale)


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("kind", MADE)
def test_masks(kind: str, seen: str) -> None:
    # Queries without keys differ: their weights are alike, but in the composed form have gradients.
    call = {name: mask for name, mask in SEEN[seen].items() if name != "query_mask"}
    if kind == "window" and "value_mask" in call or "key_mask" in call:
        call = {"attention_mask": _mask(3, 9, 7), "key_mask": np.ones((3, 7), bool)}
    _compare(MADE[kind], 0.0, **call)


@pytest.mark.parametrize("kind", MADE)
def test_dropout_draws_the_same_numbers(kind: str) -> None:
    _compare(MADE[kind], 0.4, use_causal_mask=True)


def test_query_mask() -> None:
    layer = layers.MultiHeadAttention(2, 4)
    y = layer(X, Y, **SEEN["padding"])
    whole = layer(X, Y, value_mask=SEEN["padding"]["value_mask"])
    np.testing.assert_allclose(y[1, :5], whole[1, :5], atol=1e-5)


def test_other_axes() -> None:
    x = RNG.normal(size=(2, 3, 4, 6)).astype(np.float32)
    for axes in (None, (1,), (2,)):
        fused = layers.MultiHeadAttention(2, 4, attention_axes=axes)
        y = fused(x, x)
        config.disable_flash_attention()
        try:
            np.testing.assert_allclose(y, fused(x, x), atol=1e-5)
        finally:
            config.enable_flash_attention()


@pytest.mark.parametrize("use_scale", [False, True])
def test_attention(use_scale: bool) -> None:
    layer = layers.Attention(use_scale=use_scale, dropout=0.3, seed=1)
    masks = [np.arange(9) < [[9], [5], [2]], np.arange(7) < [[7], [3], [1]]]
    inputs = [X, Y[..., :5], Y]
    for training in (False, True):
        state = layer.seed_generator.state.numpy().copy()
        fused = layer(inputs, mask=masks, training=training)
        layer.seed_generator.state.assign(state)
        plain, _ = layer(inputs, mask=masks, training=training, return_attention_scores=True)
        np.testing.assert_allclose(fused, plain, rtol=0, atol=64 * EPS)
    assert (ops.convert_to_numpy(fused)[2, 2:] == 0).all()


def test_own_scores_are_used() -> None:
    class Uniform(layers.Attention):
        def _calculate_scores(self, query: Any, key: Any) -> Any:
            return ops.zeros((query.shape[0], query.shape[1], key.shape[1]))

    means = np.broadcast_to(Y.mean(1, keepdims=True), X.shape)
    np.testing.assert_allclose(Uniform()([X, Y]), means, atol=1e-6)


@pytest.mark.parametrize("kind", MADE)
def test_other_lengths_than_the_first(kind: str) -> None:
    layer = MADE[kind]()
    first = layer(X, X, use_causal_mask=True)
    np.testing.assert_allclose(
        layer(X[:, :5], X[:, :5], use_causal_mask=True), first[:, :5], atol=1e-6
    )


def test_masks_of_embeddings_are_used_and_passed_on() -> None:
    tokens = np.array([[1, 2, 3, 0], [4, 0, 0, 0]])
    embedding = layers.Embedding(5, 6, mask_zero=True)
    layer = layers.MultiHeadAttention(2, 3)
    inputs = keras.Input((4,), dtype="int32")
    x = embedding(inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = keras.Model(inputs, layers.GlobalAveragePooling1D()(layer(x, x))).predict(tokens)
    embedded = ops.convert_to_tensor(np.array(embedding(tokens)))
    seen = tokens != 0
    wanted = layer(embedded, embedded, value_mask=seen, query_mask=seen)
    np.testing.assert_allclose(y[0], ops.mean(wanted[0, :3], axis=0), atol=1e-6)


def test_refusals() -> None:
    layer = layers.MultiHeadAttention(2, 4, flash_attention=True)
    with pytest.raises(ValueError, match="attention scores is not supported"):
        layer(X, Y, return_attention_scores=True)
    with pytest.raises(ValueError, match="broadcasts"):
        layer(X, Y, attention_mask=np.ones((3, 9, 8), bool))


def test_a_value_of_another_rank_than_the_query_is_an_error() -> None:
    query = np.ones((2, 5, 8), "float32")
    with pytest.raises(ValueError, match=r"'a': expected a value of rank 3 .*\(5, 8\)"):
        layers.MultiHeadAttention(2, 4, name="a")(query, query[0])
